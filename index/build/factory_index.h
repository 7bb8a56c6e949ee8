/* factory_index - an index of FAISS's own, whatever its factory makes.
 *
 * FAISS throws, and its C interface gives the exception's text: that is in the detail of what fails
 * here. Without memory all of it may fail with RESOURCE_EXHAUSTED. It does not defend itself against
 * hostile strings or files (index/ann/factory_check.h and checksums do). No call of it can be
 * interrupted; a search takes one thread, training and adding take what threads.h allows. Reading calls are safe
 * from any thread, the others need the index for themselves.
 */
#ifndef SLUICE_INDEX_BUILD_FACTORY_INDEX_H
#define SLUICE_INDEX_BUILD_FACTORY_INDEX_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/deadline.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct factory_index;

/* factory_index_make - l2: its metric; else the inner product.
 * Fails: INVALID_ARGUMENT (FAISS refuses the string) */
status factory_index_make(const char *factory, uint32_t dim, bool l2, struct arena *arena,
			  struct factory_index **ret);
void factory_index_free(struct factory_index *index); /* NULL is fine */

/* factory_index_train - n rows [n][dim]; nothing where it needs no training.
 * Looks at the deadline between the iterations of an IVF's k-means, as clusters_train does. One call
 * are: all of it where a transform or a refinement is around the IVF, since the C interface does not
 * show what is inside; what is trained besides the lists (PQ: 25 iterations of 256 centroids in each
 * subspace, about a second for 16,384 rows of 384; OPQ: fifty times as much).
 * Fails: INVALID_ARGUMENT (too few, or FAISS cannot) RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED */
status factory_index_train(struct factory_index *index, size_t n, const float *rows,
			   const struct deadline *deadline, struct arena *arena);

/* factory_index_add - behind those that are in it; their numbers go on. Fails: INTERNAL */
status factory_index_add(struct factory_index *index, size_t n, const float *rows,
			 struct arena *arena);

uint64_t factory_index_length(const struct factory_index *index);

/* factory_index_set - "nprobe", "efSearch" and the like. Fails: INTERNAL (it has no such thing) */
status factory_index_set(struct factory_index *index, const char *name, double value,
			 struct arena *arena);

/* factory_index_search - the k nearest by its own reckoning, best first.
 * ret_places  [k] numbers; -1 behind the last.  scratch  [k] its scores, of no use to others.
 * Fails: INTERNAL */
status factory_index_search(const struct factory_index *index, const float *query, size_t k,
			    float *scratch, int64_t *ret_places, struct arena *arena);

/* faiss_sink - takes bytes of a serialised index; what it fails with ends the writing. */
struct faiss_sink {
	status (*put)(void *context, const void *data, size_t size);
	void *context;
};

/* factory_index_write - in FAISS's own format; the same bytes each time.
 * Fails: what the sink fails with; INTERNAL RESOURCE_EXHAUSTED */
status factory_index_write(const struct factory_index *index, const struct faiss_sink *sink,
			   struct arena *arena);

/* factory_index_read - of bytes that can be trusted; they are not needed any more afterwards.
 * Fails: INTERNAL RESOURCE_EXHAUSTED */
status factory_index_read(struct bytes bytes, struct arena *arena, struct factory_index **ret);

SCOPE_DEFINE(factory_index, factory_index_free)

#endif
