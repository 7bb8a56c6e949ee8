/* chore - from the writer to a thread and back. */
#include "index/chore.h"

#include "index/collection_state.h"
#include "kernels/base/log.h"

#include <assert.h>
#include <sys/resource.h>

#define SCRATCH_BYTES ((size_t)16 << 20)
#define LOW_PRIORITY 10

void chore_init(struct chore *chore, struct collection *collection, struct pool *pool,
		status (*work)(struct chore *chore))
{
	*chore = (struct chore){.collection = collection, .pool = pool, .work = work};
	atomic_init(&chore->state, CHORE_IDLE);
	deadline_init(&chore->deadline, DEADLINE_NEVER);
	arena_init(&chore->scratch, SCRATCH_BYTES);
}

void chore_finish(struct chore *chore)
{
	arena_finish(&chore->scratch);
}

static void chore_run(struct job *job)
{
	struct chore *chore = (struct chore *)job;
	struct collection *collection = chore->collection;

	/* Of this thread alone; FAISS's inherit it. */
	(void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY);
	chore->result = chore->work(chore);
	atomic_store(&chore->state, CHORE_READY);
	writer_wake(&collection->writer);
	collection_release(collection);
}

void chore_start(struct chore *chore)
{
	assert(chore_is_idle(chore));
	atomic_store(&chore->deadline.cancelled, false);
	/* Whoever stops the collection says so before it cancels. */
	if (collection_is_stopping(chore->collection))
		chore_cancel(chore);
	arena_reset(&chore->scratch);
	chore->result = status_ok();
	collection_reference(chore->collection);
	atomic_store(&chore->state, CHORE_RUNS);
	chore->job.run = chore_run;
	pool_submit(chore->pool, &chore->job);
}

bool chore_take(struct chore *chore)
{
	if (atomic_load(&chore->state) != CHORE_READY)
		return false;
	atomic_store(&chore->state, CHORE_IDLE);
	return true;
}

void chore_cancel(struct chore *chore)
{
	deadline_cancel(&chore->deadline);
}

void chore_warn(const struct chore *chore, const char *what)
{
	status s = chore->result;

	if (status_failed(s) && s.code != STATUS_CANCELLED &&
	    !collection_is_stopping(chore->collection))
		log_write(LOG_WARNING, "collection %s: %s: %s: %s",
			  collection_config(chore->collection)->name, what,
			  status_code_name(s.code), s.detail ? s.detail : "no detail");
}
