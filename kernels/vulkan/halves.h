/* halves - floats as a device may keep them, in half the room, and what that loses. */
#ifndef SLUICE_KERNELS_VULKAN_HALVES_H
#define SLUICE_KERNELS_VULKAN_HALVES_H

#include <stddef.h>
#include <stdint.h>

/* halves_fill - the nearest half to each of n values, none infinite. A nanosecond or two where the values
 * are halves already.
 * ret  [n]; only written to, as it may be what a device maps.
 * Gives a length that the difference does not exceed, where what is a denormal may also be taken for zero:
 * devices do. */
double halves_fill(const float *values, size_t n, uint16_t *ret);

#endif
