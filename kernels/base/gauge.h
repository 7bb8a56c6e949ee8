/* gauge - counts of objects alive, for the whole process.
 *
 * A scoped resource adds one when it opens and takes one when it closes; on an idle server every
 * gauge is zero, and tests assert so. Cheap enough to stay on: one relaxed atomic each.
 */
#ifndef SLUICE_KERNELS_BASE_GAUGE_H
#define SLUICE_KERNELS_BASE_GAUGE_H

#include <stdint.h>

enum gauge {
	GAUGE_CALLS,       /* rpc calls between accept and the end */
	GAUGE_CURSORS,     /* open cursors */
	GAUGE_SNAPSHOTS,   /* pinned snapshots */
	GAUGE_GPU_OBJECTS, /* Vulkan objects of searches in flight */
	GAUGE_WRITES,      /* batches handed to a writer and not yet answered */
	GAUGE_N,
};

void gauge_add(enum gauge gauge, int64_t delta);
int64_t gauge_read(enum gauge gauge);
const char *gauge_name(enum gauge gauge);

#endif
