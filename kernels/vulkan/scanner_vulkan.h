/* scanner_vulkan - vectors and int8 codes on a GPU, through Vulkan 1.1 compute and volk.
 *
 * Copies of blocks live on the device, taken at first use and extended as blocks grow. Copies of
 * codes are made in the background once a scan has asked for them, and used from when they are there;
 * under SOFTWARE the scan waits. What does not fit stays on the processor: propose and bounds then
 * fail with UNAVAILABLE for it and the caller asks its CPU scanner. So they do when the device is
 * lost, until it has been opened anew; after three losses in ten minutes that waits as long.
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

struct gpu_options {
	enum gpu_mode mode;
	uint64_t memory_bytes_max;   /* copies take no more; 0: what the device has */
	const char *cache_directory; /* keeps compiled kernels in a file there; NULL: nowhere */
	/* Does the scans that cost less there (borrowed, besides the int8 kernels of the CPU), by what
	 * is measured when the device is opened. NULL: the device does all; so it does under SOFTWARE. */
	struct scanner *processor;
	bool waits_for_uploads;  /* scans do, for tests; always under SOFTWARE */
	uint64_t scan_bytes_min; /* so many bytes are the device's; 0: what was measured decides */
};

/* scanner_vulkan_open - picks a device and makes ready.
 * ret       NULL, with OK, where mode is OFF, or AUTO and no real GPU can be used.
 * ret_list  what was found, whatever the outcome; not filled under OFF.
 * Fails: UNAVAILABLE (REQUIRED or SOFTWARE and no such device; the detail says why each was
 * passed over, in the arena) RESOURCE_EXHAUSTED */
status scanner_vulkan_open(const struct gpu_options *options, struct arena *arena,
			   struct gpu_list *ret_list, struct scanner **ret);

/* scanner_vulkan_used_bytes - device memory that the copies take now. */
uint64_t scanner_vulkan_used_bytes(struct scanner *scanner);

#endif
