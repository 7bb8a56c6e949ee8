/* cost - whether a scan is worth sending to the device.
 *
 * A submission costs the same however little it does; a processor's scan of few rows is over before
 * that. Both are measured when a device is opened, in at most COST_MEASURE_NS besides the making of
 * kernels, on codes that are made up; where the time does not do, careful numbers are assumed.
 */
#ifndef SLUICE_KERNELS_VULKAN_COST_H
#define SLUICE_KERNELS_VULKAN_COST_H

#include "kernels/vulkan/copy.h"

#define COST_MEASURE_NS ((int64_t)200000000)

struct cost {
	double submit_ns;           /* a scan of next to nothing */
	double device_bytes_per_ns; /* of codes or vectors, for any number of queries up to eight */
	double processor_bytes_per_ns; /* on one thread, for one query */
	uint64_t bytes_min;            /* not 0: decides alone; so many bytes are the device's */
};

/* cost_assumed - what is taken for true before, and instead of, measuring. */
struct cost cost_assumed(void);

/* cost_measure - ret is left as it is where there is no time or memory for it.
 * deadline  of the measuring itself. */
void cost_measure(struct vulkan_runtime *runtime, const struct deadline *deadline,
		  struct cost *ret);

/* cost_favours_device - for n queries over so many bytes. */
bool cost_favours_device(const struct cost *cost, uint64_t bytes, size_t n_queries);

/* cost_break_even - the least bytes that are the device's for one query; UINT64_MAX: never. */
uint64_t cost_break_even(const struct cost *cost);

#endif
