/* batch_codes - searches of codes from any threads, brought to the device in the batches of batch.h.
 *
 * There is no thread for it: of those whose searches are in a batch the first one leads, which is to
 * submit, wait, and offer what came to everybody's windows. Whoever is cancelled or late leaves at once, but
 * for the moment in which the one who leads reads its query or writes its window; if it led, the next one goes
 * on where it was, with what the device is at.
 */
#ifndef SLUICE_KERNELS_VULKAN_BATCH_CODES_H
#define SLUICE_KERNELS_VULKAN_BATCH_CODES_H

#include "kernels/cpu/codes8_scanner.h"
#include "kernels/vulkan/batch.h"
#include "kernels/vulkan/submit.h"

struct batch_work;

/* batch_codes - the batches of a runtime. */
struct batch_codes {
	struct vulkan_runtime *runtime;
	pthread_mutex_t lock; /* before the runtime's, where both are held */
	struct batcher batcher;
	struct batch_work *works; /* [BATCHES], in step with the batcher's */
};

/* batch_codes_open - Fails: RESOURCE_EXHAUSTED */
status batch_codes_open(struct vulkan_runtime *runtime, struct batch_codes **ret);
void batch_codes_close(struct batch_codes *batches); /* no search is running; NULL is fine */

/* batch_codes_propose - as scanner_ops.propose_codes. range->n > 0.
 * Fails: CANCELLED DEADLINE_EXCEEDED UNAVAILABLE RESOURCE_EXHAUSTED */
status batch_codes_propose(struct batch_codes *batches, struct codes8_probe *probes,
			   size_t n_probes, const struct codes8_range *range,
			   const struct deadline *deadline);

#endif
