/* scanner_vulkan - float32 codes on a GPU, through Vulkan 1.1 compute and volk.
 *
 * Copies of blocks live on the device, taken at first use and extended as blocks grow; a block that
 * does not fit stays on the processor: propose and bounds then fail with UNAVAILABLE for it and the
 * caller asks its CPU scanner. A lost device fails with UNAVAILABLE from then on.
 * Its own device table (struct VolkDeviceTable), so that two devices can live in one process.
 */
#ifndef SLUICE_KERNELS_VULKAN_SCANNER_VULKAN_H
#define SLUICE_KERNELS_VULKAN_SCANNER_VULKAN_H

#include "kernels/scanner.h"

enum gpu_mode {
	GPU_AUTO,     /* a real GPU where there is one; none is no error */
	GPU_OFF,      /* never */
	GPU_REQUIRED, /* a real GPU or fail */
	GPU_SOFTWARE, /* a device of type CPU (lavapipe), for tests; or fail */
};

#define GPU_DEVICES_MAX 16

/* gpu_device - one physical device, and why it is used or not. */
struct gpu_device {
	char name[256];
	char driver[256];
	uint64_t memory_bytes;
	bool in_use;
	char reason[128]; /* why not, where in_use is false */
};

struct gpu_list {
	struct gpu_device devices[GPU_DEVICES_MAX];
	size_t n;
};

/* scanner_vulkan_open - picks a device and makes ready.
 * ret       NULL, with OK, where mode is OFF, or AUTO and no real GPU can be used.
 * ret_list  what was found, whatever the outcome; not filled under OFF.
 * Fails: UNAVAILABLE (REQUIRED or SOFTWARE and no such device; the detail says why each was
 * passed over, in the arena) RESOURCE_EXHAUSTED */
status scanner_vulkan_open(enum gpu_mode mode, struct arena *arena, struct gpu_list *ret_list,
			   struct scanner **ret);

/* scanner_vulkan_limit - what the copies may take at most, besides what the device has. Before the
 * first scan. */
void scanner_vulkan_limit(struct scanner *scanner, uint64_t memory_bytes_max);

/* scanner_vulkan_used_bytes - device memory that the copies take now. */
uint64_t scanner_vulkan_used_bytes(struct scanner *scanner);

#endif
