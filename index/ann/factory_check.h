/* factory_check - which of FAISS's factory strings an index is made of here.
 *
 * A string that comes from a client would be dangerous in FAISS's hands: "PQ0" divides by zero, and
 * "IVF2000000000,Flat" allocates. So each is read by a grammar of our own first, with a limit for
 * every number; what it does not know is refused.
 *
 *	factory    transform* core [",RFlat" | ",Refine(" code ")"]
 *	transform  PCA[W][R]n "," | OPQm[_n] "," | RR[n] "," | ITQ[n] "," | L2norm "," | Padn ","
 *	core       code | HNSWm ["," code] | IVFn[_HNSWm] "," code
 *	code       Flat | SQ4 | SQ6 | SQ8 | SQfp16 | PQm[xbits][np] | PQmx4fs[r][_block]
 * where a graph's PQ has no bits, and r stands with lists only. What it lets pass FAISS makes.
 */
#ifndef SLUICE_INDEX_ANN_FACTORY_CHECK_H
#define SLUICE_INDEX_ANN_FACTORY_CHECK_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "kernels/metric.h"

#include <stdint.h>

#define FACTORY_LISTS_MAX 16384
#define FACTORY_LINKS_MAX 128

/* factory_traits - what follows from a string. */
struct factory_traits {
	uint32_t lists;     /* 0: no IVF */
	uint32_t links;     /* of the HNSW that it is; 0: it is none */
	uint32_t centroids; /* the most that one k-means has */
	uint32_t rows_min;  /* fewer are no base to train it on: they are scanned */
};

/* factory_parse - by the grammar alone, in no time.
 * Fails: INVALID_ARGUMENT, with the part that is not understood */
status factory_parse(const char *factory, uint32_t dim, struct arena *arena,
		     struct factory_traits *ret);

/* factory_check - whether collections can be made of it: by the grammar, and then by FAISS, which
 * makes an empty one: in milliseconds, and at most some 100 MB for a moment.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status factory_check(const char *factory, uint32_t dim, enum metric metric, struct arena *arena);

#endif
