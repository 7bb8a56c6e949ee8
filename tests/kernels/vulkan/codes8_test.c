/* Int8 codes on the device: the processor's bounds bit by bit, and windows that miss nothing. */
#include "kernels/base/meter.h"
#include "kernels/score.h"
#include "kernels/vulkan/scan.h"
#include "kernels/vulkan/scan8.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

/* A block's rows as codes that have a seat. */
struct seated {
	struct hostile_block block;
	struct coded coded;
	struct codes8_seat seat;
};

static void seated_code(struct seated *seated, enum metric metric, uint32_t head,
			const struct codes8_rotation *rotation)
{
	coded_init(&seated->coded, &seated->block, metric, head, rotation);
	seated->seat = (struct codes8_seat){0};
	seated->coded.codes.seat = &seated->seat;
}

static void seated_finish(struct seated *seated)
{
	codes8_seat_close(&seated->seat);
	coded_finish(&seated->coded);
	hostile_block_finish(&seated->block);
}

/* Rows about a few centres, with twins. */
static void draw_rows(struct random *random, struct hostile_block *block, enum metric metric)
{
	for (size_t row = 0; row < block->block.capacity; row++) {
		float *values = hostile_row(block, row);
		size_t other = row ? random_below(random, row) : 0, kind = random_below(random, 4);

		for (size_t i = 0; i < block->dim; i++) {
			values[i] = random_signed(random);
			if (kind > 0)
				values[i] = hostile_row(block, other)[i] +
					    (kind == 1 ? 0 : 0.1F * values[i]);
		}
		if (metric == METRIC_COSINE)
			vector_normalise(values, block->dim);
	}
	hostile_block_measure(block);
}

struct bounds {
	float upper[ROWS_MAX], lower[ROWS_MAX];
};

static status bounds_on_device(struct scanner *scanner, const struct codes8_query *query,
			       const struct codes8_range *range, struct bounds *ret)
{
	return scanner_bounds_codes(scanner, query, range, NULL,
				    &(struct codes8_bounds_out){ret->upper, ret->lower});
}

static void bounds_on_processor(const struct codes8_query *query, const struct codes8_range *range,
				struct bounds *ret)
{
	cr_assert_not(
		status_failed(codes8_bounds(codes8_scanner(CODES8_PORTABLE), query, range, NULL,
					    (struct codes8_bounds_out){ret->upper, ret->lower})));
}

/* But for what is lost where a product of a few is so small that a device takes it for zero. */
static bool is_same(float there, float here, uint32_t dim)
{
	return there == here || fabsf(there - here) <= 0x1p-120F * (float)(dim + 2);
}

/* A device that rounds to nearest gives the processor's bits; any device gives bounds that hold. */
static void check_bounds(struct scanner *scanner, const struct seated *seated,
			 const struct codes8_query *query, const float *values)
{
	static struct bounds here, there;
	const struct codes8 *codes = &seated->coded.codes;
	struct codes8_range range = {.codes = codes, .n = codes->n};
	status scanned = bounds_on_device(scanner, query, &range, &there);

	if (!scan8_serves(query)) {
		cr_assert_eq(scanned.code, STATUS_UNAVAILABLE);
		return;
	}
	cr_assert_not(status_failed(scanned), "%s", scanned.detail);
	bounds_on_processor(query, &range, &here);
	for (uint32_t row = 0; row < codes->n; row++) {
		const float *vector = seated->block.vectors + row * seated->block.block.stride;
		float exact = score_exact(codes->shape.metric, values, vector, seated->block.dim);

		cr_assert(there.lower[row] <= exact && exact <= there.upper[row],
			  "dim %u head %u row %u: %a <= %a <= %a", seated->block.dim,
			  codes->shape.head, row, (double)there.lower[row], (double)exact,
			  (double)there.upper[row]);
		cr_assert(is_same(there.upper[row], here.upper[row], seated->block.dim) &&
				  is_same(there.lower[row], here.lower[row], seated->block.dim),
			  "dim %u head %u row %u: %a %a, not %a %a", seated->block.dim,
			  codes->shape.head, row, (double)there.lower[row],
			  (double)there.upper[row], (double)here.lower[row],
			  (double)here.upper[row]);
	}
}

