/* limit - a stage that ends after a number of hits.
 *
 * It cuts the batch that reaches the bound and asks upstream for nothing behind it, so no work is
 * done for hits that nobody gets.
 */
#include "index/cursor/cursor.h"

#include <stdlib.h>

struct limit {
	struct cursor base;
	uint64_t left;
};

static enum step limit_next(struct cursor *self, struct hit_batch *ret_batch)
{
	struct limit *limit = (struct limit *)self;
	struct hit_batch batch;
	enum step step;

	if (limit->left == 0) {
		self->walk->stop = STOP_LIMIT;
		return STEP_END;
	}
	step = cursor_next(self->upstream, &batch);
	if (step != STEP_BATCH)
		return step;

	if (batch.n > limit->left)
		batch.n = (size_t)limit->left;
	limit->left -= batch.n;
	if (limit->left == 0)
		self->walk->stop = STOP_LIMIT;
	*ret_batch = batch;
	return STEP_BATCH;
}

static void limit_free(struct cursor *self)
{
	free(self);
}

static const struct cursor_ops limit_ops = {
	.next = limit_next,
	.free = limit_free,
};

status limit_open(struct cursor *upstream, uint64_t max, struct cursor **ret)
{
	SCOPED(cursor) source = upstream;
	struct limit *limit = calloc(1, sizeof *limit);

	if (!limit)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a limit stage");
	limit->base = (struct cursor){.ops = &limit_ops, .walk = source->walk};
	limit->base.upstream = TAKE(source);
	limit->left = max;
	*ret = &limit->base;
	return status_ok();
}
