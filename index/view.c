/* view - which of the two has a place, and then what that one says. */
#include "index/view.h"

#include <assert.h>
#include <stdlib.h>

status strata_open(struct strata *strata)
{
	struct strata made = {
		.sealed = calloc(STRATA_MAX, sizeof(struct sealed *)),
		.ends = calloc(STRATA_MAX, sizeof(uint64_t)),
	};

	if (!made.sealed || !made.ends) {
		strata_close(&made);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for segments");
	}
	*strata = made;
	return status_ok();
}

void strata_close(struct strata *strata)
{
	for (size_t i = 0; i < strata->n; i++)
		sealed_close(strata->sealed[i]);
	free(strata->sealed);
	free(strata->ends);
	*strata = (struct strata){0};
}

void strata_add(struct strata *strata, struct sealed *sealed)
{
	assert(strata->n < STRATA_MAX);
	strata->sealed[strata->n] = sealed;
	strata->ends[strata->n] = strata_places(strata, strata->n) + sealed_length(sealed);
	strata->n++;
}

/* Which of the first n has the place. */
static size_t stratum_of(const struct strata *strata, size_t n, uint64_t place)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strata->ends[middle] <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct sealed *view_sealed(const struct view *view, uint64_t place, uint32_t *ret_at)
{
	size_t i;

	if (place >= view->sealed)
		return NULL;
	i = stratum_of(view->strata, view->n_strata, place);
	*ret_at = (uint32_t)(place - strata_places(view->strata, i));
	return view->strata->sealed[i];
}

uint64_t view_row(const struct view *view, uint64_t place)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	return sealed ? sealed_row(sealed, at) : head_row(view->head, place);
}

bool view_alive(const struct view *view, uint64_t place, uint64_t generation)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	return sealed ? sealed_alive(sealed, at, generation)
		      : head_alive(view->head, place, generation);
}

const float *view_vector(const struct view *view, uint64_t place)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);

	return sealed ? sealed_vector(sealed, at, NULL) : head_vector(view->head, place);
}

uint64_t view_seek(const struct view *view, uint64_t row)
{
	size_t low = 0, high = view->n_strata;

	/* The first segment whose last row is not below row. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct sealed *sealed = view->strata->sealed[middle];

		if (sealed_row(sealed, sealed_length(sealed) - 1) < row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < view->n_strata) {
		uint64_t place = strata_places(view->strata, low) +
				 sealed_seek(view->strata->sealed[low], row);

		return place < view->length ? place : view->length;
	}
	if (view->length <= view->sealed)
		return view->length;
	return head_seek(view->head, view->sealed, view->length, row);
}

bool view_find(const struct view *view, uint64_t row, uint64_t *ret_place)
{
	uint64_t place = view_seek(view, row);

	if (place == view->length || view_row(view, place) != row)
		return false;
	*ret_place = place;
	return true;
}

uint64_t view_count(const struct view *view, uint64_t generation)
{
	uint64_t n = 0, first = 0;

	for (size_t i = 0; i < view->n_strata && first < view->length; i++) {
		uint64_t left = view->length - first;
		uint32_t length = sealed_length(view->strata->sealed[i]);

		n += sealed_count(view->strata->sealed[i], left < length ? (uint32_t)left : length,
				  generation);
		first = view->strata->ends[i];
	}
	if (view->length > view->sealed)
		n += head_count(view->head, view->sealed, view->length, generation);
	return n;
}

void view_range(const struct view *view, uint64_t generation, uint64_t place, uint32_t max,
		uint64_t *bitmap, struct scan_range *ret)
{
	uint32_t at = 0;
	const struct sealed *sealed = view_sealed(view, place, &at);
	struct codes8_range range;

	if (!sealed) {
		head_range(view->head, view->length, generation, place, max, bitmap, ret);
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
