/* rows - a compressed set comes back from its bytes, and strange bytes are refused. */
#include "index/filter/rows.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static bool add_up(uint32_t row, void *context)
{
	*(uint64_t *)context += row + 1;
	return true;
}

static uint64_t sum_of(const struct rows *rows)
{
	uint64_t sum = 0;

	rows_each(rows, add_up, &sum);
	return sum;
}

Test(rows, come_back_from_their_bytes)
{
	SCOPED(rows) rows = NULL;
	SCOPED(rows) again = NULL;
	SCOPED(buffer) bytes = &(struct buffer){0};

	cr_assert(!status_failed(rows_open(&rows)));
	for (unsigned row = 0; row < 65536; row += 3)
		rows_add(rows, (uint16_t)row);
	rows_add(rows, 65535);
	rows_remove(rows, 3);
	rows_write(rows, bytes);
	cr_assert(!status_failed(rows_read(bytes_of(bytes->data, bytes->size), &again)));

	cr_assert_eq(sum_of(again), sum_of(rows));
}

Test(rows, tell_what_is_new)
{
	SCOPED(rows) rows = NULL;

	cr_assert(!status_failed(rows_open(&rows)));

	cr_assert(rows_add_new(rows, 65535));
	cr_assert_not(rows_add_new(rows, 65535));
	cr_assert(rows_add_new(rows, 0));
	cr_assert_eq(sum_of(rows), 65536 + 1);
}

Test(rows, of_a_whole_run_take_few_bytes)
{
	SCOPED(rows) rows = NULL;
	SCOPED(buffer) bytes = &(struct buffer){0};

	cr_assert(!status_failed(rows_open(&rows)));
	for (unsigned row = 0; row < 65536; row++)
		rows_add(rows, (uint16_t)row);
	rows_write(rows, bytes);

	cr_assert_lt(bytes->size, 32);
}

Test(rows, are_empty_when_the_last_is_removed)
{
	SCOPED(rows) rows = NULL;

	cr_assert(!status_failed(rows_open(&rows)));
	cr_assert(rows_is_empty(rows));
	rows_add(rows, 9);
	cr_assert_not(rows_is_empty(rows));
	rows_remove(rows, 9);
	cr_assert(rows_is_empty(rows));
}

Test(rows, are_refused_where_the_bytes_end_early)
{
	SCOPED(rows) rows = NULL;
	SCOPED(buffer) bytes = &(struct buffer){0};

	cr_assert(!status_failed(rows_open(&rows)));
	for (unsigned row = 0; row < 20000; row += 2)
		rows_add(rows, (uint16_t)row);
	rows_write(rows, bytes);

	for (size_t size = 0; size < bytes->size; size += 97) {
		SCOPED(rows) cut = NULL;

		cr_assert_eq(rows_read(bytes_of(bytes->data, size), &cut).code, STATUS_DATA_LOSS);
	}
}

static bool has(const struct rows_bits *bits, uint32_t row)
{
	return row / 64 >= bits->first && row / 64 < bits->end &&
	       bits->words[row / 64] >> row % 64 & 1;
}

/* Sets whose bytes are an array, bits, runs, and both ends of each; every step-th row of a part. */
static const struct {
	uint32_t first, end, step;
} shapes[] = {
	{0, 0, 1},     {0, 1, 1},       {65535, 65536, 1}, {5, 6, 1},          {63, 65, 1},
	{0, 65536, 1}, {100, 60000, 1}, {0, 65536, 2},     {3, 65536, 7},      {0, 65536, 1000},
	{64, 4161, 1}, {0, 8192, 2},    {1, 8194, 2},      {60000, 65536, 31},
};

Test(rows, are_unpacked_as_they_are_read)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		SCOPED(rows) rows = NULL;
		SCOPED(buffer) bytes = &(struct buffer){0};
		struct rows_bits bits;

		memset(&bits, 0xA5, sizeof bits);
		cr_assert(!status_failed(rows_open(&rows)));
		for (uint32_t row = shapes[i].first; row < shapes[i].end; row += shapes[i].step)
			rows_add(rows, (uint16_t)row);
		rows_write(rows, bytes);
		cr_assert(!status_failed(rows_unpack(bytes_of(bytes->data, bytes->size), &bits)));

		for (uint32_t row = 0; row < 65536; row++)
			cr_assert_eq(has(&bits, row),
				     row >= shapes[i].first && row < shapes[i].end &&
					     (row - shapes[i].first) % shapes[i].step == 0,
				     "shape %zu row %u", i, row);
	}
}

/* Neither a byte less nor another one may make it read or write outside. */
Test(rows, that_are_damaged_are_refused_or_unpacked_within_their_words)
{
	uint64_t state = 7;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		SCOPED(rows) rows = NULL;
		SCOPED(buffer) bytes = &(struct buffer){0};

		cr_assert(!status_failed(rows_open(&rows)));
		for (uint32_t row = shapes[i].first; row < shapes[i].end; row += shapes[i].step)
			rows_add(rows, (uint16_t)row);
		rows_write(rows, bytes);
		for (int round = 0; round < 300; round++) {
			size_t size;
			uint8_t *copy;
			struct rows_bits bits;
			status unpacked;

			state = state * 6364136223846793005U + 1442695040888963407U;
			size = (size_t)(state >> 33) % (bytes->size + 1);
			copy = malloc(size ? size : 1);
			cr_assert_not_null(copy);
			memcpy(copy, bytes->data, size);
			if (size)
				copy[(state >> 20) % size] ^= (uint8_t)(state >> 12);
			unpacked = rows_unpack(bytes_of(copy, size), &bits);
			free(copy);
			if (status_failed(unpacked))
				cr_assert_eq(unpacked.code, STATUS_DATA_LOSS);
			else
				cr_assert(bits.first <= bits.end && bits.end <= ROWS_WORDS);
		}
	}
}
