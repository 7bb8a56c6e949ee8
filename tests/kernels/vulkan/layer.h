/* layer - between our code and the driver: counts what is made and moved, and fails the nth call.
 *
 * layer_install before a scanner is opened; it is then under every device that opens. Failing calls do
 * not reach the driver, but for vkWaitSemaphores: work is awaited before a device is lost for show.
 * One driver at a time. Safe from any thread.
 */
#ifndef SLUICE_TESTS_KERNELS_VULKAN_LAYER_H
#define SLUICE_TESTS_KERNELS_VULKAN_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <volk.h>

enum layer_kind {
	LAYER_DEVICE,
	LAYER_BUFFER,
	LAYER_MEMORY,
	LAYER_DESCRIPTOR_POOL,
	LAYER_SET_LAYOUT,
	LAYER_PIPELINE_LAYOUT,
	LAYER_PIPELINE_CACHE,
	LAYER_SHADER,
	LAYER_PIPELINE,
	LAYER_COMMAND_POOL,
	LAYER_SEMAPHORE,
	LAYER_KINDS,
};

/* layer_install - everything counted so far is forgotten, nothing fails. */
void layer_install(void);

/* layer_fail - the call after the next n fails with the result, one time. layer_fail_never - none.
 * layer_has_failed - whether it has. */
void layer_fail(int64_t n, VkResult result);
void layer_fail_never(void);
bool layer_has_failed(void);

/* layer_stick - from now on no wait ends by itself, or again as the driver says. */
void layer_stick(bool stuck);

/* layer_alive - objects of a kind that are there. layer_is_empty - of no kind is there any; says which
 * on standard error. */
int64_t layer_alive(enum layer_kind kind);
bool layer_is_empty(void);

/* What was recorded since layer_install or layer_plan_clear. */
struct layer_plan {
	uint64_t submits, dispatches;
	uint64_t workgroups;
	uint64_t copied_bytes; /* by vkCmdCopyBuffer */
	uint64_t looks;        /* waits that do not sleep */
};

void layer_plan_clear(void);
struct layer_plan layer_plan(void);

#endif
