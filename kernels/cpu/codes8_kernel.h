/* codes8_kernel - what the files for instruction sets give: sixteen head bounds, one tail product.
 *
 * All give the same bits: products are whole numbers, and the few float operations of a bound are
 * done in one order and never contracted (-ffp-contract=off).
 */
#ifndef SLUICE_KERNELS_CPU_CODES8_KERNEL_H
#define SLUICE_KERNELS_CPU_CODES8_KERNEL_H

#include "kernels/codes8.h"

#include <stdint.h>

/* How far ahead of its loads a kernel asks for codes. A prefetch never faults. */
#define CODES8_PREFETCH_BYTES 4096

/* Sixteen rows: the products of their heads, and their upper bounds by the head alone, not yet
 * made infinite where they are not finite. */
struct codes8_group {
	_Alignas(64) int32_t dots[CODES8_ROWS];
	_Alignas(64) float upper[CODES8_ROWS];
};

struct codes8_kernel {
	const char *name;
	/* Bit i of the result: the upper bound of row i is not below threshold. ret is filled
	 * where any bit is set. */
	uint32_t (*head)(const struct codes8_query *query, const unsigned char *block,
			 float threshold, struct codes8_group *ret);
	/* C.c of a tail. codes  [query->shape.tail] */
	int32_t (*tail)(const struct codes8_query *query, const unsigned char *codes);
};

extern const struct codes8_kernel codes8_kernel_portable, codes8_kernel_avx2, codes8_kernel_vnni;

#endif
