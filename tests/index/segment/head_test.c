#include "index/segment/head.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* So wide that a block holds few rows; a row is touched where a test sets it only. */
#define WIDE DIMENSION_MAX
#define WIDE_ROWS ((uint32_t)(HEAD_BLOCK_BYTES / (WIDE * sizeof(float))))

#define DIM 3

static struct head *head;

static void open_head(uint32_t dim, uint64_t rows)
{
	cr_assert_not(status_failed(head_open(&(struct head_options){.dim = dim}, &head)));
	cr_assert_not(status_failed(head_reserve(head, 0, rows)));
}

static void finish(void)
{
	head_close(TAKE(head));
}

TestSuite(head, .fini = finish);

static bool head_alive(const struct head *of, uint64_t place, uint64_t generation)
{
	return head_death(of, place) > generation;
}

/* Places 0 to n, with row numbers 10, 13, 16 and so on. */
static void fill(uint64_t n)
{
	for (uint64_t place = 0; place < n; place++)
		head_set(head, place, 10 + 3 * place, (float[DIM]){(float)place, 1, 2});
}

Test(head, keeps_rows_at_multiples_of_a_line_with_zeros_behind)
{
	const float *vector;

	open_head(DIM, 100);
	fill(100);

	vector = head_vector(head, 37);

	cr_assert_eq((uintptr_t)vector % 64, 0);
	cr_assert_eq(vector[0], 37);
	cr_assert_eq(vector[2], 2);
	for (size_t i = DIM; i < scan_stride(DIM); i++)
		cr_assert_eq(vector[i], 0);
	cr_assert_eq(head_row(head, 37), 10 + 3 * 37);
	cr_assert_eq(head_memory_bytes(head, 10), 10 * (64 + 24));
}

Test(head, keeps_the_norms_that_scanners_want)
{
	struct scan_range range;
	float vector[DIM] = {3, 4, 12}, norm, square;

	open_head(DIM, 1);
	head_set(head, 0, 0, vector);
	head_range(head, 1, 0, 0, 1, NULL, &range);
	scan_row_norms(vector, DIM, &norm, &square);

	cr_assert_eq(range.block->norms[0], norm);
	cr_assert_eq(range.block->squares[0], square);
	cr_assert_geq(range.block->norms[0], 13);
}

/* The place of a row among the first length; false where there is none. */
static bool find(uint64_t length, uint64_t row, uint64_t *ret_place)
{
	uint64_t place = head_seek(head, 0, length, row);

	if (place == length || head_row(head, place) != row)
		return false;
	*ret_place = place;
	return true;
}

Test(head, finds_rows_by_number_within_the_length)
{
	uint64_t place = 77;

	open_head(DIM, 1000);
	fill(1000);

	for (uint64_t row = 0; row < 10 + 3 * 1000 + 5; row++) {
		bool there = row >= 10 && (row - 10) % 3 == 0 && (row - 10) / 3 < 700;

		cr_assert_eq(find(700, row, &place), there, "row %lu", row);
		if (there)
			cr_assert_eq(place, (row - 10) / 3);
	}
	cr_assert_not(find(0, 10, &place));
}

Test(head, a_row_is_seen_until_the_generation_of_its_death)
{
	open_head(DIM, 2);
	fill(2);
	head_kill(head, 1, 7);

	cr_assert(head_alive(head, 1, 6));
	cr_assert_not(head_alive(head, 1, 7));
	cr_assert_not(head_alive(head, 1, 8));
	cr_assert(head_alive(head, 0, 8));
}

Test(head, a_place_that_was_not_published_is_filled_again)
{
	open_head(DIM, 2);
	head_set(head, 0, 5, (float[DIM]){1, 2, 3});
	head_set(head, 0, 6, (float[DIM]){4, 5, 6});

	cr_assert_eq(head_row(head, 0), 6);
	cr_assert_eq(head_vector(head, 0)[2], 6);
	cr_assert(head_alive(head, 0, 1000));
}

/* What a range says of a row, against the row itself. */
static void check_range(uint64_t length, uint64_t generation, uint64_t place, uint32_t max)
{
	uint64_t bitmap[8] = {~(uint64_t)0};
	struct scan_range range;

	head_range(head, length, generation, place, max, bitmap, &range);
	cr_assert_gt(range.n, 0);
	cr_assert_leq(range.n, max);
	cr_assert(range.n == max || place + range.n == length);
	cr_assert_eq(range.row_base + range.first, place);
	for (uint32_t i = 0; i < range.n; i++) {
		bool visible = !range.visible || (range.visible[i / 64] >> (i % 64) & 1);

		cr_assert_eq(visible, head_alive(head, place + i, generation));
	}
	if (range.visible && range.n % 64)
		cr_assert_eq(range.visible[range.n / 64] >> (range.n % 64), 0);
}

