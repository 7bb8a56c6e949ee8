/* factory_index - an index of FAISS's own, whatever its factory makes.
 *
 * FAISS throws, and its C interface gives the exception's text: that is in the detail of what fails
 * here. Without memory all of it may fail with RESOURCE_EXHAUSTED. It does not defend itself against
 * hostile strings or files (index/ann/factory_check.h and checksums do). No call of it can be
 * interrupted, so what it would train in one long call is trained here in many short ones, and given
 * to it (factory_train.h). A search takes one thread, training and adding take what threads.h allows. Reading
 * calls are safe from any thread, the others need the index for themselves.
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

/* factory_index_make - l2: its metric; else the inner product. What the string says of refining is not
 * made (factory_parts.h).
 * Fails: INVALID_ARGUMENT (FAISS refuses the string) RESOURCE_EXHAUSTED */
status factory_index_make(const char *factory, uint32_t dim, bool l2, struct arena *arena,
			  struct factory_index **ret);
void factory_index_free(struct factory_index *index); /* NULL is fine */

/* factory_index_train - n rows [n][dim]; once, before rows are added, even where nothing is trained.
 * Looks at the deadline before every call of FAISS, which is of some 10^9 products: a tenth of a second on a
 * core. Longer may take, for rows of 384: the ranges of an IVF's SQ codes (a second; above 5,461 lists fewer
 * rows are looked at, so that it stays so); what costs the cube of the dimension: RR, and PCA of up to 512
 * dimensions or to more than 512 (a tenth of a second).
 * In all, on one core, for 1,024 lists 4 s, PQ of 8 bits 5 s, of 4 bits 1 s, OPQ 15 s, ITQ 15 s; FAISS's own takes
 * as long, but for OPQ: 200 s, in one call. Codes are learnt from 16,384 rows, OPQ's rotation from 9,984.
 * With the same effort the indexes find what those do that FAISS trains by itself: lists of the corpus differ by
 * less than they do between two samples (.934 on average of four, both, with 64 of 1,024), and codes by
 * less than a hundredth.
 * Fails: INVALID_ARGUMENT (too few, or FAISS cannot) RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED
 * INTERNAL (FAISS) */
status factory_index_train(struct factory_index *index, size_t n, const float *rows,
			   const struct deadline *deadline, struct arena *arena);

/* factory_index_add - behind those that are in it; their numbers go on. One call of FAISS, which the caller keeps
 * short by how many rows it gives. Fails: INTERNAL */
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
