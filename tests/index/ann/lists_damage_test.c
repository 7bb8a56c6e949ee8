/* Files of lists that cannot be trusted: each is told. */
#include "tests/index/ann/damage.h"

#include "index/ann/lists_layout.h"
#include "index/segment/block_header.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <unistd.h>

static const struct heaps_made_of made_of = {.metric = METRIC_COSINE,
					     .encoding = ENCODING_FLOAT32,
					     .dim = 32,
					     .n = 2500,
					     .kind = INDEX_IVF};

static struct damage damage;
static struct room *const room = &damage.heaps.room;

static void make(void)
{
	damage_init(&damage, &made_of);
}

static void finish(void)
{
	damage_finish(&damage);
}

TestSuite(lists_damage, .init = make, .fini = finish, .timeout = 120);

Test(lists_damage, a_byte_of_any_block_is_missed_and_the_block_is_named)
{
	struct random random = {5};
	uint64_t n_blocks = damage_blocks(&damage);

	cr_assert_geq(n_blocks, LISTS_PARTS);
	for (uint64_t block = 0; block < n_blocks; block++)
		damage_check_block(&damage, &random, block, "");
	cr_assert(!status_failed(damage_opens(&damage)));
}

Test(lists_damage, header_and_table_are_covered)
{
	damage_check_front(&damage);
}

Test(lists_damage, a_file_that_is_cut_is_no_file)
{
	damage_check_cuts(&damage);
}

Test(lists_damage, what_belongs_elsewhere_is_refused)
{
	struct collection_config config = room->config;

	room->incarnation[0] ^= 1;
	damage_expect(&damage, "header");
	room->incarnation[0] ^= 1;
	room->config.metric = METRIC_L2;
	damage_expect(&damage, "header");
	room->config = config;
	room->config.dim++;
	damage_expect(&damage, "header");
	room->config = config;
	cr_assert(!status_failed(damage_opens(&damage)));
}

/* A header that was made by someone else, with a sum that is right. */
static void forge(size_t number, uint32_t value)
{
	int descriptor = open(damage.path, O_RDWR | O_CLOEXEC);
	struct block_header header;

	cr_assert_eq(pread(descriptor, &header, sizeof header, 0), sizeof header);
	header.numbers[number] = value;
	block_header_seal(&header);
	cr_assert_eq(pwrite(descriptor, &header, sizeof header, 0), sizeof header);
	close(descriptor);
}

Test(lists_damage, a_header_that_says_what_cannot_be_is_refused)
{
	static const struct {
		enum lists_number number;
		uint32_t value;
	} cases[] = {
		{LISTS_N, 0},           {LISTS_N, 2501},   {LISTS_N, 3},
		{LISTS_N, UINT32_MAX},  {LISTS_GROUPS, 0}, {LISTS_GROUPS, 3},
		{LISTS_GROUPS, 300},    {LISTS_KEPT, 0},   {LISTS_KEPT, 33},
		{LISTS_KEPT, 1U << 31},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct block_header header;
		int descriptor = open(damage.path, O_RDONLY | O_CLOEXEC);

		cr_assert_eq(pread(descriptor, &header, sizeof header, 0), sizeof header);
		close(descriptor);
		forge(cases[i].number, cases[i].value);
		damage_expect(&damage, "header");
		forge(cases[i].number, header.numbers[cases[i].number]);
	}
	cr_assert(!status_failed(damage_opens(&damage)));
}
