/* What a scan puts into the window, against a full sort and against exact scores. */
#include "kernels/score.h"
#include "tests/kernels/cpu/fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

static void draw_visible(struct random *random, uint64_t *bits, size_t n_words)
{
	size_t density = random_below(random, 6);

	for (size_t i = 0; i < n_words; i++) {
		bits[i] = density == 5 ? UINT64_MAX : random_bits(random);
		for (size_t j = 1; j < density; j++)
			bits[i] &= random_bits(random);
		if (density == 0)
			bits[i] = 0;
	}
}

static void check_two_ranges(struct random *random, struct scanner *scanner,
			     const struct scan_query *query, struct hostile_block *block)
{
	static struct key keys[2 * ROWS_MAX];
	static const size_t widths[] = {1, 3, 40, 700, 5000};
	uint64_t visible[ROWS_MAX / 64 + 1];
	struct window memory;
	SCOPED(window) window = &memory;
	/* The later range may have the earlier rows: those win ties against what is kept. */
	uint64_t first_base = random_below(random, 2) ? (uint64_t)1 << 40 : 0;
	size_t n = 0;

	cr_assert(!status_failed(window_init(window, widths[random_below(random, COUNT(widths))])));
	for (uint64_t part = 0; part < 2; part++) {
		struct scan_range range = {.block = &block->block,
					   .row_base = first_base ^ part << 40};

		range.first = (uint32_t)random_below(random, block->block.capacity + 1U);
		range.n = (uint32_t)random_below(random, block->block.capacity - range.first + 1U);
		draw_visible(random, visible, COUNT(visible));
		range.visible = random_below(random, 4) ? visible : NULL;
		cr_assert(!status_failed(scanner_propose(scanner, query, &range, NULL, window)));
		n += keys_by_bounds(scanner, query, &range, keys + n);
	}
	window_seal(window);
	window_check(window, keys, n);
}

Test(propose, proposes_the_first_rows_by_bound_key)
{
	static const uint32_t dims[] = {1, 3, 16, 20, 40};
	static float query[64];
	struct random random = {71};
	struct scanner *scanners[3];
	size_t n = scanners_open_all(scanners);

	for (size_t d = 0; d < COUNT(dims); d++) {
		for (int round = 0; round < 40; round++) {
			uint32_t rows = (uint32_t)random_below(&random, round % 4 ? 100 : ROWS_MAX);
			struct hostile_block block;

			hostile_block_init(&block, rows, dims[d]);
			for (size_t row = 0; row < rows; row++)
				draw_whole(&random, hostile_row(&block, row), dims[d]);
			hostile_block_measure(&block);
			draw_whole(&random, query, dims[d]);
			for (size_t s = 0; s < n; s++) {
				struct prepared prepared;

				prepare(&prepared, round % 2 ? METRIC_L2 : METRIC_INNER_PRODUCT,
					query, dims[d]);
				check_two_ranges(&random, scanners[s], &prepared.query, &block);
				arena_finish(&prepared.arena);
			}
			hostile_block_finish(&block);
		}
	}
	scanners_close_all(scanners, n);
}

/* With hostile rows only the contract can be asked for: a key in the window bounds its row, and
 * the true key of a row that is not there is after the horizon. */
static void check_contract(const struct window *window, const struct scan_query *query,
			   struct hostile_block *block, const struct scan_range *range)
{
	static bool found[ROWS_MAX];

	memset(found, 0, sizeof found);
	for (size_t i = 0; i < window->n; i++) {
		size_t place = (size_t)(window->keys[i].row - range->row_base);
		float exact = score_exact(query->metric, query->values, hostile_row(block, place),
					  query->dim);

		cr_assert(place >= range->first && place < range->first + range->n);
		cr_assert(is_visible(range, place - range->first));
		cr_assert(!found[place]);
		cr_assert(exact <= window->keys[i].score);
		found[place] = true;
	}
	for (size_t i = 0; i < range->n; i++) {
		size_t place = range->first + i;
		struct key key = {score_exact(query->metric, query->values,
					      hostile_row(block, place), query->dim),
				  range->row_base + place};

		if (is_visible(range, i) && !found[place])
			cr_assert(key_before(window->horizon, key), "row %zu", place);
	}
}

Test(propose, leaves_out_only_what_is_after_the_horizon)
{
	static float query[256];
	struct random random = {501};
	struct scanner *scanners[3];
	size_t n = scanners_open_all(scanners);

	for (int round = 0; round < 200; round++) {
		enum metric metric = metrics[random_below(&random, 3)];
		uint32_t dim = 1 + (uint32_t)random_below(&random, 256);
		uint64_t visible[8];
		struct hostile_block block;
		struct prepared prepared;
		struct scan_range range = {.block = &block.block,
					   .first = 7,
					   .n = 293,
					   .row_base = 1000,
					   .visible = round % 3 ? visible : NULL};

		hostile_query_draw(&random, (enum hostile_query)(round % HOSTILE_QUERIES), metric,
				   query, dim);
		prepare(&prepared, metric, query, dim);
		hostile_block_init(&block, 300, dim);
		hostile_block_draw(&random, &block, metric, query);
		draw_visible(&random, visible, COUNT(visible));
		for (size_t s = 0; s < n; s++) {
			struct window memory;
			SCOPED(window) window = &memory;

			cr_assert(
				!status_failed(window_init(window, 1 + random_below(&random, 60))));
			cr_assert(!status_failed(scanner_propose(scanners[s], &prepared.query,
								 &range, NULL, window)));
			window_seal(window);
			check_contract(window, &prepared.query, &block, &range);
		}
		hostile_block_finish(&block);
		arena_finish(&prepared.arena);
	}
	scanners_close_all(scanners, n);
}
