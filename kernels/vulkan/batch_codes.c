/* batch_codes - one batch's way over the parts of its range. */
#include "kernels/vulkan/batch_codes.h"

#include "kernels/base/meter.h"
#include "kernels/vulkan/copy.h"
#include "kernels/vulkan/number.h"
#include "kernels/vulkan/scan8.h"

#include <stdlib.h>

/* Asks for about so many rows, or for up to twice as many, and so on, go together. */
#define WANTED_MIN 1024

_Static_assert(BATCH_QUERIES == CODES8_PROBES_MAX, "what a submission takes");

/* One search, in its thread's memory. All under the lock, but for what the one who leads does while the
 * work is touched. */
struct call {
	struct batch_ask ask;     /* first: a batch's asks are calls */
	struct vulkan_copy *copy; /* referred to */
	struct codes8_probe *probes;
	const struct codes8_range *range;
	struct {
		uint32_t ceiling; /* of what is left in the part, by the heads */
		bool is_done;     /* nothing is */
	} probe_states[BATCH_QUERIES];
	pthread_cond_t changed; /* it leads, it is over, or it may leave */
	bool is_leaving;
	status result;
};

struct batch_work {
	struct vulkan_copy *copy;
	struct vulkan_slot *slot; /* NULL: none yet for this submission */
	bool is_sent;
	bool is_second;  /* of two submissions for a part: what the first has left open */
	bool is_touched; /* the one who leads reads and writes what is the calls' */
	struct scan8_part part;
	struct scan8_ask asks[BATCH_QUERIES];
	/* Whose they are; NULL: somebody's who has left. */
	struct {
		struct call *call;
		size_t at;
	} places[BATCH_QUERIES];
};

static struct call *call_of(struct batch_ask *ask)
{
	return (struct call *)ask;
}

static struct batch_work *work_of(const struct batch_codes *batches, const struct batch *batch)
{
	return &batches->works[batch - batches->batcher.batches];
}

static const struct batch_kind *kind_of(const struct batch *batch)
{
	return &batch->asks[0]->kind;
}

status batch_codes_open(struct vulkan_runtime *runtime, struct batch_codes **ret)
{
	struct batch_codes *batches = calloc(1, sizeof *batches);
	struct batch_work *works = calloc(BATCHES, sizeof *works);

	if (!batches || !works) {
		free(batches);
		free(works);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a GPU's batches");
	}
	batches->runtime = runtime;
	batches->works = works;
	pthread_mutex_init(&batches->lock, NULL);
	batcher_init(&batches->batcher);
	*ret = batches;
	return status_ok();
}

void batch_codes_close(struct batch_codes *batches)
{
	if (!batches)
		return;
	pthread_mutex_destroy(&batches->lock);
	free(batches->works);
	free(batches);
}

/* The next rows of the range, for all queries; none are left where part.n is 0 then. */
static void part_begin(struct batch_codes *batches, struct batch *batch)
{
	struct batch_work *work = work_of(batches, batch);
	struct scan8_part *part = &work->part;
	size_t n = 0, width = 1;

	for (size_t i = 0; i < batch->n_asks; i++) {
		struct call *call = call_of(batch->asks[i]);

		for (size_t at = 0; at < call->ask.n; at++) {
			call->probe_states[at].ceiling = SCAN8_ALL;
			call->probe_states[at].is_done = false;
			if (call->probes[at].window->width > width)
				width = call->probes[at].window->width;
		}
		n += call->ask.n;
	}
	work->is_second = false;
	part->start += part->n;
	part->n = least(kind_of(batch)->n - part->start, scan8_part_rows(n));
	part->first = kind_of(batch)->first + part->start;
	part->wanted = scan8_wanted(&work->copy->shape, width);
}

/* All that may go to the device now goes: whoever leads is told. */
static void batches_start(struct batch_codes *batches)
{
	int64_t now_ns = clock_ns();
	struct batch *batch;

	while ((batch = batcher_next(&batches->batcher, now_ns))) {
		struct batch_work *work = work_of(batches, batch);
		struct call *leads = call_of(batch->asks[0]);
		size_t n = 0;

		for (size_t i = 0; i < batch->n_asks; i++) {
			n += batch->asks[i]->n;
			timer_add(TIMER_GPU_QUEUE, now_ns - batch->asks[i]->since_ns);
		}
		meter_add(METER_GPU_BATCHES, 1);
		meter_add(METER_GPU_QUERIES, n);
		*work = (struct batch_work){.copy = leads->copy};
		work->part = (struct scan8_part){.copy = work->copy, .asks = work->asks};
		copy_refer(work->copy);
		part_begin(batches, batch);
		pthread_cond_signal(&leads->changed);
	}
}

