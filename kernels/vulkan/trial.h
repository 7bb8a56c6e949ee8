/* trial - codes that are made up, and a query for them: to measure with. */
#ifndef SLUICE_KERNELS_VULKAN_TRIAL_H
#define SLUICE_KERNELS_VULKAN_TRIAL_H

#include "kernels/cpu/codes8_scanner.h"
#include "kernels/scanner.h"

#define TRIAL_DIM 384

struct trial {
	struct codes8 codes; /* all in the head */
	struct codes8_seat seat;
	struct codes8_query query;
	struct arena arena;
	unsigned char *heads; /* owned */
	struct window window; /* of 64 */
};

/* trial_init - ret must be finished also after a failure. Fails: RESOURCE_EXHAUSTED */
status trial_init(struct trial *ret, uint32_t rows);
void trial_finish(struct trial *trial);

SCOPE_DEFINE(trial, trial_finish)

#endif
