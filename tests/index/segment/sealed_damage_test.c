/* Files that cannot be trusted: each is told, by collection, file and block. */
#include "tests/index/segment/sealed_fixture.h"

#include "index/segment/block_header.h"
#include "index/segment/sealed_layout.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct sealed_made_of made_of = {
	.metric = METRIC_COSINE, .dim = 200, .n = 1500, .head = 96, .rotated = true};

static const char *const part_names[] = {"rows", "vectors", "heads", "tails", "rotation"};

static struct room room;

static void make(void)
{
	room_init(&room, &made_of, 11);
	room_write(&room, 1);
}

static void finish(void)
{
	room_finish(&room);
}

TestSuite(sealed_damage, .init = make, .fini = finish);

/* DATA_LOSS that names collection and file, and this block. */
static void check_loss(status s, const char *block)
{
	loss_check(s, "0000000000000001.segment", block);
	cr_assert_not_null(strstr(s.detail, "collection \"books\": 0000000000000001.segment"), "%s",
			   s.detail);
}

Test(sealed_damage, any_byte_of_the_header_is_missed)
{
	for (uint64_t at = 0; at < BLOCK_HEADER_BYTES; at++) {
		room_flip(&room, 1, at);
		check_loss(room_opens(&room, 1), "header");
		room_flip(&room, 1, at);
	}
	cr_assert(!status_failed(room_opens(&room, 1)));
}

Test(sealed_damage, any_byte_of_the_table_is_missed)
{
	for (uint64_t at = BLOCK_HEADER_BYTES; at < BLOCK_BYTES; at += 911) {
		room_flip(&room, 1, at);
		check_loss(room_opens(&room, 1), "table");
		room_flip(&room, 1, at);
	}
}

/* The first and last byte of each block, and some between; the zeros behind a part too. */
Test(sealed_damage, a_byte_of_any_block_is_missed_and_the_block_is_named)
{
	struct random random = {3};
	struct sealed_layout layout;
	size_t parts_seen[SEALED_PARTS] = {0};

	sealed_layout_init(&layout, &room.config, room.n, room.coding.head, true);
	cr_assert_eq(layout.blocks.file_bytes, room_file_bytes(&room, 1));
	for (uint64_t block = 0; block < layout.blocks.n_blocks; block++) {
		uint64_t begin = layout.blocks.data_offset + block * BLOCK_BYTES;
		uint64_t at[] = {begin, begin + BLOCK_BYTES - 1,
				 begin + random_below(&random, BLOCK_BYTES),
				 begin + random_below(&random, BLOCK_BYTES)};
		size_t part = block_part_of(&layout.blocks, block);

		parts_seen[part]++;
		for (size_t i = 0; i < COUNT(at); i++) {
			char number[24];
			status s;

			snprintf(number, sizeof number, "%lu", block);
			room_flip(&room, 1, at[i]);
			s = room_opens(&room, 1);
			check_loss(s, number);
			cr_assert_not_null(strstr(s.detail, part_names[part]), "%s", s.detail);
			room_flip(&room, 1, at[i]);
		}
	}
	for (size_t part = 0; part < SEALED_PARTS; part++)
		cr_assert_eq(parts_seen[part] * BLOCK_BYTES,
			     (layout.blocks.parts[part].size + BLOCK_BYTES - 1) / BLOCK_BYTES *
				     BLOCK_BYTES);
	cr_assert(!status_failed(room_opens(&room, 1)));
}

static const char *path_of(uint64_t id)
{
	struct sealed_file file = room_file(&room, id);

	return sealed_path(&file, &room.arena);
}

Test(sealed_damage, a_file_that_is_cut_or_longer_is_no_file)
{
	uint64_t whole = room_file_bytes(&room, 1);
	uint64_t sizes[] = {0,         1,         4095,         4096,
			    65535,     65536,     whole / 2,    whole - 4096,
			    whole - 1, whole + 1, whole + 65536};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		room_write(&room, 1);
		cr_assert_eq(truncate(path_of(1), (off_t)sizes[i]), 0);
		check_loss(room_opens(&room, 1), sizes[i] < BLOCK_HEADER_BYTES ? "header" : "");
	}
}

Test(sealed_damage, a_file_that_is_not_there_is_lost)
{
	status s;

	cr_assert_eq(unlink(path_of(1)), 0);
	s = room_opens(&room, 1);
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_not_null(strstr(s.detail, "0000000000000001.segment"), "%s", s.detail);
	cr_assert_str_eq(loss_value(s, "collection"), "books");
}

Test(sealed_damage, files_that_change_places_are_told_apart)
{
	room_write(&room, 2);
	cr_assert_eq(rename(path_of(2), path_of(1)), 0);
	check_loss(room_opens(&room, 1), "header");
}

Test(sealed_damage, a_file_of_another_collection_is_refused)
{
	room.incarnation[15] ^= 1;
	check_loss(room_opens(&room, 1), "header");
}

Test(sealed_damage, a_file_for_other_vectors_is_refused)
{
	struct collection_config config = room.config;

	room.config.dim++;
	check_loss(room_opens(&room, 1), "header");
	room.config = config;
	room.config.metric = METRIC_L2;
	check_loss(room_opens(&room, 1), "header");
	room.config = config;
	room.config.encoding = ENCODING_FLOAT16;
	check_loss(room_opens(&room, 1), "header");
}

/* A header that was made by someone else, with a sum that is right. */
static void forge(void (*change)(struct block_header *header))
{
	FILE *file = fopen(path_of(1), "r+");
	struct block_header header;

	cr_assert(file && fread(&header, sizeof header, 1, file) == 1);
	change(&header);
	block_header_seal(&header);
	rewind(file);
	cr_assert_eq(fwrite(&header, sizeof header, 1, file), 1);
	fclose(file);
}

static void be_newer(struct block_header *header)
{
	header->format++;
}

static void have_odd_head(struct block_header *header)
{
	header->numbers[SEALED_HEAD] = 97;
}

static void have_huge_head(struct block_header *header)
{
	header->numbers[SEALED_HEAD] = 0x80000000;
}

static void have_no_rows(struct block_header *header)
{
	header->n = 0;
}

static void have_all_rows(struct block_header *header)
{
	header->n = UINT64_MAX;
}

static void point_elsewhere(struct block_header *header)
{
	struct block_extent extent;
	unsigned char *at = header->rest + SEALED_HEADS * sizeof extent;

	memcpy(&extent, at, sizeof extent);
	extent.offset += BLOCK_BYTES;
	memcpy(at, &extent, sizeof extent);
}

Test(sealed_damage, a_header_that_contradicts_itself_is_refused)
{
	static void (*const changes[])(struct block_header *) = {
		be_newer,     have_odd_head, have_huge_head,
		have_no_rows, have_all_rows, point_elsewhere,
	};

	for (size_t i = 0; i < COUNT(changes); i++) {
		room_write(&room, 1);
		forge(changes[i]);
		check_loss(room_opens(&room, 1), "header");
	}
}
