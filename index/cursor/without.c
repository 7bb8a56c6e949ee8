/* without - a stage that leaves out one place.
 *
 * A batch is borrowed and is not written to: one that holds the place inside goes out in two parts,
 * the second without a call upstream. Nothing is copied.
 */
#include "index/cursor/cursor.h"

#include <stdlib.h>

struct without {
	struct cursor base;
	uint64_t place;
	bool seen;             /* a place comes once: nothing more to look for */
	struct hit_batch rest; /* upstream's, what stood behind the place */
};

static enum step without_next(struct cursor *self, struct hit_batch *ret_batch)
{
	struct without *without = (struct without *)self;
	struct hit_batch batch = without->rest;

	without->rest = (struct hit_batch){0};
	while (batch.n == 0) {
		enum step step = cursor_next(self->upstream, &batch);
		size_t i = 0;

		if (step != STEP_BATCH)
			return step;
		if (without->seen)
			break;
		while (i < batch.n && batch.hits[i].place != without->place)
			i++;
		if (i == batch.n)
			break;
		without->seen = true;
		without->rest = (struct hit_batch){batch.hits + i + 1, batch.n - i - 1};
		batch.n = i;
		if (batch.n == 0) {
			batch = without->rest;
			without->rest = (struct hit_batch){0};
		}
	}
	*ret_batch = batch;
	return STEP_BATCH;
}

static void without_free(struct cursor *self)
{
	free(self);
}

static const struct cursor_ops without_ops = {
	.next = without_next,
	.free = without_free,
};

status without_open(struct cursor *upstream, uint64_t place, struct cursor **ret)
{
	SCOPED(cursor) source = upstream;
	struct without *without = calloc(1, sizeof *without);

	if (!without)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a without stage");
	without->base = (struct cursor){.ops = &without_ops, .walk = source->walk};
	without->base.upstream = TAKE(source);
	without->place = place;
	*ret = &without->base;
	return status_ok();
}
