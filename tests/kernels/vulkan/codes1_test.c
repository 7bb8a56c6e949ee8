/* Signs of codes: bounds that hold, the same bits on a device as by plain C, and windows that miss nothing. */
#include "kernels/codes1.h"
#include "kernels/score.h"
#include "kernels/vulkan/scan.h"
#include "kernels/vulkan/scan8.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <math.h>
#include <stdlib.h>

#define PROPOSED_MAX 6000

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

/* A block's rows as codes that have a seat, and their signs. */
struct thinned {
	struct hostile_block block;
	struct coded coded;
	struct codes8_seat seat;
	unsigned char *blocks;
};

static void thinned_code(struct thinned *thinned, enum metric metric, uint32_t head,
			 const struct codes8_rotation *rotation)
{
	const struct codes8 *codes = &thinned->coded.codes;
	size_t n_blocks = (thinned->block.block.capacity + CODES8_ROWS - 1) / CODES8_ROWS;

	coded_init(&thinned->coded, &thinned->block, metric, head, rotation);
	thinned->seat = (struct codes8_seat){.is_thin = true};
	thinned->coded.codes.seat = &thinned->seat;
	thinned->blocks = malloc(n_blocks * codes1_block_bytes(&codes->shape));
	for (size_t i = 0; i < n_blocks; i++)
		codes1_thin(&codes->shape, codes->heads + i * codes->shape.block_bytes,
			    thinned->blocks + i * codes1_block_bytes(&codes->shape));
}

static void thinned_finish(struct thinned *thinned)
{
	codes8_seat_close(&thinned->seat);
	coded_finish(&thinned->coded);
	hostile_block_finish(&thinned->block);
	free(thinned->blocks);
}

struct bounds {
	float upper[PROPOSED_MAX], lower[PROPOSED_MAX];
};

static void bounds_in_c(const struct thinned *thinned, const struct codes8_query *query,
			const struct codes8_range *range, struct bounds *ret)
{
	static uint32_t planes[DIMENSION_MAX / 32 * CODES1_PLANES];
	const struct codes1_scan scan = {
		.query = query,
		.sum = codes1_planes(query, planes),
		.planes = planes,
		.blocks = thinned->blocks,
		.first = range->first,
		.n = range->n,
	};

	codes1_bounds(&scan, ret->upper, ret->lower);
}

/* But for what is lost where a product of a few is so small that a device takes it for zero. */
static bool is_same(float there, float here, uint32_t dim)
{
	return there == here || fabsf(there - here) <= 0x1p-120F * (float)(dim + 2);
}

/* scanner NULL: the bounds of plain C alone. */
static void check_bounds(struct scanner *scanner, const struct thinned *thinned,
			 const struct codes8_query *query, const float *values)
{
	static struct bounds here, there;
	const struct codes8 *codes = &thinned->coded.codes;
	struct codes8_range range = {.codes = codes, .n = codes->n};
	status scanned;

	bounds_in_c(thinned, query, &range, &here);
	for (uint32_t row = 0; row < codes->n; row++) {
		const float *vector = thinned->block.vectors + row * thinned->block.block.stride;
		float exact = score_exact(codes->shape.metric, values, vector, codes->shape.dim);

		cr_assert(here.lower[row] <= exact && exact <= here.upper[row],
			  "metric %d dim %u head %u row %u: %a <= %a <= %a",
			  (int)codes->shape.metric, codes->shape.dim, codes->shape.head, row,
			  (double)here.lower[row], (double)exact, (double)here.upper[row]);
	}
	if (!scanner || !scan8_serves(query))
		return;
	scanned = scanner_bounds_codes(scanner, query, &range, NULL,
				       &(struct codes8_bounds_out){there.upper, there.lower});
	cr_assert_not(status_failed(scanned), "%s", scanned.detail);
	for (uint32_t row = 0; row < codes->n; row++)
		cr_assert(is_same(there.upper[row], here.upper[row], codes->shape.dim) &&
				  is_same(there.lower[row], here.lower[row], codes->shape.dim),
			  "dim %u head %u row %u: %a %a, not %a %a", codes->shape.dim,
			  codes->shape.head, row, (double)there.lower[row],
			  (double)there.upper[row], (double)here.lower[row],
			  (double)here.upper[row]);
}