/* What is left open of the part, as asks. Gives how many. */
static size_t asks_collect(struct batch_work *work, const struct batch *batch)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->n_asks; i++) {
		struct call *call = call_of(batch->asks[i]);

		for (size_t at = 0; at < call->ask.n; at++) {
			if (call->probe_states[at].is_done)
				continue;
			work->places[n].call = call;
			work->places[n].at = at;
			work->asks[n++] = (struct scan8_ask){
				.query = call->probes[at].query,
				.visible = call->range->visible,
				.threshold = call->probes[at].window->threshold.score,
				.ceiling = call->probe_states[at].ceiling,
			};
		}
	}
	work->part.n_asks = n;
	return n;
}

/* Between these nobody leaves the batch, and the lock is not held. */
static void touch_begin(struct batch_codes *batches, struct batch_work *work)
{
	work->is_touched = true;
	pthread_mutex_unlock(&batches->lock);
}

static void touch_end(struct batch_codes *batches, const struct batch *batch)
{
	pthread_mutex_lock(&batches->lock);
	work_of(batches, batch)->is_touched = false;
	for (size_t i = 0; i < batch->n_asks; i++) {
		if (call_of(batch->asks[i])->is_leaving)
			pthread_cond_signal(&call_of(batch->asks[i])->changed);
	}
}

/* The batch is over; nobody is left in it, or all are told. */
static void work_end(struct batch_codes *batches, struct batch *batch)
{
	struct batch_work *work = work_of(batches, batch);

	slot_release(work->slot);
	copy_release(work->copy);
	*work = (struct batch_work){0};
	batcher_end(&batches->batcher, batch);
	batches_start(batches);
}

static void call_end(struct batch_codes *batches, struct call *call, status result)
{
	call->result = result;
	batcher_leave(&batches->batcher, &call->ask);
	pthread_cond_signal(&call->changed);
}

/* For all that are left. */
static void work_finish(struct batch_codes *batches, struct batch *batch, status result)
{
	while (batch->n_asks > 0)
		call_end(batches, call_of(batch->asks[0]), result);
	work_end(batches, batch);
}

static bool is_last_part(const struct batch_work *work, const struct batch *batch)
{
	return work->part.start + work->part.n == kind_of(batch)->n;
}

static bool call_is_done(const struct call *call)
{
	for (size_t at = 0; at < call->ask.n; at++) {
		if (!call->probe_states[at].is_done)
			return false;
	}
	return true;
}

/* Ends those of the last part that need no second submission. */
static void done_end(struct batch_codes *batches, struct batch *batch)
{
	for (size_t i = batch->n_asks; i-- > 0;) {
		struct call *call = call_of(batch->asks[i]);

		if (call_is_done(call))
			call_end(batches, call, status_ok());
	}
}

/* A submission has been looked at, or there was nothing to submit. */
static void round_end(struct batch_codes *batches, struct batch *batch)
{
	struct batch_work *work = work_of(batches, batch);
	bool more = false;

	slot_release(TAKE(work->slot));
	for (size_t i = 0; i < batch->n_asks; i++)
		more |= !call_is_done(call_of(batch->asks[i]));
	if (more && !work->is_second) {
		work->is_second = true;
		work->part.wanted = SCAN8_ALL;
		if (is_last_part(work, batch))
			done_end(batches, batch);
		/* Who led may be through. */
		pthread_cond_signal(&call_of(batch->asks[0])->changed);
	} else if (!is_last_part(work, batch)) {
		part_begin(batches, batch);
	} else {
		work_finish(batches, batch, status_ok());
	}
}

/* Under the lock, which it leaves meanwhile, as do those below. */
static status work_send(struct batch_codes *batches, struct batch *batch,
			const struct deadline *deadline)
{
	struct batch_work *work = work_of(batches, batch);
	size_t n = asks_collect(work, batch), then;
	status sent;

	/* Some may leave while there is no slot. */
	for (then = 0; n > 0 && n != then; n = asks_collect(work, batch)) {
		then = n;
		work->part.deadline = deadline;
		pthread_mutex_unlock(&batches->lock);
		sent = scan8_ready(&work->part, &work->slot);
		pthread_mutex_lock(&batches->lock);
		TRY(sent);
	}
	if (n == 0) {
		round_end(batches, batch);
		return status_ok();
	}
	if (!batch->is_given)
		batcher_again(&batches->batcher, batch);
	touch_begin(batches, work);
	sent = scan8_send(&work->part, work->slot);
	touch_end(batches, batch);
	work->is_sent = !status_failed(sent);
	return sent;
}

static void offer(struct batch_work *work, size_t i, uint64_t row_base)
{
	struct call *call = work->places[i].call;
	size_t at = work->places[i].at;
	uint64_t tails;

	if (!call)
		return;
	call->probe_states[at].ceiling =
		scan8_offer(&work->part, work->slot, i, row_base, call->probes[at].window, &tails);
	call->probe_states[at].is_done = call->probe_states[at].ceiling == 0;
	call->probes[at].tails_read += tails;
}

