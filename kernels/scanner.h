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

#include <stdatomic.h>
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
	bool is_half;         /* the values are halves: a device may keep them as such. Where some
			       * are not the bounds still hold, and are wider for it. */
	_Atomic(void *) copy; /* a device scanner's; NULL: none yet. Only the scanner touches it, */
	_Atomic(struct scanner *) scanner; /* and this: who has it */
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

/* scan_value_bytes - of a value, as a device keeps it. */
static inline size_t scan_value_bytes(const struct scan_block *block)
{
	return block->is_half ? sizeof(uint16_t) : sizeof(float);
}

/* scan_widen_norm - a row's norm for a scanner that reads x' instead of x, so that the same formula
 * bounds the score of x. residual  |x - x'|, rounded up. stride  of the block. */
float scan_widen_norm(float norm, double residual, size_t stride);

/* scan_range - what to read: rows first .. first + n of a block. */
struct scan_range {
	struct scan_block *block;
	uint32_t first, n;
	uint64_t row_base;       /* a row's number in keys is row_base + its place in the block */
	const uint64_t *visible; /* bit place - first, [(n + 63) / 64]; NULL: all rows */
};

/* scan_probe - one of several queries of the same range, all of one metric and dimension. */
struct scan_probe {
	const struct scan_query *query;
	struct window *window;
};

#define SCAN_PROBES_MAX 8

struct scanner;

/* codes8_seat - where a device's scanner keeps its copy of some codes (codes8.h): beside them, for as
 * long as they are there. All zero: there is none yet. Only the scanner touches it,
 * but for is_thin. */
struct codes8_seat {
	_Atomic(struct scanner *) scanner; /* who has a copy; NULL: nobody */
	void *copy;                        /* under the scanner's lock */
	/* Set by whoever has the codes, before the first scan: what is kept and scanned is their signs
	 * (codes1.h), in a sixth of the memory and with bounds that are far wider. */
	bool is_thin;
};

struct codes8_bounds_out;
struct codes8_probe;
struct codes8_query;
struct codes8_range;

struct scanner_ops {
	/* The rows of the range, as bound keys, into the window (not sealed). Every visible row
	 * that is not offered has a bound key not before the window's threshold, or is covered by
	 * window_complete_to. */
	status (*propose)(struct scanner *self, const struct scan_query *query,
			  const struct scan_range *range, const struct deadline *deadline,
			  struct window *window);
	/* As propose, for n_probes queries at once, 1 .. SCAN_PROBES_MAX: each row is read once for all.
	 * NULL: one is proposed after the other. */
	status (*propose_many)(struct scanner *self, const struct scan_probe *probes,
			       size_t n_probes, const struct scan_range *range,
			       const struct deadline *deadline);
	/* Both bounds of every row of the range, visible or not: ret_upper, ret_lower [n]. */
	status (*bounds)(struct scanner *self, const struct scan_query *query,
			 const struct scan_range *range, const struct deadline *deadline,
			 float *ret_upper, float *ret_lower);
	/* The block is going away: drop the copy. No scan of it is running. */
	void (*forget)(struct scanner *self, struct scan_block *block);
	/* As codes8_propose and codes8_bounds (cpu/codes8_scanner.h), of codes that have a seat;
	 * UNAVAILABLE also where their copy is not there yet. All three NULL: not served. */
	status (*propose_codes)(struct scanner *self, struct codes8_probe *probes, size_t n_probes,
				const struct codes8_range *range, const struct deadline *deadline);
	status (*bounds_codes)(struct scanner *self, const struct codes8_query *query,
			       const struct codes8_range *range, const struct deadline *deadline,
			       const struct codes8_bounds_out *out);
	/* The codes are going away, as forget. */
	void (*forget_codes)(struct scanner *self, struct codes8_seat *seat);
	void (*close)(struct scanner *self);
};

struct scanner {
	const struct scanner_ops *ops;
	const char *name; /* for Summary.backend: "cpu:avx512", "vulkan:llvmpipe" */
};

/* All are safe from any thread, block until done or the deadline, and leave what they had written
 * behind when they fail.
 * Fails: DEADLINE_EXCEEDED CANCELLED RESOURCE_EXHAUSTED UNAVAILABLE (the device: ask another) */
static inline status scanner_propose(struct scanner *scanner, const struct scan_query *query,
				     const struct scan_range *range,
				     const struct deadline *deadline, struct window *window)
{
	return scanner->ops->propose(scanner, query, range, deadline, window);
}

static inline status scanner_propose_many(struct scanner *scanner, const struct scan_probe *probes,
					  size_t n_probes, const struct scan_range *range,
					  const struct deadline *deadline)
{
	if (scanner->ops->propose_many)
		return scanner->ops->propose_many(scanner, probes, n_probes, range, deadline);
	for (size_t i = 0; i < n_probes; i++)
		TRY(scanner_propose(scanner, probes[i].query, range, deadline, probes[i].window));
	return status_ok();
}

static inline status scanner_bounds(struct scanner *scanner, const struct scan_query *query,
				    const struct scan_range *range, const struct deadline *deadline,
				    float *ret_upper, float *ret_lower)
{
	return scanner->ops->bounds(scanner, query, range, deadline, ret_upper, ret_lower);
}

static inline void scanner_forget(struct scanner *scanner, struct scan_block *block)
{
	if (atomic_load(&block->copy))
		scanner->ops->forget(scanner, block);
}

/* scan_block_close - as scanner_forget, by whoever does not know the scanner. */
static inline void scan_block_close(struct scan_block *block)
{
	struct scanner *scanner = atomic_load(&block->scanner);

	if (scanner)
		scanner_forget(scanner, block);
}

/* As the two above, over int8 codes: what a scanner does not serve it is UNAVAILABLE for, and so it is
 * for codes that it has no copy of, which asking it makes it take. */
static inline status scanner_propose_codes(struct scanner *scanner, struct codes8_probe *probes,
					   size_t n_probes, const struct codes8_range *range,
					   const struct deadline *deadline)
{
	if (!scanner->ops->propose_codes)
		return status_make(STATUS_UNAVAILABLE, "the scanner reads no codes");
	return scanner->ops->propose_codes(scanner, probes, n_probes, range, deadline);
}

static inline status scanner_bounds_codes(struct scanner *scanner, const struct codes8_query *query,
					  const struct codes8_range *range,
					  const struct deadline *deadline,
					  const struct codes8_bounds_out *out)
{
	if (!scanner->ops->bounds_codes)
		return status_make(STATUS_UNAVAILABLE, "the scanner reads no codes");
	return scanner->ops->bounds_codes(scanner, query, range, deadline, out);
}

/* codes8_seat_close - by whoever has the codes, before they go away; no scan of them is running. Not
 * while the scanner is closed. */
static inline void codes8_seat_close(struct codes8_seat *seat)
{
	struct scanner *scanner = atomic_load(&seat->scanner);

	if (scanner)
		scanner->ops->forget_codes(scanner, seat);
}

static inline void scanner_close(struct scanner *scanner)
{
	if (scanner)
		scanner->ops->close(scanner);
}

SCOPE_DEFINE(scanner, scanner_close)

#endif