static void check_dim(struct scanner *scanner, struct random *random, uint32_t dim,
		      const struct codes8_rotation *rotation)
{
	static float query[DIMENSION_MAX];

	for (size_t m = 0; m < COUNT(metrics); m++) {
		for (int kind = 0; kind < 2 * HOSTILE_QUERIES; kind++) {
			struct thinned thinned;
			struct asked asked;
			uint32_t head = 0;

			if (kind % 2 && dim > CODES8_HEAD_STEP)
				head = CODES8_HEAD_STEP *
				       (1 + (uint32_t)random_below(random,
								   (dim - 1) / CODES8_HEAD_STEP));
			hostile_query_draw(random, (enum hostile_query)(kind / 2), metrics[m],
					   query, dim);
			hostile_block_init(&thinned.block, dim > 1000 ? 18 : 71, dim);
			hostile_block_draw(random, &thinned.block, metrics[m], query);
			thinned_code(&thinned, metrics[m], head, rotation);
			ask(&asked, &thinned.coded.codes.shape, rotation, query);
			check_bounds(scanner, &thinned, &asked.query, query);
			arena_finish(&asked.arena);
			thinned_finish(&thinned);
		}
	}
}

static const uint32_t dims[] = {1, 2, 3, 5, 31, 32, 33, 63, 65, 100, 129, 384, 767, 4095, 8192};

Test(vulkan_codes1, bounds_in_plain_c_hold_for_hostile_vectors_of_any_dimension)
{
	struct random random = {811};

	for (size_t d = 0; d < COUNT(dims); d++)
		check_dim(NULL, &random, dims[d], NULL);
}

/* Rows and questions as they come, most of them with a tail. */
Test(vulkan_codes1, bounds_in_plain_c_hold_for_plain_vectors)
{
	static float query[512];
	struct random random = {817};

	for (size_t i = 0; i < 60; i++) {
		uint32_t dim = 1 + (uint32_t)random_below(&random, 512);
		enum metric metric = metrics[i % COUNT(metrics)];
		struct thinned thinned;
		struct asked asked;

		hostile_block_init(&thinned.block, 300, dim);
		for (size_t row = 0; row < 300; row++) {
			for (size_t d = 0; d < dim; d++)
				hostile_row(&thinned.block, row)[d] = random_signed(&random);
			if (metric == METRIC_COSINE)
				vector_normalise(hostile_row(&thinned.block, row), dim);
		}
		hostile_block_measure(&thinned.block);
		thinned_code(&thinned, metric, dim / 64 * CODES8_HEAD_STEP, NULL);
		hostile_query_draw(&random, QUERY_UNIT, metric, query, dim);
		ask(&asked, &thinned.coded.codes.shape, NULL, query);
		check_bounds(NULL, &thinned, &asked.query, query);
		arena_finish(&asked.arena);
		thinned_finish(&thinned);
	}
}

Test(vulkan_codes1, bounds_on_a_device_are_the_same_bits)
{
	SCOPED(scanner) scanner = software_open();
	struct random random = {812};
	struct turned turned;

	for (size_t d = 0; d < COUNT(dims); d++)
		check_dim(scanner, &random, dims[d], NULL);
	turned_init(&turned, &random, 130);
	check_dim(scanner, &random, 130, &turned.rotation);
	turned_finish(&turned);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

/* A vector of equal magnitudes is its signs; any other loses less than its own length. */
Test(vulkan_codes1, bounds_are_tight_where_signs_say_it_all)
{
	struct random random = {813};
	struct thinned thinned;
	struct asked asked;
	static struct bounds bounds;
	float query[64];

	hostile_block_init(&thinned.block, 32, 64);
	for (size_t row = 0; row < 32; row++)
		for (size_t i = 0; i < 64; i++)
			hostile_row(&thinned.block, row)[i] =
				random_below(&random, 2) ? 0.125F : -0.125F;
	hostile_block_measure(&thinned.block);
	thinned_code(&thinned, METRIC_INNER_PRODUCT, 0, NULL);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_INNER_PRODUCT, query, 64);
	ask(&asked, &thinned.coded.codes.shape, NULL, query);
	bounds_in_c(&thinned, &asked.query,
		    &(struct codes8_range){.codes = &thinned.coded.codes, .n = 32}, &bounds);
	/* What is left is how codes are rounded. */
	for (size_t row = 0; row < 32; row++)
		cr_assert_leq(bounds.upper[row] - bounds.lower[row], 0.05F);
	arena_finish(&asked.arena);
	thinned_finish(&thinned);
}

static int key_order(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return key_before(*right, *left) - key_before(*left, *right);
}

static void check_window(const struct thinned *thinned, const struct codes8_query *query,
			 const struct codes8_range *range, struct window *window)
{
	static struct bounds bounds;
	static struct key keys[PROPOSED_MAX];
	size_t n = 0, want;

	bounds_in_c(thinned, query, range, &bounds);
	for (uint32_t i = 0; i < range->n; i++) {
		if (!range->visible || range->visible[i / 64] >> i % 64 & 1)
			keys[n++] =
				(struct key){bounds.upper[i], range->row_base + range->first + i};
	}
	qsort(keys, n, sizeof *keys, key_order);
	window_seal(window);
	want = n < window->width ? n : window->width;
	cr_assert_eq(window->n, want, "%zu of %zu", window->n, want);
	for (size_t i = 0; i < want; i++)
		cr_assert(window->keys[i].row == keys[i].row &&
				  window->keys[i].score == keys[i].score,
			  "key %zu of %zu", i, want);
	cr_assert(n <= want || key_before(window->horizon, keys[want]));
}

