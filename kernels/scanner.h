/* scanner - the contract: rows of codes in, candidates with proven bounds out.
 *
 * A scanner only proposes. Each row gets an upper and a lower bound on its exact score (score.h),
 * and what is sent to a client is scored exactly, so the processor that scans cannot change an
 * answer. scanner_cpu is the reference; any other must give bounds that hold.
 *
 * Bounds of a float32 scan (upper = a + slack, lower = a - slack, all in float):
 *   s   the sum of q[i] * x[i] in float, in any order and rounding: |s - q.x| <= gamma |q| |x|
 *       with gamma = 1.01 (dim + 2) 2^-23
 *   INNER_PRODUCT, COSINE:
 *	a = s              slack = slack_norm * norm + slack_abs
 *   L2:
 *	a = 2 s - qq - xx  slack = slack_norm * norm + slack_xx * xx + slack_abs
 *   with norm = |x| rounded up, xx = |x|^2 and qq = |q|^2 rounded to nearest.
 * The coefficients (scan_query_init) carry a pad of 2^-20 of the sum of the magnitudes of the
 * terms, which covers the float arithmetic of this very formula in any order and the one rounding
 * of the exact score; and, since denormals may be flushed, an absolute (dim + 2) 2^-120 and
 * 2^-124 sqrt(dim) (|q| + |x|), doubled for L2 (a flushed q[i] loses 2^-126 |x[i]|, and the other
 * way round). A query so long that a sum could leave float (2^66; L2: 2^62) has an infinite
 * slack_abs. A bound that is not finite counts as +inf (upper) or -inf (lower): such a row comes
 * first and is scored exactly.
 */
#ifndef SLUICE_KERNELS_SCANNER_H
#define SLUICE_KERNELS_SCANNER_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"
#include "kernels/metric.h"
#include "kernels/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A vector's stride in floats: the dimension rounded up to this, the rest zeros. Rows begin at
 * multiples of 64 bytes. */
#define SCAN_STRIDE_FLOATS 16

static inline size_t scan_stride(uint32_t dim)
{
	return ((size_t)dim + SCAN_STRIDE_FLOATS - 1) / SCAN_STRIDE_FLOATS * SCAN_STRIDE_FLOATS;
}

/* A scanner looks at the deadline at least once for so many bytes of vectors: about 0.1 ms. */
#define SCAN_STEP_BYTES ((size_t)1 << 20)

/* scan_block - rows side by side, as a head block or a segment keeps them. Borrowed. Rows below n
 * never change; rows may be added behind n while a scan runs. The address of the struct is the
 * identity of the block: a device scanner keeps its copy under `copy`. */
struct scan_block {
	const float *vectors; /* [capacity][stride], 64-byte aligned */
	const float *norms;   /* [capacity] |x| rounded up */
	const float *squares; /* [capacity] |x|^2 rounded to nearest */
	size_t stride;        /* in floats */
	uint32_t capacity;    /* rows that there is room for, below 2^31 */
	void *copy;           /* a device scanner's; NULL: none yet. Only the scanner touches it */
};

/* scan_query - one query, prepared once and scanned many times. */
struct scan_query {
	const float *values; /* [stride] 64-byte aligned, zeros behind dim; the arena's */
	uint32_t dim;
	size_t stride;
	enum metric metric;
	float qq, slack_norm, slack_xx, slack_abs;
};

/* scan_query_init - query [dim], already of unit length under COSINE; copied into the arena.
 * Fails: RESOURCE_EXHAUSTED */
status scan_query_init(struct scan_query *ret, struct arena *arena, enum metric metric,
		       const float *query, uint32_t dim);

/* scan_row_norms - what scan_block keeps beside a vector. */
void scan_row_norms(const float *vector, uint32_t dim, float *ret_norm, float *ret_square);

/* scan_range - what to read: rows first .. first + n of a block. */
struct scan_range {
	struct scan_block *block;
	uint32_t first, n;
	uint64_t row_base;       /* a row's number in keys is row_base + its place in the block */
	const uint64_t *visible; /* bit place - first, [(n + 63) / 64]; NULL: all rows */
};

struct scanner;

struct scanner_ops {
	/* The rows of the range, as bound keys, into the window (not sealed). Every visible row
	 * that is not offered has a bound key not before the window's threshold, or is covered by
	 * window_complete_to. */
	status (*propose)(struct scanner *self, const struct scan_query *query,
			  const struct scan_range *range, const struct deadline *deadline,
			  struct window *window);
	/* Both bounds of every row of the range, visible or not: ret_upper, ret_lower [n]. */
	status (*bounds)(struct scanner *self, const struct scan_query *query,
			 const struct scan_range *range, const struct deadline *deadline,
			 float *ret_upper, float *ret_lower);
	/* The block is going away: drop the copy. No scan of it is running. */
	void (*forget)(struct scanner *self, struct scan_block *block);
	void (*close)(struct scanner *self);
};

struct scanner {
	const struct scanner_ops *ops;
	const char *name; /* for Summary.backend: "cpu:avx512", "vulkan:llvmpipe" */
};

/* Both are safe from any thread, block until done or the deadline, and leave what they had written
 * behind when they fail.
 * Fails: DEADLINE_EXCEEDED CANCELLED RESOURCE_EXHAUSTED UNAVAILABLE (the device: ask another) */
static inline status scanner_propose(struct scanner *scanner, const struct scan_query *query,
				     const struct scan_range *range,
				     const struct deadline *deadline, struct window *window)
{
	return scanner->ops->propose(scanner, query, range, deadline, window);
}

static inline status scanner_bounds(struct scanner *scanner, const struct scan_query *query,
				    const struct scan_range *range, const struct deadline *deadline,
				    float *ret_upper, float *ret_lower)
{
	return scanner->ops->bounds(scanner, query, range, deadline, ret_upper, ret_lower);
}

static inline void scanner_forget(struct scanner *scanner, struct scan_block *block)
{
	if (block->copy)
		scanner->ops->forget(scanner, block);
}

static inline void scanner_close(struct scanner *scanner)
{
	if (scanner)
		scanner->ops->close(scanner);
}

SCOPE_DEFINE(scanner, scanner_close)

#endif
