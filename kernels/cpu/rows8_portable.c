/* rows8_portable - whatever the compiler makes of plain C. */
#include "kernels/cpu/rows8_kernel.h"

#include <string.h>

/* Over the whole row: where it has its sides the query has zeros. */
static int32_t dot(const struct rows8_query *query, const unsigned char *row)
{
	const int8_t *codes = (const int8_t *)row;
	size_t n = rows8_bytes(query->dim);
	int32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += codes[i] * query->codes[i];
	return sum;
}

static void bounds(const struct rows8_query *query, const struct rows8_wanted *wanted)
{
	for (uint32_t i = 0; i < wanted->n; i++) {
		const unsigned char *row =
			wanted->rows + wanted->positions[i] * rows8_bytes(query->dim);
		struct rows8_sides sides;
		float middle, slack;

		memcpy(&sides, row, sizeof sides);
		middle = ((float)dot(query, row) * sides.scale) * query->scale;
		slack = query->on_residual * sides.residual + query->on_norm * sides.norm;
		if (query->metric == METRIC_L2) {
			middle -= query->qq + sides.square;
			slack += query->on_square * sides.square;
		}
		slack += query->absolute;
		wanted->upper[i] = middle + slack;
		if (wanted->lower)
			wanted->lower[i] = middle - slack;
	}
}

static void products(const struct rows8_query *query, float scale, const unsigned char *rows,
		     uint32_t n, float *ret)
{
	size_t stride = rows8_bytes(query->dim);

	for (uint32_t i = 0; i < n; i++, rows += stride) {
		struct rows8_sides sides;

		memcpy(&sides, rows, sizeof sides);
		ret[i] = ((float)dot(query, rows) * sides.scale) * scale;
	}
}

const struct rows8_kernel rows8_kernel_portable = {bounds, products};
