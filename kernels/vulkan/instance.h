/* instance - the one Vulkan instance of the process, shared by all scanners.
 *
 * volk keeps the instance's functions in globals, so they are loaded only while nobody uses them:
 * at the first acquire. The last release destroys the instance, and with it what the drivers hold.
 */
#ifndef SLUICE_KERNELS_VULKAN_INSTANCE_H
#define SLUICE_KERNELS_VULKAN_INSTANCE_H

#include "kernels/base/status.h"

#include <volk.h>

/* instance_acquire - Fails: UNAVAILABLE (no loader, no driver) RESOURCE_EXHAUSTED */
status instance_acquire(VkInstance *ret);

/* instance_release - once for each acquire. */
void instance_release(void);

#endif
