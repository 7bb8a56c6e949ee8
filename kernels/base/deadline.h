/* deadline - until when a piece of work is wanted, and whether it still is.
 *
 * Long work calls deadline_check once a batch (see SCAN_STEP_BYTES) and stops with its status.
 * The flag may be set from any thread at any time; it is never cleared.
 */
#ifndef SLUICE_KERNELS_BASE_DEADLINE_H
#define SLUICE_KERNELS_BASE_DEADLINE_H

#include "kernels/base/status.h"

#include <stdatomic.h>
#include <stdint.h>

#define DEADLINE_NEVER INT64_MAX

struct deadline {
	int64_t at_ns;         /* on clock_ns; DEADLINE_NEVER: none */
	atomic_bool cancelled; /* nobody waits for the result any more */
};

/* clock_ns - CLOCK_MONOTONIC in nanoseconds. */
int64_t clock_ns(void);

static inline void deadline_init(struct deadline *deadline, int64_t at_ns)
{
	deadline->at_ns = at_ns;
	atomic_init(&deadline->cancelled, false);
}

static inline void deadline_cancel(struct deadline *deadline)
{
	atomic_store_explicit(&deadline->cancelled, true, memory_order_release);
}

/* deadline_check - OK while the work is wanted. NULL: always wanted.
 * Fails: CANCELLED DEADLINE_EXCEEDED */
status deadline_check(const struct deadline *deadline);

#endif
