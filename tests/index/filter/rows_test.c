/* rows - a compressed set comes back from its bytes, and strange bytes are refused. */
#include "index/filter/rows.h"

#include <criterion/criterion.h>

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