static void check_dim(struct scanner *scanner, struct random *random, uint32_t dim,
		      const struct codes8_rotation *rotation)
{
	static float query[DIMENSION_MAX];

	for (size_t m = 0; m < COUNT(metrics); m++) {
		for (int kind = 0; kind < 2 * HOSTILE_QUERIES; kind++) {
			struct seated seated;
			struct asked asked;
			uint32_t head = 0;

			if (kind % 2 && dim > CODES8_HEAD_STEP)
				head = CODES8_HEAD_STEP *
				       (1 + (uint32_t)random_below(random,
								   (dim - 1) / CODES8_HEAD_STEP));
			hostile_query_draw(random, (enum hostile_query)(kind / 2), metrics[m],
					   query, dim);
			hostile_block_init(&seated.block, dim > 1000 ? 18 : 71, dim);
			hostile_block_draw(random, &seated.block, metrics[m], query);
			seated_code(&seated, metrics[m], head, rotation);
			ask(&asked, &seated.coded.codes.shape, rotation, query);
			check_bounds(scanner, &seated, &asked.query, query);
			arena_finish(&asked.arena);
			seated_finish(&seated);
		}
	}
}

Test(vulkan_codes8, bounds_hold_for_hostile_vectors_of_any_dimension)
{
	static const uint32_t dims[] = {1,  2,  3,   5,   15,  16,  31,   33,   63,
					64, 65, 100, 129, 384, 767, 1000, 4095, 8192};
	SCOPED(scanner) scanner = software_open();
	struct random random = {4711};

	for (size_t d = 0; d < COUNT(dims); d++)
		check_dim(scanner, &random, dims[d], NULL);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

Test(vulkan_codes8, bounds_hold_for_vectors_that_are_rotated)
{
	static const uint32_t dims[] = {3, 65, 257};
	SCOPED(scanner) scanner = software_open();
	struct random random = {4712};

	for (size_t d = 0; d < COUNT(dims); d++) {
		struct turned turned;

		turned_init(&turned, &random, dims[d]);
		check_dim(scanner, &random, dims[d], &turned.rotation);
		turned_finish(&turned);
	}
}

/* Devices without the instruction unpack bytes. */
Test(vulkan_codes8, bounds_are_the_same_without_integer_dot_products)
{
	SCOPED(scanner) scanner = software_open();
	struct random random = {4713};

	scanner_vulkan_runtime(scanner)->device->has_dot = false;
	check_dim(scanner, &random, 100, NULL);
}

static int key_order(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return key_before(*right, *left) - key_before(*left, *right);
}

static bool is_visible(const struct codes8_range *range, size_t i)
{
	return !range->visible || (range->visible[i / 64] >> i % 64 & 1);
}

/* The bound keys of the visible rows, in order. Gives how many. */
static size_t keys_in_order(const struct codes8_query *query, const struct codes8_range *range,
			    struct key *ret)
{
	float *upper = calloc(range->n + 1, sizeof *upper);
	float *lower = calloc(range->n + 1, sizeof *lower);
	size_t n = 0;

	cr_assert_not(status_failed(codes8_bounds(codes8_scanner(CODES8_BEST), query, range, NULL,
						  (struct codes8_bounds_out){upper, lower})));
	for (size_t i = 0; i < range->n; i++) {
		if (is_visible(range, i))
			ret[n++] = (struct key){upper[i], range->row_base + range->first + i};
	}
	free(upper);
	free(lower);
	qsort(ret, n, sizeof *ret, key_order);
	return n;
}

static void window_check(const struct window *window, const struct key *keys, size_t n)
{
	size_t want = n < window->width ? n : window->width;

	cr_assert_eq(window->n, want, "%zu of %zu", window->n, want);
	for (size_t i = 0; i < want; i++)
		cr_assert(window->keys[i].row == keys[i].row &&
				  window->keys[i].score == keys[i].score,
			  "key %zu of %zu", i, want);
	cr_assert(n <= want || key_before(window->horizon, keys[want]));
	cr_assert(want == 0 || !key_before(window->horizon, keys[want - 1]));
}

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

#define MANY_ROWS 20000

struct proposal {
	struct scanner *scanner;
	struct random *random;
	const struct seated *seated;
	const struct codes8_rotation *rotation;
	struct codes8_range range;
	size_t n; /* queries */
};

static void check_proposal(const struct proposal *proposal)
{
	static const size_t widths[] = {1, 3, 40, 700, 5000, 30000};
	static struct key keys[MANY_ROWS];
	const struct codes8 *codes = &proposal->seated->coded.codes;
	const struct codes8_range *range = &proposal->range;
	struct codes8_probe probes[CODES8_PROBES_MAX];
	struct window windows[CODES8_PROBES_MAX];
	struct asked asked[CODES8_PROBES_MAX];
	status scanned;

	for (size_t i = 0; i < proposal->n; i++) {
		float query[512];

		hostile_query_draw(proposal->random, QUERY_UNIT, codes->shape.metric, query,
				   codes->shape.dim);
		ask(&asked[i], &codes->shape, proposal->rotation, query);
		cr_assert_not(status_failed(window_init(
			&windows[i], widths[random_below(proposal->random, COUNT(widths))])));
		probes[i] = (struct codes8_probe){&asked[i].query, &windows[i], 0};
	}
	scanned = scanner_propose_codes(proposal->scanner, probes, proposal->n, range, NULL);
	cr_assert_not(status_failed(scanned), "%s", scanned.detail);
	for (size_t i = 0; i < proposal->n; i++) {
		size_t n = keys_in_order(&asked[i].query, range, keys);

		window_seal(&windows[i]);
		window_check(&windows[i], keys, n);
		cr_assert_leq(probes[i].tails_read, codes->shape.tail ? n : 0);
		window_finish(&windows[i]);
		arena_finish(&asked[i].arena);
	}
}

/* A range of some rows, anywhere, with or without a bitmap. */
static struct codes8_range draw_range(struct random *random, const struct codes8 *codes,
				      uint64_t *visible)
{
	uint32_t first = (uint32_t)random_below(random, codes->n + 1U);

	draw_visible(random, visible, codes->n / 64 + 1);
	return (struct codes8_range){
		.codes = codes,
		.first = first,
		.n = (uint32_t)random_below(random, codes->n - first + 1U),
		.row_base = (uint64_t)random_below(random, 2) << 40,
		.visible = random_below(random, 4) ? visible : NULL,
	};
}

struct shape {
	uint32_t dim, head, rows;
	bool rotated;
};

static void check_shape(struct scanner *scanner, struct random *random, const struct shape *shape,
			enum metric metric)
{
	static uint64_t visible[MANY_ROWS / 64 + 1];
	struct turned turned = {0};
	struct seated seated;
	struct proposal proposal = {
		.scanner = scanner,
		.random = random,
		.seated = &seated,
	};

	if (shape->rotated) {
		turned_init(&turned, random, shape->dim);
		proposal.rotation = &turned.rotation;
	}
	hostile_block_init(&seated.block, shape->rows, shape->dim);
	draw_rows(random, &seated.block, metric);
	seated_code(&seated, metric, shape->head, proposal.rotation);
	for (proposal.n = 1; proposal.n <= CODES8_PROBES_MAX; proposal.n++) {
		proposal.range = draw_range(random, &seated.coded.codes, visible);
		check_proposal(&proposal);
	}
	seated_finish(&seated);
	turned_finish(&turned);
}

static const struct shape shapes[] = {
	{1, 0, 90, false},      {3, 0, 2000, false},     {40, 32, 17, false},
	{70, 64, 2000, true},   {100, 64, 2000, false},  {200, 64, 900, true},
	{384, 192, 2000, true}, {128, 64, 20000, false}, {96, 0, 20000, false},
};

Test(vulkan_codes8, proposes_what_the_processor_does)
{
	SCOPED(scanner) scanner = software_open();
	struct random random = {71};

	for (size_t s = 0; s < COUNT(shapes); s++)
		for (size_t m = 0; m < COUNT(metrics); m++)
			check_shape(scanner, &random, &shapes[s], metrics[m]);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

Test(vulkan_codes8, takes_codes_that_no_single_buffer_holds)
{
	SCOPED(scanner) scanner = software_open();
	struct random random = {72};

	/* As if that were the device's limit: some 250 to 500 rows of the shapes. */
	scanner_vulkan_runtime(scanner)->device->buffer_bytes = 70000;
	for (size_t s = 3; s < 7; s++)
		check_shape(scanner, &random, &shapes[s], METRIC_L2);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

/* Few different rows, so that thousands of keys fall into one bin. */
Test(vulkan_codes8, orders_crowds_of_equal_rows)
{
	static float query[64] = {1};
	static struct key keys[MANY_ROWS];
	SCOPED(scanner) scanner = software_open();
	struct seated seated;
	struct asked asked;

	hostile_block_init(&seated.block, MANY_ROWS, 64);
	for (size_t row = 0; row < MANY_ROWS; row++)
		hostile_row(&seated.block, row)[0] = row % 20 == 0 ? 1 : 0.5F;
	hostile_block_measure(&seated.block);
	seated_code(&seated, METRIC_INNER_PRODUCT, 0, NULL);
	ask(&asked, &seated.coded.codes.shape, NULL, query);
	for (size_t width = 1; width < 20000; width *= 3) {
		struct codes8_range range = {.codes = &seated.coded.codes, .n = MANY_ROWS};
		struct window memory;
		SCOPED(window) window = &memory;
		struct codes8_probe probe = {&asked.query, window, 0};

		cr_assert_not(status_failed(window_init(window, width)));
		cr_assert_not(
			status_failed(scanner_propose_codes(scanner, &probe, 1, &range, NULL)));
		window_seal(window);
		window_check(window, keys, keys_in_order(&asked.query, &range, keys));
	}
	arena_finish(&asked.arena);
	seated_finish(&seated);
}

/* One more than a submission takes. */
Test(vulkan_codes8, takes_more_rows_than_one_submission_has)
{
	SCOPED(scanner) scanner = software_open();
	const uint32_t n = scan8_part_rows(8) + 100;
	struct key *keys = calloc(n, sizeof *keys);
	struct random random = {9};
	struct codes8_probe probes[CODES8_PROBES_MAX];
	struct window windows[CODES8_PROBES_MAX];
	struct codes8_range range;
	struct seated seated;
	struct asked asked;
	float query[4];

	hostile_block_init(&seated.block, n, 4);
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < 4; d++)
			hostile_row(&seated.block, i)[d] = random_signed(&random);
	hostile_block_measure(&seated.block);
	seated_code(&seated, METRIC_L2, 0, NULL);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_L2, query, 4);
	ask(&asked, &seated.coded.codes.shape, NULL, query);
	range = (struct codes8_range){.codes = &seated.coded.codes, .n = n};
	for (size_t i = 0; i < CODES8_PROBES_MAX; i++) {
		cr_assert_not(status_failed(window_init(&windows[i], 50)));
		probes[i] = (struct codes8_probe){&asked.query, &windows[i], 0};
	}
	cr_assert_not(status_failed(
		scanner_propose_codes(scanner, probes, CODES8_PROBES_MAX, &range, NULL)));
	keys_in_order(&asked.query, &range, keys);
	for (size_t i = 0; i < CODES8_PROBES_MAX; i++) {
		window_seal(&windows[i]);
		window_check(&windows[i], keys, n);
		window_finish(&windows[i]);
	}
	free(keys);
	arena_finish(&asked.arena);
	seated_finish(&seated);
}

/* A small segment, and a question about it. */
struct small {
	struct seated seated;
	struct asked asked;
	struct window window;
};

static void small_init(struct small *small, uint32_t rows)
{
	struct random random = {5};
	float query[64];

	hostile_block_init(&small->seated.block, rows, 64);
	draw_rows(&random, &small->seated.block, METRIC_L2);
	seated_code(&small->seated, METRIC_L2, 0, NULL);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_L2, query, 64);
	ask(&small->asked, &small->seated.coded.codes.shape, NULL, query);
	cr_assert_not(status_failed(window_init(&small->window, 10)));
}

