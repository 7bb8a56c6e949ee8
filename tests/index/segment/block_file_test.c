/* The frame of files: parts of any size, filled in any order, whole or not at all. */
#include "index/segment/block_writer.h"
#include "tests/kernels/random.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { N_PARTS = 6 };

static const char *const part_names[N_PARTS] = {"zero", "one", "two", "three", "four", "five"};
static const struct block_kind kind = {.magic = "SLUICEtt",
				       .format = 3,
				       .what = "thing",
				       .suffix = ".thing",
				       .n_parts = N_PARTS,
				       .part_names = part_names};
static const uint8_t incarnation[16] = {1, 2, 3};
static const uint64_t sizes[N_PARTS] = {0, 1, BLOCK_BYTES, BLOCK_BYTES - 1, 0, 3 * BLOCK_BYTES + 7};
static const struct block_fields fields = {.numbers = {1, 2, 3, 4, 5}, .n = 6, .real = 0.5};

static struct scratch scratch;
static struct arena arena;
static struct block_file file;

static void make(void)
{
	scratch_open(&scratch);
	arena_init(&arena, 1 << 20);
	file = (struct block_file){.kind = &kind,
				   .directory = scratch.path,
				   .collection = "books",
				   .incarnation = incarnation,
				   .id = 0xbeef};
}

static void finish(void)
{
	arena_finish(&arena);
	scratch_close(&scratch);
}

TestSuite(block_file, .init = make, .fini = finish);

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static uint8_t byte_at(size_t part, uint64_t at)
{
	return (uint8_t)(part * 101 + at * 7 + at / 251);
}

/* All parts a little at a time, by turns at random. */
static void fill(struct block_writer *writer)
{
	struct random random = {8};
	uint64_t done[N_PARTS] = {0};
	uint64_t left = 0;

	for (size_t part = 0; part < N_PARTS; part++)
		left += sizes[part];
	while (left > 0) {
		size_t part = random_below(&random, N_PARTS);
		size_t n = 1 + random_below(&random, 5000);
		uint8_t bytes[5001];

		n = n < sizes[part] - done[part] ? n : (size_t)(sizes[part] - done[part]);
		for (size_t i = 0; i < n; i++)
			bytes[i] = byte_at(part, done[part] + i);
		cr_assert(!status_failed(block_writer_put(writer, part, bytes, n)));
		done[part] += n;
		left -= n;
	}
}

static void write_file(void)
{
	SCOPED(block_writer) writer = &(struct block_writer){0};

	cr_assert(!status_failed(block_writer_open(writer, &file, sizes, NULL, &arena)));
	fill(writer);
	cr_assert(!status_failed(block_writer_end(writer, &fields)));
}

static status nod(const void *context, const struct block_fields *found,
		  const struct block_layout *layout, struct arena *memory)
{
	(void)context;
	(void)memory;
	cr_assert_eq(memcmp(found, &fields, sizeof fields), 0);
	for (size_t part = 0; part < N_PARTS; part++)
		cr_assert_eq(layout->parts[part].size, sizes[part]);
	return status_ok();
}

static status shake_head(const void *context, const struct block_fields *found,
			 const struct block_layout *layout, struct arena *memory)
{
	(void)found;
	(void)layout;
	return block_damaged(context, memory, "header", "is not to my liking");
}

Test(block_file, gives_back_what_was_put)
{
	SCOPED(block_map) map = &(struct block_map){0};
	struct block_layout layout;

	block_layout_init(&layout, sizes, N_PARTS);
	write_file();
	cr_assert(!status_failed(block_open(&file, &(struct block_judge){nod, NULL}, &arena, map)));
	cr_assert_eq(map->layout.file_bytes, layout.file_bytes);
	for (size_t part = 0; part < N_PARTS; part++) {
		const uint8_t *bytes = block_map_part(map, part);

		cr_assert_eq(map->layout.parts[part].offset % BLOCK_BYTES, 0);
		for (uint64_t at = 0; at < sizes[part]; at++)
			cr_assert_eq(bytes[at], byte_at(part, at), "part %zu, %lu", part, at);
		block_map_advise(map, part, part % 2 ? BLOCK_SWEPT : BLOCK_PICKED);
	}
}

Test(block_file, one_that_was_not_ended_leaves_nothing)
{
	struct block_writer writer = {0};

	cr_assert(!status_failed(block_writer_open(&writer, &file, sizes, NULL, &arena)));
	cr_assert(is_there(block_path_new(&file, &arena)));
	cr_assert(!status_failed(block_writer_put(&writer, 5, "abc", 3)));
	block_writer_finish(&writer);
	cr_assert_not(is_there(block_path_new(&file, &arena)));
	cr_assert_not(is_there(block_path(&file, &arena)));
	block_writer_finish(&writer);
}

Test(block_file, one_that_was_not_ended_leaves_what_was_there)
{
	struct block_writer writer = {0};
	SCOPED(block_map) map = &(struct block_map){0};

	write_file();
	cr_assert(!status_failed(block_writer_open(&writer, &file, sizes, NULL, &arena)));
	block_writer_finish(&writer);
	cr_assert(!status_failed(block_open(&file, &(struct block_judge){nod, NULL}, &arena, map)));
}

Test(block_file, its_kind_has_a_say)
{
	struct block_map map = {0};
	status s;

	write_file();
	s = block_open(&file, &(struct block_judge){shake_head, &file}, &arena, &map);
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_str_eq(s.detail, "collection \"books\": 000000000000beef.thing: is not to my "
				   "liking");
	cr_assert_null(map.map);
}

Test(block_file, one_of_another_kind_or_format_is_refused)
{
	struct block_kind other = kind;
	struct block_map map = {0};
	status s;

	write_file();
	file.kind = &other;
	other.magic[7] = 'u';
	s = block_open(&file, &(struct block_judge){nod, NULL}, &arena, &map);
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_not_null(strstr(s.detail, "is no file of a thing"), "%s", s.detail);
	other = kind;
	other.format = 4;
	s = block_open(&file, &(struct block_judge){nod, NULL}, &arena, &map);
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_not_null(strstr(s.detail, "has format 3, and this program reads 4"), "%s",
			   s.detail);
}

Test(block_file, is_looked_for_and_removed_by_its_name)
{
	bool found = true;

	cr_assert(!status_failed(block_is_there(&file, &arena, &found)));
	cr_assert_not(found);
	write_file();
	cr_assert(!status_failed(block_is_there(&file, &arena, &found)));
	cr_assert(found);
	cr_assert(!status_failed(block_remove(&file, &arena)));
	cr_assert_not(is_there(block_path(&file, &arena)));
	cr_assert(!status_failed(block_remove(&file, &arena)));
}
