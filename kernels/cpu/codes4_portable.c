/* codes4_portable - whatever the compiler makes of plain C. */
#include "kernels/cpu/codes4_kernel.h"

#include "kernels/cpu/codes4_tables.h"

#include <string.h>

/* Adds the levels of the pairs from .. end. */
static void pairs_add(const struct codes4_query *query, const unsigned char *block, size_t from,
		      size_t end, uint16_t *ret)
{
	const uint8_t *table = query->tables + 2UL * CODES4_WORDS * from;

	block += from * CODES4_ROWS;
	for (size_t i = from; i < end; i++, table += 2UL * CODES4_WORDS) {
		for (size_t row = 0; row < CODES4_ROWS; row++, block++)
			ret[row] = (uint16_t)(ret[row] + table[*block % CODES4_WORDS] +
					      table[CODES4_WORDS + *block / CODES4_WORDS]);
	}
}

static uint32_t rows_above(const uint16_t *sums, int16_t above)
{
	uint32_t rows = 0;

	for (size_t row = 0; row < CODES4_ROWS; row++)
		rows |= (uint32_t)(sums[row] > above) << row;
	return rows;
}

static uint32_t block_sum(const struct codes4_query *query, const unsigned char *block,
			  struct codes4_bar bar, uint16_t *ret)
{
	uint32_t rows = UINT32_MAX;

	memset(ret, 0, CODES4_ROWS * sizeof *ret);
	pairs_add(query, block, 0, bar.first, ret);
	if (bar.first > 0)
		rows = rows_above(ret, bar.above_first);
	if (!rows)
		return 0;
	pairs_add(query, block, bar.first, query->groups / 2, ret);
	return rows & rows_above(ret, bar.above);
}

static uint64_t sums(const struct codes4_query *query, const unsigned char *block, size_t n,
		     struct codes4_bar bar, uint16_t *ret)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	uint64_t rows = 0;

	for (size_t i = 0; i < n; i++)
		rows |= (uint64_t)block_sum(query, block + i * block_bytes, bar,
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
