/* exact_codes - ranges of sealed segments: their int8 codes are scanned instead of vectors.
 *
 * The first scanner is asked first, if it reads codes. Where it cannot for now the processor does, to
 * the same bits; since that may only mean that a copy is on its way, it is asked again next time. */
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

static bool is_for_processor(status scanned)
{
	return scanned.code == STATUS_UNAVAILABLE || scanned.code == STATUS_RESOURCE_EXHAUSTED;
}

status exact_codes_propose(struct exact *exact, const struct scan_range *range)
{
	const struct sealed *sealed =
		snapshot_sealed(exact->snapshot, range->row_base + range->first);
	struct codes8_probe probe = {&exact->coded, &exact->window, 0};
	struct codes8_range codes = codes_of(sealed, range);
	status scanned;

	TRY(prepare(exact, sealed));
	scanned = scanner_propose_codes(exact->scanner, &probe, 1, &codes,
					exact->base.walk->deadline);
	if (!is_for_processor(scanned))
		return scanned;
	return codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &codes,
			      exact->base.walk->deadline);
}

void exact_codes_propose_together(struct exact *const *walks, size_t n,
				  const struct scan_range *range, status *ret)
{
	const struct sealed *sealed =
		snapshot_sealed(walks[0]->snapshot, range->row_base + range->first);
	struct codes8_range codes = codes_of(sealed, range);
	const struct deadline *deadlines[CODES8_PROBES_MAX];
	struct codes8_probe probes[CODES8_PROBES_MAX];
	status ends[CODES8_PROBES_MAX];
	size_t places[CODES8_PROBES_MAX], n_scanning = 0;

	for (size_t i = 0; i < n; i++) {
		struct exact *exact = walks[i];

		ret[i] = prepare(exact, sealed);
		if (status_failed(ret[i]))
			continue;
		places[n_scanning] = i;
		deadlines[n_scanning] = exact->base.walk->deadline;
		probes[n_scanning++] = (struct codes8_probe){&exact->coded, &exact->window, 0};
	}
	if (n_scanning > 0)
		codes8_propose_together(codes8_scanner(CODES8_BEST), probes, n_scanning, &codes,
					deadlines, ends);
	for (size_t i = 0; i < n_scanning; i++)
		ret[places[i]] = ends[i];
}

status exact_codes_bounds(struct exact *exact, const struct scan_range *range, float *ret_upper,
			  float *ret_lower)
{
	const struct sealed *sealed =
		snapshot_sealed(exact->snapshot, range->row_base + range->first);
	struct codes8_range codes = codes_of(sealed, range);
	struct codes8_bounds_out out = {ret_upper, ret_lower};
	status scanned;

	TRY(prepare(exact, sealed));
	scanned = scanner_bounds_codes(exact->scanner, &exact->coded, &codes,
				       exact->base.walk->deadline, &out);
	if (!is_for_processor(scanned))
		return scanned;
	return codes8_bounds(codes8_scanner(CODES8_BEST), &exact->coded, &codes,
			     exact->base.walk->deadline, out);
}
