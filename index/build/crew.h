/* crew - threads that share the parts of one piece of work.
 *
 * Whoever is free takes the part that is next. So what comes of a part must not depend on who works on it,
 * or on which others are done: it has a place of its own, or is a sum of whole numbers. The caller's
 * thread is one of the crew; the others are there for the call alone, at the caller's priority and
 * with one thread of FAISS's each.
 */
#ifndef SLUICE_INDEX_BUILD_CREW_H
#define SLUICE_INDEX_BUILD_CREW_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"

#include <stddef.h>

/* Of however many processors: each works with some MiB of its own. */
#define CREW_MAX 16

/* crew_limit - from here on crews of this process are of so many threads at most; 0: as there are processors
 * that it may use, which holds until this is called. Any thread. */
void crew_limit(size_t n);

/* crew_size - how many there would be for so many parts, 1 .. CREW_MAX. */
size_t crew_size(size_t n_parts);

/* crew_place - where a part is worked on. */
struct crew_place {
	size_t worker;       /* below crew_size: for what each has of its own */
	struct arena *arena; /* the worker's; for the detail of a failure */
};

/* crew_work - n parts.
 * run   part `part` of them. The first failure ends the work: no other part is begun.
 * told  in the caller's thread, after each of its parts: how many are done, about. NULL: nobody is.
 * n_workers  as crew_size gave it, for who has made room; 0: so many.
 * deadline  looked at before each part. arena  gets the detail of what the work fails with. */
struct crew_work {
	size_t n, n_workers;
	status (*run)(void *context, size_t part, const struct crew_place *place);
	void (*told)(void *context, size_t n_done);
	void *context;
	const struct deadline *deadline;
	struct arena *arena;
};

/* crew_run - all parts; goes on with fewer threads where there are no more to be had.
 * Fails: what a part fails with; of several that failed the first part's. DEADLINE_EXCEEDED CANCELLED */
status crew_run(const struct crew_work *work);

#endif