/* n queries over some of the rows. */
static void check_proposal(struct scanner *scanner, struct random *random,
			   const struct thinned *thinned, size_t n)
{
	static const size_t widths[] = {1, 40, 700, 5000};
	static uint64_t visible[PROPOSED_MAX / 64 + 1];
	const struct codes8 *codes = &thinned->coded.codes;
	struct codes8_range range = {.codes = codes, .row_base = 1000};
	struct codes8_probe probes[CODES8_PROBES_MAX];
	struct window windows[CODES8_PROBES_MAX];
	struct asked asked[CODES8_PROBES_MAX];
	status scanned;

	range.first = (uint32_t)random_below(random, codes->n / 2);
	range.n = (uint32_t)random_below(random, codes->n - range.first + 1U);
	for (size_t i = 0; i < COUNT(visible); i++)
		visible[i] = random_bits(random);
	range.visible = random_below(random, 2) ? visible : NULL;
	for (size_t i = 0; i < n; i++) {
		float query[512];

		hostile_query_draw(random, QUERY_UNIT, codes->shape.metric, query,
				   codes->shape.dim);
		ask(&asked[i], &codes->shape, NULL, query);
		cr_assert_not(status_failed(
			window_init(&windows[i], widths[random_below(random, COUNT(widths))])));
		probes[i] = (struct codes8_probe){&asked[i].query, &windows[i], 0};
	}
	scanned = scanner_propose_codes(scanner, probes, n, &range, NULL);
	cr_assert_not(status_failed(scanned), "%s", scanned.detail);
	for (size_t i = 0; i < n; i++) {
		check_window(thinned, &asked[i].query, &range, &windows[i]);
		cr_assert_eq(probes[i].tails_read, 0);
		window_finish(&windows[i]);
		arena_finish(&asked[i].arena);
	}
}

static void check_proposals(struct scanner *scanner, uint64_t seed)
{
	static const struct {
		uint32_t dim, head, rows;
	} shapes[] = {{1, 0, 90}, {40, 32, 17}, {100, 64, 2000}, {384, 192, PROPOSED_MAX}};
	struct random random = {seed};

	for (size_t s = 0; s < COUNT(shapes) * COUNT(metrics); s++) {
		enum metric metric = metrics[s % COUNT(metrics)];
		struct thinned thinned;
		uint32_t dim = shapes[s / COUNT(metrics)].dim;

		hostile_block_init(&thinned.block, shapes[s / COUNT(metrics)].rows, dim);
		for (size_t row = 0; row < thinned.block.block.capacity; row++) {
			float *values = hostile_row(&thinned.block, row);

			for (size_t i = 0; i < dim; i++)
				values[i] = random_signed(&random);
			if (metric == METRIC_COSINE)
				vector_normalise(values, dim);
		}
		hostile_block_measure(&thinned.block);
		thinned_code(&thinned, metric, shapes[s / COUNT(metrics)].head, NULL);
		for (size_t n = 1; n <= CODES8_PROBES_MAX; n++)
			check_proposal(scanner, &random, &thinned, n);
		thinned_finish(&thinned);
	}
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

Test(vulkan_codes1, proposes_by_the_bounds_of_plain_c)
{
	SCOPED(scanner) scanner = software_open();

	check_proposals(scanner, 814);
}

Test(vulkan_codes1, takes_signs_that_no_single_buffer_holds)
{
	SCOPED(scanner) scanner = software_open();

	/* As if that were the device's limit: some 500 rows. */
	scanner_vulkan_runtime(scanner)->device->buffer_bytes = 20000;
	check_proposals(scanner, 815);
}

Test(vulkan_codes1, takes_a_sixth_of_the_memory_of_codes)
{
	SCOPED(scanner) scanner = software_open();
	struct random random = {816};
	struct thinned thinned;

	hostile_block_init(&thinned.block, 4096, 384);
	hostile_block_measure(&thinned.block);
	thinned_code(&thinned, METRIC_INNER_PRODUCT, 0, NULL);
	check_proposal(scanner, &random, &thinned, 1);
	cr_assert_leq(6 * (scanner_vulkan_used_bytes(scanner) - 256),
		      codes8_heads_bytes(&thinned.coded.codes.shape, 4096));
	thinned_finish(&thinned);
}
