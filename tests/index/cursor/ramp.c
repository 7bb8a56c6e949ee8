/* ramp - hits made up as they are asked for. */
#include "tests/index/cursor/ramp.h"

float ramp_score(uint64_t place)
{
	uint64_t step = place / 2;

	return -(float)step;
}

static enum step ramp_next(struct cursor *self, struct hit_batch *ret_batch)
{
	struct ramp *ramp = (struct ramp *)self;
	size_t n = 0;

	if (++ramp->asked == ramp->fail_at) {
		self->status = status_make(STATUS_DATA_LOSS, "as told");
		return STEP_FAIL;
	}
	for (; n < ramp->batch && ramp->sent < ramp->n; n++, ramp->sent++)
		ramp->hits[n] = (struct hit){ramp_score(ramp->sent), ramp->sent};
	if (n == 0) {
		self->walk->stop = STOP_EXHAUSTED;
		return STEP_END;
	}
	*ret_batch = (struct hit_batch){ramp->hits, n};
	return STEP_BATCH;
}

static void ramp_free(struct cursor *self)
{
	((struct ramp *)self)->freed++;
}

static const struct cursor_ops ramp_ops = {.next = ramp_next, .free = ramp_free};

void ramp_init(struct ramp *ramp, uint64_t n, size_t batch)
{
	*ramp = (struct ramp){.n = n, .batch = batch};
	ramp->base = (struct cursor){.ops = &ramp_ops, .walk = &ramp->walk};
}
