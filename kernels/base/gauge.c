/* gauge - one counter for each kind of object. */
#include "kernels/base/gauge.h"

#include <assert.h>
#include <stdatomic.h>

static _Atomic int64_t counts[GAUGE_N];

void gauge_add(enum gauge gauge, int64_t delta)
{
	assert((unsigned)gauge < GAUGE_N);
	atomic_fetch_add_explicit(&counts[gauge], delta, memory_order_relaxed);
}

int64_t gauge_read(enum gauge gauge)
{
	assert((unsigned)gauge < GAUGE_N);
	return atomic_load_explicit(&counts[gauge], memory_order_relaxed);
}

const char *gauge_name(enum gauge gauge)
{
	static const char *const names[GAUGE_N] = {
		[GAUGE_CALLS] = "calls",         [GAUGE_CURSORS] = "cursors",
		[GAUGE_SNAPSHOTS] = "snapshots", [GAUGE_GPU_OBJECTS] = "gpu_objects",
		[GAUGE_WRITES] = "writes",
	};

	assert((unsigned)gauge < GAUGE_N);
	return names[gauge];
}
