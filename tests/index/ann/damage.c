/* damage - see damage.h. */
#include "tests/index/ann/damage.h"

#include "index/segment/block_header.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "0000000000000001.ann"

void damage_init(struct damage *damage, const struct heaps_made_of *what)
{
	heaps_init(&damage->heaps, what, 9);
	heaps_build(&damage->heaps);
	snprintf(damage->path, sizeof damage->path, "%s/" FILE_NAME,
		 damage->heaps.room.scratch.path);
}

void damage_finish(struct damage *damage)
{
	heaps_finish(&damage->heaps);
}

status damage_opens(struct damage *damage)
{
	struct sealed_file file = heaps_file(&damage->heaps);
	SCOPED(ann) ann = NULL;

	arena_reset(&damage->heaps.room.arena);
	return ann_open(&file, damage->heaps.sealed, &damage->heaps.room.arena, &ann);
}

void damage_expect(struct damage *damage, const char *block)
{
	loss_check(damage_opens(damage), FILE_NAME, block);
}

static void flip(const struct damage *damage, uint64_t offset)
{
	int descriptor = open(damage->path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_eq(pread(descriptor, &byte, 1, (off_t)offset), 1);
	byte ^= (uint8_t)(1 << offset % 8);
	cr_assert_eq(pwrite(descriptor, &byte, 1, (off_t)offset), 1);
	close(descriptor);
}

static uint64_t file_bytes(const struct damage *damage)
{
	struct stat about;

	cr_assert_eq(stat(damage->path, &about), 0);
	return (uint64_t)about.st_size;
}

uint64_t damage_blocks(const struct damage *damage)
{
	return file_bytes(damage) / BLOCK_BYTES - 1;
}

void damage_check_block(struct damage *damage, struct random *random, uint64_t block,
			const char *word)
{
	uint64_t begin = (block + 1) * BLOCK_BYTES;
	uint64_t at[] = {begin, begin + BLOCK_BYTES - 1, begin + random_below(random, BLOCK_BYTES)};

	for (size_t i = 0; i < COUNT(at); i++) {
		char number[24];
		status s;

		snprintf(number, sizeof number, "%lu", block);
		flip(damage, at[i]);
		s = damage_opens(damage);
		loss_check(s, FILE_NAME, number);
		cr_assert_not_null(strstr(s.detail, word), "%s", s.detail);
		flip(damage, at[i]);
	}
}

void damage_check_front(struct damage *damage)
{
	for (uint64_t at = 0; at < BLOCK_BYTES; at += 61) {
		flip(damage, at);
		damage_expect(damage, at < BLOCK_HEADER_BYTES ? "header" : "table");
		flip(damage, at);
	}
}

void damage_check_cuts(struct damage *damage)
{
	for (uint64_t size = file_bytes(damage); size > BLOCK_BYTES; size -= BLOCK_BYTES) {
		cr_assert_eq(truncate(damage->path, (off_t)(size - 1)), 0);
		damage_expect(damage, "");
	}
	cr_assert_eq(truncate(damage->path, 100), 0);
	damage_expect(damage, "header");
}
