/* fixture - blocks of rows to scan, kind and mean ones, and what must hold of every answer. */
#ifndef SLUICE_TESTS_KERNELS_VULKAN_FIXTURE_H
#define SLUICE_TESTS_KERNELS_VULKAN_FIXTURE_H

#include "kernels/scanner.h"

#include <stdbool.h>
#include <stdint.h>

enum rows_kind {
	ROWS_PLAIN,   /* values within -1 .. 1 */
	ROWS_WHOLE,   /* small whole numbers: sums are exact in any order, and ties are many */
	ROWS_HOSTILE, /* equal and opposite to the query, zero, one-hot, denormal, huge, twins */
	ROWS_CANCELS, /* great terms whose sum is small */
	ROWS_HALVES,  /* as plain, rounded to halves, among them denormal ones */
};

struct rows {
	struct scan_block block;
	float *vectors, *norms, *squares;
	float *query; /* [dim] */
	uint32_t dim, n;
};

/* rows_init - room for so many rows; none yet. rows_add - n more of a kind. */
void rows_init(struct rows *rows, uint32_t dim, uint32_t capacity, uint64_t seed);
void rows_finish(struct rows *rows);
void rows_add(struct rows *rows, enum rows_kind kind, uint32_t n);

/* rows_keep - how a device is to keep them from now on: as floats, or as halves. What it has of them
 * is dropped. */
void rows_keep(struct rows *rows, bool is_half);

const float *rows_vector(const struct rows *rows, uint32_t place);

/* random_next - the next of a sequence; never ends. random_unit - within -1 .. 1. */
uint64_t random_next(uint64_t *state);
float random_unit(uint64_t *state);

/* bits_random - [(n + 63) / 64], a share of percent of them set; to be freed. */
uint64_t *bits_random(uint32_t n, unsigned percent, uint64_t seed);

struct expectation {
	struct scanner *scanner;
	enum metric metric;
	const struct rows *rows;
	struct scan_range range;
	const char *what; /* for messages */
};

/* Both stop the test where something does not hold.
 * expect_bounds - lower <= exact <= upper for each row.
 * expect_proposal - the window's contract, with a window of this width: visible rows only, once
 * each, in order, none before its bound; whoever is left out comes after the horizon; and no row
 * short of the width was held back. */
void expect_bounds(const struct expectation *expected);
void expect_proposal(const struct expectation *expected, size_t width);

/* expect_window - the same of a window that something else has filled: sealed here. */
void expect_window(const struct expectation *expected, struct window *window);

/* expect_proposals - the same of n queries at once, the rows' own and others made of it and of rows;
 * widths [n]. */
void expect_proposals(const struct expectation *expected, const size_t *widths, size_t n);

/* rows_ask - the i-th of such queries, [dim]: 0 is the rows' own. */
void rows_ask(const struct rows *rows, size_t i, float *ret);

/* gauge_settles - waits until the gauge of GPU objects is zero, ten seconds at most. */
bool gauge_settles(void);

#endif
