/* truth - a scan with proven bounds, widened until the answer is certain. */
#include "index/ann/truth.h"

#include "kernels/base/error_info.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>

/* A coded query takes some 12 bytes a dimension. */
#define CODED_BYTES ((size_t)1 << 20)

/* The rows with the best bounds, and of them the ones with the best scores. */
struct search {
	const struct sealed *sealed;
	const struct truth_question *question;
	struct arena arena;
	struct codes8_query coded;
	struct window bounds, best;
	float *scratch; /* [dim] owned */
};

static void search_finish(struct search *search)
{
	arena_finish(&search->arena);
	window_finish(&search->bounds);
	window_finish(&search->best);
	free(search->scratch);
}

SCOPE_DEFINE(search, search_finish)

static status propose(struct search *search, size_t width)
{
	const struct codes8 *codes = sealed_codes(search->sealed);
	struct codes8_probe probe = {&search->coded, &search->bounds, 0};
	struct codes8_range range = {.codes = codes, .n = codes->n};

	TRY(window_clear(&search->bounds, width));
	/* What is below by its bound is none of the rows that are asked for. */
	if (search->question->least > -INFINITY)
		search->bounds.threshold = (struct key){search->question->least, UINT64_MAX};
	TRY(codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range,
			   search->question->deadline));
	window_seal(&search->bounds);
	return status_ok();
}

static status score(struct search *search, uint32_t depth)
{
	const struct codes8_shape *shape = &sealed_codes(search->sealed)->shape;

	TRY(window_clear(&search->best, depth));
	for (size_t i = 0; i < search->bounds.n; i++) {
		uint64_t place = search->bounds.keys[i].row;
		const float *vector =
			sealed_vector(search->sealed, (uint32_t)place, search->scratch);

		window_offer(&search->best,
			     (struct key){score_exact(shape->metric, search->question->query,
						      vector, shape->dim),
					  place});
	}
	window_seal(&search->best);
	return status_ok();
}

/* Whether no row that was left out can be among the best. */
static bool is_certain(const struct search *search, uint32_t depth)
{
	return search->best.n == depth &&
	       key_before(search->best.keys[depth - 1], search->bounds.horizon);
}

status truth_find(const struct sealed *sealed, const struct truth_question *question,
		  uint32_t *ret_places)
{
	uint32_t n = sealed_length(sealed), depth = question->depth;
	SCOPED(search)
	search = &(struct search){
		.sealed = sealed,
		.question = question,
	};

	arena_init(&search->arena, CODED_BYTES);
	search->scratch = malloc(sizeof(float) * sealed_codes(sealed)->shape.dim);
	if (!search->scratch)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to calibrate"),
				 REASON_MEMORY_LIMIT);
	TRY(sealed_query_init(sealed, &search->arena, question->query, &search->coded));
	TRY(window_init(&search->bounds, depth));
	TRY(window_init(&search->best, depth));
	for (uint64_t width = (uint64_t)depth * 4;; width *= 4) {
		TRY(propose(search, width < n ? (size_t)width : n));
		TRY(score(search, depth));
		if (is_certain(search, depth) || width >= n)
			break;
	}
	for (uint32_t i = 0; i < depth; i++)
		ret_places[i] = (uint32_t)search->best.keys[i].row;
	return status_ok();
}
