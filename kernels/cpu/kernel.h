/* kernel - what the three files for instruction sets have in common: dot products, nothing else.
 *
 * Bounds, windows and deadlines are scan.c's and the same for all of them.
 */
#ifndef SLUICE_KERNELS_CPU_KERNEL_H
#define SLUICE_KERNELS_CPU_KERNEL_H

#include <stddef.h>

/* How far ahead of its loads a kernel asks for rows, in floats. With it short rows (64 to 128
 * floats) come from memory 1.5 times as fast, long ones a tenth faster; nothing read changes. */
#define PREFETCH_FLOATS 1024

/* The products of a query with n rows, in float, in any order and rounding.
 * query   [stride] 64-byte aligned; stride a multiple of SCAN_STRIDE_FLOATS, at least one.
 * rows    [n][stride] likewise. ret  [n]. */
typedef void dots_fn(const float *query, const float *rows, size_t stride, size_t n, float *ret);

dots_fn dots_portable, dots_avx2, dots_avx512;

#endif