static status work_receive(struct batch_codes *batches, struct batch *batch,
			   const struct deadline *deadline)
{
	struct batch_work *work = work_of(batches, batch);
	uint64_t row_base = kind_of(batch)->row_base;
	status waited;

	pthread_mutex_unlock(&batches->lock);
	waited = slot_wait(work->slot, deadline);
	pthread_mutex_lock(&batches->lock);
	TRY(waited);
	work->is_sent = false;
	/* The next one goes while this one's results are read, most often the last of it. */
	if (is_last_part(work, batch)) {
		batcher_idle(&batches->batcher, batch);
		batches_start(batches);
	}
	touch_begin(batches, work);
	for (size_t i = 0; i < work->part.n_asks; i++)
		offer(work, i, row_base);
	touch_end(batches, batch);
	round_end(batches, batch);
	return status_ok();
}

/* One step of the batch that the call leads. Where that is late or cancelled, it leaves itself. */
static void lead(struct batch_codes *batches, struct batch *batch, const struct deadline *deadline)
{
	status done = work_of(batches, batch)->is_sent ? work_receive(batches, batch, deadline)
						       : work_send(batches, batch, deadline);

	if (status_failed(done) && done.code != STATUS_CANCELLED &&
	    done.code != STATUS_DEADLINE_EXCEEDED)
		work_finish(batches, batch, done);
}

static void call_leave(struct batch_codes *batches, struct call *call, status why)
{
	struct batch *batch;
	struct batch_work *work;
	bool led;

	call->is_leaving = true;
	while ((batch = call->ask.batch) && work_of(batches, batch)->is_touched)
		pthread_cond_wait(&call->changed, &batches->lock);
	if (call->ask.state == ASK_OUT)
		return;
	call->result = why;
	if (batch) {
		work = work_of(batches, batch);
		for (size_t i = 0; i < BATCH_QUERIES; i++) {
			if (work->places[i].call == call)
				work->places[i].call = NULL;
		}
	}
	led = batch && batch->asks[0] == &call->ask;
	batcher_leave(&batches->batcher, &call->ask);
	if (batch && batch->n_asks == 0)
		work_end(batches, batch);
	else if (led)
		pthread_cond_signal(&call_of(batch->asks[0])->changed);
	batches_start(batches);
}

/* Under the lock: until the call is over. */
static void call_wait(struct batch_codes *batches, struct call *call,
		      const struct deadline *deadline)
{
	while (call->ask.state != ASK_OUT) {
		status wanted = deadline_check(deadline);
		struct batch *batch = call->ask.batch;

		if (status_failed(wanted)) {
			call_leave(batches, call, wanted);
		} else if (batch && batch->asks[0] == &call->ask) {
			lead(batches, batch, deadline);
		} else {
			int64_t until_ns = clock_ns() + WAIT_STEP_NS;

			monotonic_wait(&call->changed, &batches->lock,
				       until_ns < call->ask.at_ns ? until_ns : call->ask.at_ns);
		}
	}
}

/* A power of two of WANTED_MIN, so that a search for few rows does not bring as many as one for many. */
static uint32_t wanted_of(const struct codes8_probe *probes, size_t n_probes,
			  const struct codes8_shape *shape)
{
	size_t width = 1;
	uint32_t wanted = WANTED_MIN;

	for (size_t i = 0; i < n_probes; i++) {
		if (probes[i].window->width > width)
			width = probes[i].window->width;
	}
	while (wanted < scan8_wanted(shape, width) && wanted <= UINT32_MAX / 2)
		wanted *= 2;
	return wanted;
}

status batch_codes_propose(struct batch_codes *batches, struct codes8_probe *probes,
			   size_t n_probes, const struct codes8_range *range,
			   const struct deadline *deadline)
{
	SCOPED(vulkan_copy) copy = NULL;
	struct call call = {.probes = probes, .range = range};

	TRY(copy_acquire_codes(batches->runtime, range->codes, deadline, &copy));
	call.copy = copy;
	call.ask = (struct batch_ask){
		.kind = {copy, range->row_base, range->first, range->n,
			 wanted_of(probes, n_probes, &range->codes->shape)},
		.n = n_probes,
		.at_ns = deadline ? deadline->at_ns : DEADLINE_NEVER,
	};
	monotonic_init(&call.changed);
	pthread_mutex_lock(&batches->lock);
	batcher_add(&batches->batcher, &call.ask, clock_ns());
	batches_start(batches);
	call_wait(batches, &call, deadline);
	pthread_mutex_unlock(&batches->lock);
	pthread_cond_destroy(&call.changed);
	return call.result;
}