static void small_finish(struct small *small)
{
	window_finish(&small->window);
	arena_finish(&small->asked.arena);
	seated_finish(&small->seated);
}

static status small_ask(struct small *small, struct scanner *scanner)
{
	struct codes8_range range = {.codes = &small->seated.coded.codes,
				     .n = small->seated.coded.codes.n};
	struct codes8_probe probe = {&small->asked.query, &small->window, 0};

	cr_assert_not(status_failed(window_clear(&small->window, 10)));
	return scanner_propose_codes(scanner, &probe, 1, &range, NULL);
}

Test(vulkan_codes8, are_offered_only_when_all_are_there)
{
	SCOPED(scanner) scanner = software_open();
	struct small small;
	status asked;

	small_init(&small, 1000);
	scanner_vulkan_runtime(scanner)->waits_for_uploads = false;
	cr_assert_eq(small_ask(&small, scanner).code, STATUS_UNAVAILABLE);
	while (asked = small_ask(&small, scanner), asked.code == STATUS_UNAVAILABLE)
		sched_yield();
	cr_assert_eq(asked.code, STATUS_OK);
	cr_assert_eq(small.window.n, 10);

	codes8_seat_close(&small.seated.seat);
	cr_assert_null(small.seated.seat.copy);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
	small_finish(&small);
}

