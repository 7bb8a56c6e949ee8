/* exact_codes - ranges of sealed segments: their int8 codes are scanned instead of vectors. */
#include "index/cursor/exact_state.h"

static status prepare(struct exact *exact, const struct sealed *sealed)
{
	if (exact->coded_for && sealed_codes_alike(exact->coded_for, sealed))
		return status_ok();
	exact->coded_for = NULL;
	arena_reset(&exact->coded_arena);
	TRY(sealed_query_init(sealed, &exact->coded_arena, exact->query.values, &exact->coded));
	exact->coded_for = sealed;
	return status_ok();
}

static struct codes8_range codes_of(const struct sealed *sealed, const struct scan_range *range)
{
	return (struct codes8_range){
		.codes = sealed_codes(sealed),
		.first = range->first,
		.n = range->n,
		.row_base = range->row_base,
		.visible = range->visible,
	};
}

status exact_codes_propose(struct exact *exact, const struct scan_range *range)
{
	const struct sealed *sealed =
		snapshot_sealed(exact->snapshot, range->row_base + range->first);
	struct codes8_probe probe = {&exact->coded, &exact->window, 0};
	struct codes8_range codes = codes_of(sealed, range);

	TRY(prepare(exact, sealed));
	return codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &codes,
			      exact->base.walk->deadline);
}

status exact_codes_bounds(struct exact *exact, const struct scan_range *range, float *ret_upper,
			  float *ret_lower)
{
	const struct sealed *sealed =
		snapshot_sealed(exact->snapshot, range->row_base + range->first);
	struct codes8_range codes = codes_of(sealed, range);

	TRY(prepare(exact, sealed));
	return codes8_bounds(codes8_scanner(CODES8_BEST), &exact->coded, &codes,
			     exact->base.walk->deadline,
			     (struct codes8_bounds_out){ret_upper, ret_lower});
}
