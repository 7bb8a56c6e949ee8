/* Files of indexes that cannot be trusted: each is told, before FAISS reads it. */
#include "tests/index/ann/damage.h"

#include <criterion/criterion.h>

#include <stdio.h>

static const struct heaps_made_of graph = {
	.metric = METRIC_COSINE, .dim = 32, .n = 3000, .kind = INDEX_FAISS, .factory = "HNSW8"};

static struct damage damage;
static struct room *const room = &damage.heaps.room;

static void make(void)
{
	damage_init(&damage, &graph);
}

static void finish(void)
{
	damage_finish(&damage);
}

TestSuite(factory_damage, .init = make, .fini = finish, .timeout = 120);

Test(factory_damage, a_byte_of_any_block_is_missed_and_the_block_is_named)
{
	struct random random = {5};
	uint64_t n_blocks = damage_blocks(&damage);

	cr_assert_gt(n_blocks, 5);
	for (uint64_t block = 0; block < n_blocks; block++)
		damage_check_block(&damage, &random, block, block ? "index" : "calibration");
	cr_assert(!status_failed(damage_opens(&damage)));
}

Test(factory_damage, header_and_table_are_covered)
{
	damage_check_front(&damage);
}

Test(factory_damage, a_file_that_is_cut_is_no_file)
{
	damage_check_cuts(&damage);
}

Test(factory_damage, what_belongs_elsewhere_is_refused)
{
	struct collection_config config = room->config;

	room->incarnation[0] ^= 1;
	damage_expect(&damage, "header");
	room->incarnation[0] ^= 1;
	snprintf(room->config.faiss_factory, sizeof config.faiss_factory, "HNSW16");
	damage_expect(&damage, "header");
	room->config = config;
	room->config.metric = METRIC_L2;
	damage_expect(&damage, "header");
	room->config = config;
	cr_assert(!status_failed(damage_opens(&damage)));
}
