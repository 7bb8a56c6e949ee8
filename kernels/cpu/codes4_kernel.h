/* codes4_kernel - what the files for instruction sets give: sums of levels, and a query's tables.
 *
 * All give the same bits: sums are of whole numbers, and the few float operations are done in one
 * order and never contracted (-ffp-contract=off).
 */
#ifndef SLUICE_KERNELS_CPU_CODES4_KERNEL_H
#define SLUICE_KERNELS_CPU_CODES4_KERNEL_H

#include "kernels/codes4.h"

#include <stddef.h>
#include <stdint.h>

/* The sum of the least products of all groups, and the largest distance in one from the least. */
struct codes4_span {
	double bias;
	float range;
};

/* What a row's sum has to be above; and before that, unless first is 0, what its sum over so many first
 * pairs of groups has to be above. first  even. */
struct codes4_bar {
	int16_t above, above_first;
	uint32_t first;
};

struct codes4_kernel {
	const char *name;
	/* n blocks, 1 or 2. Bit i of the result: row i is above the bar.
	 * ret [n][CODES4_ROWS] is filled for blocks where any bit is set. */
	uint64_t (*sums)(const struct codes4_query *query, const unsigned char *block, size_t n,
			 struct codes4_bar bar, uint16_t *ret);
	/* The products of the rotation's rows with the query. query  [codes4_stride(dim)], of a
	 * length up to CODES4_ONE but for rounding: no partial sum leaves 32 bits. ret  [kept] */
	void (*rotate)(const struct codes4_model *model, const int16_t *query, int32_t *ret);
	/* Each group's products with its codewords, less the least of them: ret [groups][16]. */
	struct codes4_span (*products)(const struct codes4_model *model, const float *rotated,
				       float *ret);
	/* n products, n a multiple of 16, times inverse and rounded: below CODES4_LEVELS. */
	void (*levels)(const float *products, size_t n, float inverse, uint8_t *ret);
};

extern const struct codes4_kernel codes4_kernel_portable, codes4_kernel_avx2, codes4_kernel_avx512;

/* codes4_query_make - codes4_query_init by a kernel of choice: they give the same tables. */
status codes4_query_make(const struct codes4_kernel *kernel, struct codes4_query *ret,
			 struct arena *arena, const struct codes4_model *model, const float *query);

#endif
