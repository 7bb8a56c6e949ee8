/* fake_scanner - bounds made from exact scores. */
#include "tests/index/cursor/fake_scanner.h"

#include "kernels/score.h"
#include "tests/index/cursor/fake_snapshot.h"

#include <math.h>
#include <stdlib.h>

#define PARTIAL_N 8

struct bounds {
	float upper, lower;
};

static struct bounds row_bounds(const struct fake_scanner *fake, const struct scan_query *query,
				const struct scan_range *range, uint32_t i)
{
	const struct scan_block *block = range->block;
	uint64_t row = range->first + i;
	uint64_t state = fake->seed ^ (range->row_base + row) * 0x2545F4914F6CDD1DU;
	float score = score_exact(query->metric, query->values,
				  block->vectors + row * block->stride, query->dim);

	switch (fake->bounds) {
	case FAKE_TIGHT:
		return (struct bounds){score, score};
	case FAKE_EQUAL:
		return (struct bounds){1e30F, -1e30F};
	case FAKE_INFINITE:
	case FAKE_NAN:
		return (struct bounds){INFINITY, -INFINITY};
	default:
		return (struct bounds){score + fake->slack * fake_uniform(&state),
				       score - fake->slack * fake_uniform(&state)};
	}
}

/* Whether this call is to fail; counts it. */
static bool begin(struct fake_scanner *fake, const struct scan_range *range)
{
	fake->calls++;
	fake->rows += range->n;
	if (fake->calls == fake->act_at && fake->cancel)
		deadline_cancel(fake->cancel);
	if (fake->calls == fake->act_at && fake->drop)
		fake_snapshot_drop(fake->drop);
	return fake->fail_at && fake->calls >= fake->fail_at &&
	       fake->calls - fake->fail_at < fake->fail_n;
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return key_before(*y, *x) - key_before(*x, *y);
}

/* Offers the first PARTIAL_N keys and says that they are all up to there. */
static void offer_first(struct key *keys, size_t n, struct window *window)
{
	if (n > 1)
		qsort(keys, n, sizeof *keys, compare_keys);
	for (size_t i = 0; i < n && i < PARTIAL_N; i++)
		window_offer(window, keys[i]);
	if (n > PARTIAL_N)
		window_complete_to(window, keys[PARTIAL_N - 1]);
}

static status fake_propose(struct scanner *self, const struct scan_query *query,
			   const struct scan_range *range, const struct deadline *deadline,
			   struct window *window)
{
	struct fake_scanner *fake = (struct fake_scanner *)self;
	bool fails = begin(fake, range), partial = fake->bounds == FAKE_PARTIAL;
	uint32_t n = fails && fake->fail_after < range->n ? fake->fail_after : range->n;
	struct key *keys = partial ? calloc((size_t)n + 1, sizeof *keys) : NULL;
	size_t n_keys = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct key key = {row_bounds(fake, query, range, i).upper,
				  range->row_base + range->first + i};

		if (range->visible && !(range->visible[i / 64] >> (i % 64) & 1))
			continue;
		if (keys)
			keys[n_keys++] = key;
		else
			window_offer(window, key);
	}
	if (keys)
		offer_first(keys, n_keys, window);
	free(keys);
	return fails ? status_make(fake->code, "as told") : deadline_check(deadline);
}

static status fake_bounds(struct scanner *self, const struct scan_query *query,
			  const struct scan_range *range, const struct deadline *deadline,
			  float *ret_upper, float *ret_lower)
{
	struct fake_scanner *fake = (struct fake_scanner *)self;
	bool fails = begin(fake, range);
	uint32_t n = fails && fake->fail_after < range->n ? fake->fail_after : range->n;

	for (uint32_t i = 0; i < n; i++) {
		struct bounds bounds = row_bounds(fake, query, range, i);

		if (fake->bounds == FAKE_NAN)
			bounds = (struct bounds){NAN, NAN};
		ret_upper[i] = bounds.upper;
		ret_lower[i] = bounds.lower;
	}
	return fails ? status_make(fake->code, "as told") : deadline_check(deadline);
}

static void fake_forget(struct scanner *self, struct scan_block *block)
{
	(void)self;
	(void)block;
}

static void fake_close(struct scanner *self)
{
	(void)self;
}

static const struct scanner_ops fake_ops = {
	.propose = fake_propose,
	.bounds = fake_bounds,
	.forget = fake_forget,
	.close = fake_close,
};

void fake_scanner_init(struct fake_scanner *scanner, enum fake_bounds bounds, float slack,
		       uint64_t seed)
{
	*scanner = (struct fake_scanner){
		.base = {.ops = &fake_ops, .name = "fake"},
		.bounds = bounds,
		.slack = slack,
		.seed = seed,
		.fail_n = UINT32_MAX,
		.code = STATUS_UNAVAILABLE,
	};
}
