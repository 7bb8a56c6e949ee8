/* faiss_calls - the calls of FAISS's C interface that may take long, one by one: how many there were, what
 * the longest took, and a deadline that is cancelled in the midst of one.
 *
 * Of one thread's calls at a time. Linked with FAISS_CALLS_LINKOPTS.
 */
#ifndef SLUICE_TESTS_INDEX_ANN_FAISS_CALLS_H
#define SLUICE_TESTS_INDEX_ANN_FAISS_CALLS_H

#include "kernels/base/deadline.h"

#include <stdbool.h>
#include <stdint.h>

enum faiss_call {
	FAISS_TRAIN,           /* an index */
	FAISS_TRAIN_TRANSFORM, /* a vector transform */
	FAISS_CLUSTER,
	FAISS_APPLY, /* a vector transform */
	FAISS_ASSIGN,
	FAISS_RESIDUALS,
	FAISS_ADD,
	FAISS_SEARCH,
	FAISS_READ,
	FAISS_WRITE,
	FAISS_CALLS,
};

/* faiss_call_name - "train" and the like. */
const char *faiss_call_name(enum faiss_call call);

struct faiss_calls {
	uint64_t n; /* of all kinds */
	/* Of each kind. */
	uint64_t counts[FAISS_CALLS];
	int64_t total_ns[FAISS_CALLS], longest_ns[FAISS_CALLS]; /* of the processor, all threads */
	uint64_t most_rows[FAISS_CALLS];

	/* For the caller to set. When the call of this number (the first is 1) has begun, the deadline
	 * is cancelled. */
	uint64_t cancel_at;
	struct deadline *cancel;
	/* Before an index that has rows is written. */
	void (*writes)(void *context, const void *index);
	void *context;
};

/* faiss_calls - what there was since the last reset. */
extern struct faiss_calls faiss_calls;

/* faiss_calls_reset - all zeros. */
void faiss_calls_reset(void);

/* What a program does to the index that is written, uncounted, each ends the program where FAISS fails:
 * faiss_calls_set - a parameter, "nprobe" for one; false: it has no such thing.
 * faiss_calls_search - on one thread; ret [k], -1 behind the last. */
bool faiss_calls_set(const void *index, const char *name, double value);
void faiss_calls_search(const void *index, const float *query, int64_t k, int64_t *ret);

#endif
