/* merging_plan - looks at lengths, and where that gives nothing at deaths. */
#include "index/merging_plan.h"

static uint64_t kept_of(const struct strata *strata, size_t i, uint64_t horizon)
{
	const struct sealed *sealed = strata->items[i]->sealed;

	return sealed_count(sealed, sealed_length(sealed), horizon);
}

static unsigned tier_of(uint64_t rows, uint64_t seal_rows)
{
	unsigned tier = 0;

	for (; rows / MERGING_FACTOR >= seal_rows; rows /= MERGING_FACTOR)
		tier++;
	return tier;
}

/* Segments side by side of tier or below, enough of them of it, as many as fit into one. */
static bool plan_tier(const struct strata *strata, uint64_t seal_rows, unsigned tier,
		      size_t *ret_first, size_t *ret_end)
{
	size_t first = 0, n_of_tier = 0;

	for (size_t i = 0; i < strata->n; i++) {
		unsigned own = tier_of(sealed_length(strata->items[i]->sealed), seal_rows);
		uint64_t all = strata_begin(strata, i + 1) - strata_begin(strata, first);

		if (own > tier || all > SEALED_ROWS_MAX) {
			if (n_of_tier >= MERGING_FACTOR)
				return true;
			first = own > tier ? i + 1 : i;
			n_of_tier = 0;
		}
		n_of_tier += own == tier;
		*ret_first = first;
		*ret_end = i + 1;
	}
	return n_of_tier >= MERGING_FACTOR;
}

static bool is_thin(const struct strata *strata, size_t i, uint64_t horizon)
{
	uint32_t n = sealed_length(strata->items[i]->sealed);

	return n - kept_of(strata, i, horizon) > n / MERGING_SHARE;
}

static bool plan_thin(const struct strata *strata, uint64_t horizon, uint64_t seal_rows,
		      size_t *ret_first, size_t *ret_end)
{
	uint64_t kept;
	size_t i = 0, end;

	while (i < strata->n && !is_thin(strata, i, horizon))
		i++;
	if (i == strata->n)
		return false;
	kept = kept_of(strata, i, horizon);
	for (end = i + 1; end < strata->n && is_thin(strata, end, horizon); end++) {
		kept += kept_of(strata, end, horizon);
		if (kept >= MERGING_FACTOR * seal_rows)
			break;
	}
	*ret_first = i;
	*ret_end = end;
	return true;
}

bool merging_plan(const struct strata *strata, uint64_t horizon, uint64_t seal_rows,
		  size_t *ret_first, size_t *ret_end)
{
	for (unsigned tier = 0; tier <= tier_of(strata_places(strata), seal_rows); tier++) {
		if (plan_tier(strata, seal_rows, tier, ret_first, ret_end))
			return true;
	}
	return plan_thin(strata, horizon, seal_rows, ret_first, ret_end);
}
