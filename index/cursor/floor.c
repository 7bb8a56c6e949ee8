/* floor - a stage that ends before the first hit below a score.
 *
 * Hits come in falling order, so what is behind that hit is never asked for.
 */
#include "index/cursor/cursor.h"

#include <stdlib.h>

struct floor {
	struct cursor base;
	float min_score;
	bool reached; /* a hit below was seen: nothing more is handed on */
};

/* How many hits of the batch are at or above the floor: a search by halves. */
static size_t floor_count(const struct hit_batch *batch, float min_score)
{
	size_t from = 0, to = batch->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (batch->hits[middle].score >= min_score)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static enum step floor_next(struct cursor *self, struct hit_batch *ret_batch)
{
	struct floor *floor = (struct floor *)self;
	struct hit_batch batch;

	if (!floor->reached) {
		enum step step = cursor_next(self->upstream, &batch);
		size_t n;

		if (step != STEP_BATCH)
			return step;
		n = floor_count(&batch, floor->min_score);
		floor->reached = n < batch.n;
		if (n > 0) {
			*ret_batch = (struct hit_batch){batch.hits, n};
			return STEP_BATCH;
		}
	}
	self->walk->stop = STOP_MIN_SCORE;
	return STEP_END;
}

static void floor_free(struct cursor *self)
{
	free(self);
}

static const struct cursor_ops floor_ops = {
	.next = floor_next,
	.free = floor_free,
};

status floor_open(struct cursor *upstream, float min_score, struct cursor **ret)
{
	SCOPED(cursor) source = upstream;
	struct floor *floor = calloc(1, sizeof *floor);

	if (!floor)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a floor stage");
	floor->base = (struct cursor){.ops = &floor_ops, .walk = source->walk};
	floor->base.upstream = TAKE(source);
	floor->min_score = min_score;
	*ret = &floor->base;
	return status_ok();
}
