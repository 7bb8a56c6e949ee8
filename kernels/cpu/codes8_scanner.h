/* codes8_scanner - codes of codes8.h in, candidates with proven bounds out: on the processor.
 *
 * The contract is scanner.h's, over codes instead of floats. A row's bounds are the same bits in
 * every kernel, so what is proposed is the same too. The upper bound of a row is the lesser of its
 * head bound and its full bound; one that is not finite is +inf (lower: -inf).
 * Scanners are constants, without state, and safe from any thread.
 */
#ifndef SLUICE_KERNELS_CPU_CODES8_SCANNER_H
#define SLUICE_KERNELS_CPU_CODES8_SCANNER_H

#include "kernels/base/deadline.h"
#include "kernels/base/status.h"
#include "kernels/codes8.h"
#include "kernels/window.h"

#include <stdint.h>

enum codes8_isa { CODES8_BEST, CODES8_PORTABLE, CODES8_AVX2, CODES8_VNNI };

struct codes8_kernel; /* see codes8_kernel.h: a name is all that others need */

/* codes8_scanner - the kernel for a set of instructions; NULL where this processor lacks it.
 * CODES8_BEST and CODES8_PORTABLE are always there. */
const struct codes8_kernel *codes8_scanner(enum codes8_isa isa);

/* codes8_scanner_name - "cpu:vnni" and the like, for Summary.backend. */
const char *codes8_scanner_name(const struct codes8_kernel *scanner);

/* codes8_range - rows first .. first + n of some codes. Any first: lists begin where they do. */
struct codes8_range {
	const struct codes8 *codes;
	uint32_t first, n;
	uint64_t row_base;       /* a row's number in keys is row_base + its place in the codes */
	const uint64_t *visible; /* bit place - first, [(n + 63) / 64]; NULL: all rows */
};

/* codes8_probe - one query of a scan. */
struct codes8_probe {
	const struct codes8_query *query; /* of the codes' shape and rotation */
	struct window *window;            /* not sealed */
	uint64_t tails_read;              /* the scan adds to it */
};

#define CODES8_PROBES_MAX 8

/* codes8_propose - the rows of the range, as bound keys, into the window of each probe: every
 * visible row that is not offered has a bound key not before the window's threshold. A block is
 * read once for all probes. 1 <= n_probes <= CODES8_PROBES_MAX.
 * Looks at the deadline about every SCAN_STEP_BYTES of codes; leaves behind what it had proposed.
 * Fails: DEADLINE_EXCEEDED CANCELLED */
status codes8_propose(const struct codes8_kernel *scanner, struct codes8_probe *probes,
		      size_t n_probes, const struct codes8_range *range,
		      const struct deadline *deadline);

/* codes8_propose_together - the same for searches that each may end for itself.
 * deadlines  [n_probes] a probe whose deadline has passed is left alone from there on.
 * ret        [n_probes] why it was, or OK. */
void codes8_propose_together(const struct codes8_kernel *scanner, struct codes8_probe *probes,
			     size_t n_probes, const struct codes8_range *range,
			     const struct deadline *const *deadlines, status *ret);

/* Where bounds go: both [range->n]. */
struct codes8_bounds_out {
	float *upper, *lower;
};

/* codes8_bounds - both bounds of every row of the range, visible or not. Reads all tails.
 * Fails: DEADLINE_EXCEEDED CANCELLED */
status codes8_bounds(const struct codes8_kernel *scanner, const struct codes8_query *query,
		     const struct codes8_range *range, const struct deadline *deadline,
		     struct codes8_bounds_out out);

#endif
