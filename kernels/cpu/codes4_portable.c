/* codes4_portable - whatever the compiler makes of plain C. */
#include "kernels/cpu/codes4_kernel.h"

#include "kernels/cpu/codes4_tables.h"

#include <string.h>

static uint32_t block_sum(const struct codes4_query *query, const unsigned char *block,
			  int16_t above, uint16_t *ret)
{
	const uint8_t *table = query->tables;
	uint32_t rows = 0;

	memset(ret, 0, CODES4_ROWS * sizeof *ret);
	for (size_t i = 0; i < query->groups; i += 2, table += 2UL * CODES4_WORDS) {
		for (size_t row = 0; row < CODES4_ROWS; row++, block++)
			ret[row] = (uint16_t)(ret[row] + table[*block % CODES4_WORDS] +
					      table[CODES4_WORDS + *block / CODES4_WORDS]);
	}
	for (size_t row = 0; row < CODES4_ROWS; row++)
		rows |= (uint32_t)(ret[row] > above) << row;
	return rows;
}

static uint64_t sums(const struct codes4_query *query, const unsigned char *block, size_t n,
		     int16_t above, uint16_t *ret)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	uint64_t rows = 0;

	for (size_t i = 0; i < n; i++)
		rows |= (uint64_t)block_sum(query, block + i * block_bytes, above,
					    ret + i * CODES4_ROWS)
			<< i * CODES4_ROWS;
	return rows;
}

static void rotate(const struct codes4_model *model, const int16_t *query, int32_t *ret)
{
	const int16_t *row = model->rotation;
	size_t stride = codes4_stride(model->dim);

	for (size_t i = 0; i < model->kept; i++, row += stride) {
		int32_t sum = 0;

		for (size_t j = 0; j < stride; j++)
			sum += row[j] * query[j];
		ret[i] = sum;
	}
}

const struct codes4_kernel codes4_kernel_portable = {"cpu:portable", sums, rotate, codes4_products,
						     codes4_levels};
