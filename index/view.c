/* view - which of the two has a place, and then what that one says. */
#include "index/view.h"

/* Which segment has the place. */
static size_t stratum_of(const struct strata *strata, uint64_t place)
{
	size_t low = 0, high = strata->n - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strata->ends[middle] <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct stratum *view_stratum(const struct view *view, uint64_t place, uint32_t *ret_at)
{
	size_t i;

	if (place >= view->sealed)
		return NULL;
	i = stratum_of(view->strata, place);
	*ret_at = (uint32_t)(place - strata_begin(view->strata, i));
	return view->strata->items[i];
}

struct sealed *view_sealed(const struct view *view, uint64_t place, uint32_t *ret_at)
{
	const struct stratum *stratum = view_stratum(view, place, ret_at);

	return stratum ? stratum->sealed : NULL;
}

uint64_t view_row(const struct view *view, uint64_t place)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	return sealed ? sealed_row(sealed, at) : head_row(view->head, view_head(view, place));
}

bool view_alive(const struct view *view, uint64_t place, uint64_t generation)
{
	return view_death(view, place) > generation;
}

uint64_t view_death(const struct view *view, uint64_t place)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	return sealed ? sealed_death(sealed, at) : head_death(view->head, view_head(view, place));
}

const float *view_vector(const struct view *view, uint64_t place, float *scratch)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	return sealed ? sealed_vector(sealed, at, scratch)
		      : head_vector(view->head, view_head(view, place));
}

void view_fetch(const struct view *view, uint64_t place)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	if (sealed)
		sealed_fetch(sealed, at);
}

uint64_t view_seek(const struct view *view, uint64_t row)
{
	size_t low = 0, high = view->strata->n;
	uint64_t place;

	/* The first segment whose last row is not below row. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sealed_last_row(view->strata->items[middle]->sealed) < row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < view->strata->n) {
		place = strata_begin(view->strata, low) +
			sealed_seek(view->strata->items[low]->sealed, row);
		return place < view->length ? place : view->length;
	}
	if (view->length <= view->sealed)
		return view->length;
	place = head_seek(view->head, view->head_first, view_head(view, view->length), row);
	return place - view->head_first + view->sealed;
}

bool view_find(const struct view *view, uint64_t row, uint64_t *ret_place)
{
	uint64_t place = view_seek(view, row);

	if (place == view->length || view_row(view, place) != row)
		return false;
	*ret_place = place;
	return true;
}

uint64_t view_count(const struct view *view, uint64_t first, uint64_t end, uint64_t generation)
{
	uint64_t n = 0;

	while (first < end && first < view->sealed) {
		uint32_t at = 0;
		const struct sealed *sealed = view_sealed(view, first, &at);
		uint64_t left = end - first;
		uint32_t until = sealed_length(sealed);

		if (left < until - at)
			until = at + (uint32_t)left;
		n += sealed_count(sealed, until, generation);
		if (at > 0)
			n -= sealed_count(sealed, at, generation);
		first += until - at;
	}
	if (first < end)
		n += head_count(view->head, view_head(view, first), view_head(view, end),
				generation);
	return n;
}

static void head_part(const struct view *view, uint64_t generation, uint64_t place, uint32_t max,
		      uint64_t *bitmap, struct scan_range *ret)
{
	uint64_t in_head = view_head(view, place);

	head_range(view->head, view_head(view, view->length), generation, in_head, max, bitmap,
		   ret);
	ret->row_base += place - in_head;
}

void view_range(const struct view *view, uint64_t generation, uint64_t place, uint32_t max,
		uint64_t *bitmap, struct scan_range *ret)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);
	struct codes8_range range;

	if (!sealed) {
		head_part(view, generation, place, max, bitmap, ret);
		return;
	}
	if (max > view->length - place)
		max = (uint32_t)(view->length - place);
	sealed_range(sealed, generation, place - at, at, max, bitmap, &range);
	*ret = (struct scan_range){
		.first = range.first,
		.n = range.n,
		.row_base = range.row_base,
		.visible = range.visible,
	};
}
