/* Files of indexes that cannot be trusted: each is told, before FAISS reads it. */
#include "tests/index/ann/heaps.h"

#include "index/segment/block_header.h"
#include "kernels/base/error_info.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct heaps_made_of graph = {
	.metric = METRIC_COSINE, .dim = 32, .n = 3000, .kind = INDEX_FAISS, .factory = "HNSW8"};

static struct heaps heaps;
static char path[512];

static void make(void)
{
	heaps_init(&heaps, &graph, 9);
	heaps_build(&heaps);
	snprintf(path, sizeof path, "%s/0000000000000001.ann", heaps.room.scratch.path);
}

static void finish(void)
{
	heaps_finish(&heaps);
}

TestSuite(factory_damage, .init = make, .fini = finish, .timeout = 120);

static const char *value_of(status s, const char *key)
{
	for (size_t i = 0; s.info && i < ERROR_PAIRS_MAX && s.info->metadata[i].key; i++) {
		if (strcmp(s.info->metadata[i].key, key) == 0)
			return s.info->metadata[i].value;
	}
	return "";
}

static status opens(void)
{
	struct sealed_file file = heaps_file(&heaps);
	SCOPED(ann) ann = NULL;

	arena_reset(&heaps.room.arena);
	return ann_open(&file, heaps.sealed, &heaps.room.arena, &ann);
}

static void check_loss(status s, const char *block)
{
	cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s", s.detail);
	cr_assert_eq(s.info->reason, REASON_DATA_CORRUPT);
	cr_assert_str_eq(value_of(s, "collection"), "books");
	cr_assert_str_eq(value_of(s, "file"), "0000000000000001.ann");
	cr_assert_str_eq(value_of(s, "block"), block, "%s", s.detail);
}

static void flip(uint64_t offset)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_eq(pread(descriptor, &byte, 1, (off_t)offset), 1);
	byte ^= (uint8_t)(1 << offset % 8);
	cr_assert_eq(pwrite(descriptor, &byte, 1, (off_t)offset), 1);
	close(descriptor);
}

static uint64_t file_bytes(void)
{
	struct stat about;

	cr_assert_eq(stat(path, &about), 0);
	return (uint64_t)about.st_size;
}

Test(factory_damage, a_byte_of_any_block_is_missed_and_the_block_is_named)
{
	struct random random = {5};
	uint64_t n_blocks = file_bytes() / BLOCK_BYTES - 1;

	cr_assert_gt(n_blocks, 5);
	for (uint64_t block = 0; block < n_blocks; block++) {
		uint64_t begin = (block + 1) * BLOCK_BYTES;
		uint64_t at[] = {begin, begin + BLOCK_BYTES - 1,
				 begin + random_below(&random, BLOCK_BYTES)};

		for (size_t i = 0; i < COUNT(at); i++) {
			char number[24];
			status s;

			snprintf(number, sizeof number, "%lu", block);
			flip(at[i]);
			s = opens();
			check_loss(s, number);
			cr_assert_not_null(strstr(s.detail, block ? "index" : "calibration"));
			flip(at[i]);
		}
	}
	cr_assert(!status_failed(opens()));
}

Test(factory_damage, header_and_table_are_covered)
{
	for (uint64_t at = 0; at < BLOCK_BYTES; at += 61) {
		flip(at);
		check_loss(opens(), at < BLOCK_HEADER_BYTES ? "header" : "table");
		flip(at);
	}
}

Test(factory_damage, a_file_that_is_cut_is_no_file)
{
	uint64_t whole = file_bytes();

	for (uint64_t size = whole; size > BLOCK_BYTES; size -= BLOCK_BYTES) {
		cr_assert_eq(truncate(path, (off_t)(size - 1)), 0);
		check_loss(opens(), "");
	}
	cr_assert_eq(truncate(path, 100), 0);
	check_loss(opens(), "header");
}

Test(factory_damage, what_belongs_elsewhere_is_refused)
{
	struct collection_config config = heaps.room.config;

	heaps.room.incarnation[0] ^= 1;
	check_loss(opens(), "header");
	heaps.room.incarnation[0] ^= 1;
	snprintf(heaps.room.config.faiss_factory, sizeof config.faiss_factory, "HNSW16");
	check_loss(opens(), "header");
	heaps.room.config = config;
	heaps.room.config.metric = METRIC_L2;
	check_loss(opens(), "header");
	heaps.room.config = config;
	cr_assert(!status_failed(opens()));
}