Test(vulkan_codes8, stay_on_the_processor_until_there_is_room)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_device *device = scanner_vulkan_runtime(scanner)->device;
	uint64_t refused = meter_read(METER_GPU_REFUSED);
	struct small first, second;

	small_init(&first, 1000);
	small_init(&second, 1000);
	device->memory_bytes_max = 100000;
	cr_assert_eq(small_ask(&first, scanner).code, STATUS_OK);
	cr_assert_eq(small_ask(&second, scanner).code, STATUS_UNAVAILABLE);
	cr_assert_eq(meter_read(METER_GPU_REFUSED), refused + 1);
	cr_assert_leq(scanner_vulkan_used_bytes(scanner), device->memory_bytes_max);

	codes8_seat_close(&first.seated.seat);
	cr_assert_eq(small_ask(&second, scanner).code, STATUS_OK);
	small_finish(&first);
	small_finish(&second);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

Test(vulkan_codes8, leave_with_their_scanner)
{
	struct scanner *scanner = software_open();
	struct small small;

	small_init(&small, 100);
	cr_assert_eq(small_ask(&small, scanner).code, STATUS_OK);
	cr_assert_not_null(small.seated.seat.copy);
	scanner_close(scanner);
	cr_assert_null(small.seated.seat.copy);
	small_finish(&small);
}

Test(vulkan_codes8, without_a_seat_are_the_processors)
{
	SCOPED(scanner) scanner = software_open();
	struct small small;

	small_init(&small, 100);
	small.seated.coded.codes.seat = NULL;
	cr_assert_eq(small_ask(&small, scanner).code, STATUS_UNAVAILABLE);
	small_finish(&small);
}

Test(vulkan_codes8, end_before_they_begin_when_cancelled_or_late)
{
	SCOPED(scanner) scanner = software_open();
	struct small small;
	struct codes8_range range;
	struct codes8_probe probe;
	struct deadline deadline;

	small_init(&small, 100);
	range = (struct codes8_range){.codes = &small.seated.coded.codes, .n = 100};
	probe = (struct codes8_probe){&small.asked.query, &small.window, 0};
	deadline_init(&deadline, clock_ns() - 1);
	cr_assert_eq(scanner_propose_codes(scanner, &probe, 1, &range, &deadline).code,
		     STATUS_DEADLINE_EXCEEDED);
	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	cr_assert_eq(scanner_propose_codes(scanner, &probe, 1, &range, &deadline).code,
		     STATUS_CANCELLED);
	small_finish(&small);
}
