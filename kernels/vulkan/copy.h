/* copy - a block's rows on the device.
 *
 * Rows lie in chunks, a buffer each, which never move: a copy grows by further chunks, each as
 * large as all before it together, so scans go on while rows are added behind them.
 * A copy is counted: the block refers to it, and so does every scan and every slot that works with
 * it. The last one frees it, so a block may be forgotten while the device still reads.
 */
#ifndef SLUICE_KERNELS_VULKAN_COPY_H
#define SLUICE_KERNELS_VULKAN_COPY_H

#include "kernels/vulkan/submit.h"

/* The vectors of a chunk, and behind them its sides: norm and square of each row. */
struct vulkan_chunk {
	struct vulkan_chunk *next;
	uint32_t first, n; /* places in the block that there is room for */
	uint64_t sides_at; /* bytes */
	struct vulkan_buffer buffer;
	VkDescriptorPool descriptors;
	VkDescriptorSet set;
};

struct vulkan_copy {
	struct vulkan_runtime *runtime;
	struct scan_block *block; /* NULL: forgotten */

	/* Under the runtime's lock. */
	struct vulkan_copy *next;
	size_t references;
	uint32_t rows;   /* that are there */
	bool growing;    /* somebody is making room or uploading */
	bool is_refused; /* there was no memory for more rows */

	/* Its grower's. Others read a chunk's next only if rows behind the chunk are there. */
	struct vulkan_chunk *chunks, *last;
	uint32_t room; /* of all chunks */
};

/* copy_acquire - the block's copy, with the first n rows there: uploads what is missing, or waits
 * until another thread has.
 * Fails: CANCELLED DEADLINE_EXCEEDED RESOURCE_EXHAUSTED UNAVAILABLE (no room on the device) */
status copy_acquire(struct vulkan_runtime *runtime, struct scan_block *block, uint32_t n,
		    const struct deadline *deadline, struct vulkan_copy **ret);

/* copy_release - NULL is fine. copy_release_locked - under the runtime's lock. */
void copy_release(struct vulkan_copy *copy);
void copy_release_locked(struct vulkan_copy *copy);

/* copy_forget - takes the copy from its block. */
void copy_forget(struct vulkan_copy *copy);

/* copy_forget_all - of every block that still has one. No scan is running. */
void copy_forget_all(struct vulkan_runtime *runtime);

SCOPE_DEFINE(vulkan_copy, copy_release)

#endif
