/* scanner_cpu - float32 codes on the processor, in the widest kernel that it has.
 *
 * Three kernels of one shape: AVX-512, AVX2 with FMA, portable C. Each is a file of its own, built
 * with its own flags; the choice is made once, at open. Memory-bound: AVX-512 is worth little over
 * AVX2 on vectors that come from memory.
 */
#ifndef SLUICE_KERNELS_CPU_SCANNER_CPU_H
#define SLUICE_KERNELS_CPU_SCANNER_CPU_H

#include "kernels/scanner.h"

enum cpu_kernel { CPU_KERNEL_BEST, CPU_KERNEL_PORTABLE, CPU_KERNEL_AVX2, CPU_KERNEL_AVX512 };

/* scanner_cpu_supported - whether this processor can run the kernel. */
bool scanner_cpu_supported(enum cpu_kernel kernel);

/* scanner_cpu_open - Fails: UNAVAILABLE where the processor lacks the kernel, RESOURCE_EXHAUSTED */
status scanner_cpu_open(enum cpu_kernel kernel, struct scanner **ret);

#endif
