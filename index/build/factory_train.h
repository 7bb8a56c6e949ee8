/* factory_train - an index of FAISS's is trained in calls that are short, from its parts. */
#ifndef SLUICE_INDEX_BUILD_FACTORY_TRAIN_H
#define SLUICE_INDEX_BUILD_FACTORY_TRAIN_H

#include "index/build/factory_parts.h"
#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"

#include <c_api/Index_c.h>

/* factory_train - the core becomes a trained index, with its transforms before it.
 * *index  freed, and replaced by another, where there is more to it than FAISS can be told; on failure it
 *         is of no use any more but to be freed.
 * rows    [n][dim]
 * Heap: the rows twice more where there are transforms; of the rows that codes are learnt from, as much
 * again; the index twice. What fails and what it costs: factory_index.h. */
status factory_train(const struct factory_parts *parts, FaissIndex **index, size_t n,
		     const float *rows, const struct deadline *deadline, struct arena *arena);

#endif
