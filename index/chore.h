/* chore - one piece of work on a collection, beside its writer and its readers.
 *
 *	1 the writer, between its groups, starts it;
 *	2 a thread of low priority does the work;
 *	3 the writer, woken, takes the result and makes it count.
 *
 * So what is published has one author, and nobody waits for the work. A chore is cancelled from any
 * thread; it is then READY soon, as it is when it failed.
 */
#ifndef SLUICE_INDEX_CHORE_H
#define SLUICE_INDEX_CHORE_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/pool.h"

#include <stdatomic.h>

struct collection;

enum chore_state { CHORE_IDLE, CHORE_RUNS, CHORE_READY };

struct chore {
	struct job job; /* first */
	struct collection *collection;
	struct pool *pool; /* borrowed */
	status (*work)(struct chore *chore);
	_Atomic enum chore_state state;
	struct deadline deadline;

	/* The work's while it runs, then the writer's until the next start: */
	struct arena scratch; /* owns the result's detail too */
	status result;
};

/* chore_init - pool  one of its threads does the work; each lowers its own priority for good. */
void chore_init(struct chore *chore, struct collection *collection, struct pool *pool,
		status (*work)(struct chore *chore));
void chore_finish(struct chore *chore); /* it does not run; all zero is fine */

/* chore_start - of an idle one. The writer's. */
void chore_start(struct chore *chore);

/* chore_take - whether there is a result, which is then the writer's; the chore is idle. */
bool chore_take(struct chore *chore);

static inline bool chore_is_idle(const struct chore *chore)
{
	return atomic_load(&chore->state) == CHORE_IDLE;
}

/* chore_cancel - what runs is not wanted any more. */
void chore_cancel(struct chore *chore);

/* chore_warn - logs a result that is a failure and not a cancellation, nor due to a drop. what  "no segment was made" */
void chore_warn(const struct chore *chore, const char *what);

#endif