Test(head, ranges_show_what_each_generation_sees)
{
	open_head(DIM, 400);
	fill(400);
	for (uint64_t place = 3; place < 400; place += 7)
		head_kill(head, place, 1 + place / 100);

	for (uint64_t generation = 0; generation < 6; generation++)
		for (uint64_t place = 0; place < 400; place += 13)
			for (uint32_t max = 1; max < 400; max += 61)
				check_range(400, generation, place, max);
}

Test(head, a_range_in_which_all_live_has_no_bitmap)
{
	uint64_t bitmap[4];
	struct scan_range range;

	open_head(DIM, 256);
	fill(256);
	head_range(head, 256, 9, 0, 256, NULL, &range);
	cr_assert_null(range.visible);

	/* Dead, but later than what the reader sees; then dead, but elsewhere in the block. */
	head_kill(head, 200, 10);
	head_range(head, 256, 9, 0, 256, NULL, &range);
	cr_assert_null(range.visible);
	head_range(head, 256, 10, 0, 200, bitmap, &range);
	cr_assert_null(range.visible);
	head_range(head, 256, 10, 200, 56, bitmap, &range);
	cr_assert_not_null(range.visible);
}

Test(head, blocks_stay_where_they_are_while_more_are_added)
{
	const float *before;
	struct scan_range range, again;
	float *vector = calloc(WIDE, sizeof *vector);

	cr_assert_not_null(vector);
	open_head(WIDE, 1);
	vector[WIDE - 1] = 5;
	head_set(head, 0, 0, vector);
	before = head_vector(head, 0);
	head_range(head, 1, 0, 0, 1, NULL, &range);

	cr_assert_not(status_failed(head_reserve(head, 1, 5 * (uint64_t)WIDE_ROWS)));

	head_range(head, 1, 0, 0, 1, NULL, &again);
	cr_assert_eq(head_vector(head, 0), before);
	cr_assert_eq(before[WIDE - 1], 5);
	cr_assert_eq(again.block, range.block);
	free(vector);
}

Test(head, a_range_ends_with_its_block)
{
	struct scan_range range;
	float *vector = calloc(WIDE, sizeof *vector);
	uint64_t length = WIDE_ROWS + 10, place = 0;

	cr_assert_not_null(vector);
	open_head(WIDE, length);
	for (uint64_t at = WIDE_ROWS - 2; at < length; at++) {
		vector[0] = (float)at;
		head_set(head, at, at, vector);
	}
	free(vector);

	head_range(head, length, 0, WIDE_ROWS - 2, 100, NULL, &range);
	cr_assert_eq(range.n, 2);
	cr_assert_eq(range.first, WIDE_ROWS - 2);
	cr_assert_eq(range.row_base, 0);
	head_range(head, length, 0, WIDE_ROWS, 100, NULL, &range);
	cr_assert_eq(range.n, 10);
	cr_assert_eq(range.first, 0);
	cr_assert_eq(range.row_base, WIDE_ROWS);
	cr_assert_eq(head_vector(head, WIDE_ROWS + 9)[0], (float)WIDE_ROWS + 9);
	cr_assert(find(length, WIDE_ROWS + 3, &place));
	cr_assert_eq(place, WIDE_ROWS + 3);
	cr_assert_eq(range.block->capacity % 64, 0);
}

Test(head, refuses_more_than_its_table_holds)
{
	status s;

	open_head(WIDE, 1);
	s = head_reserve(head, 1, UINT64_MAX / 2);
	cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED);
	cr_assert_not(status_failed(head_reserve(head, 1, 1)));
}

/* A scanner that notes which blocks it is told of. */
static size_t n_forgotten;

static void note_forgotten(struct scanner *self, struct scan_block *block)
{
	(void)self;
	block->copy = NULL;
	n_forgotten++;
}

Test(head, tells_the_scanner_of_blocks_that_it_copied)
{
	static const struct scanner_ops ops = {.forget = note_forgotten};
	struct scanner scanner = {&ops, "test"};
	struct scan_range range;

	cr_assert_not(status_failed(
		head_open(&(struct head_options){.dim = WIDE, .scanner = &scanner}, &head)));
	cr_assert_not(status_failed(head_reserve(head, 0, 3 * (uint64_t)WIDE_ROWS)));
	for (uint64_t block = 0; block < 2; block++) {
		head_range(head, 3 * (uint64_t)WIDE_ROWS, 0, block * WIDE_ROWS, 1, NULL, &range);
		range.block->copy = &scanner;
	}
	n_forgotten = 0;
	head_close(TAKE(head));
	cr_assert_eq(n_forgotten, 2);
}
