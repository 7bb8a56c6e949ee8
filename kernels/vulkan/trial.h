/* trial - codes that are made up, a query for them, and how long scans of them take. */
#ifndef SLUICE_KERNELS_VULKAN_TRIAL_H
#define SLUICE_KERNELS_VULKAN_TRIAL_H

#include "kernels/cpu/codes8_scanner.h"
#include "kernels/vulkan/copy.h"

#define TRIAL_DIM 384
#define TRIAL_WIDTH 100

struct trial {
	struct codes8 codes; /* all in the head */
	struct codes8_seat seat;
	struct codes8_query query;
	struct arena arena;
	unsigned char *heads; /* owned */
	struct window window; /* of TRIAL_WIDTH */
};

/* A scan of the first n rows, by a device. */
struct trial_scan {
	struct vulkan_copy *copy; /* of the trial's codes */
	uint32_t n;
	size_t n_queries;  /* all the same */
	bool is_scan_only; /* as of scan8_part */
};

/* trial_init - ret must be finished also after a failure. Fails: RESOURCE_EXHAUSTED */
status trial_init(struct trial *ret, uint32_t rows);
void trial_finish(struct trial *trial);

/* trial_device_time, trial_processor_time - the least of so many scans, in nanoseconds; the device's
 * first, which makes kernels and buffers, is not counted. The processor's is of all rows for one query,
 * on one thread.
 * Fails: as scan8_run */
status trial_device_time(const struct trial *trial, const struct trial_scan *scan, int repeats,
			 const struct deadline *deadline, double *ret_ns);
status trial_processor_time(struct trial *trial, int repeats, const struct deadline *deadline,
			    double *ret_ns);

SCOPE_DEFINE(trial, trial_finish)

#endif
