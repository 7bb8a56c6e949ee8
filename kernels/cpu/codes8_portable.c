/* codes8_portable - whatever the compiler makes of plain C. */
#include "kernels/cpu/codes8_kernel.h"

#include "kernels/codes8_round.h"

static uint32_t head(const struct codes8_query *query, const unsigned char *block, float threshold,
		     struct codes8_group *ret)
{
	const struct codes8_sides *sides = (const struct codes8_sides *)(const void *)block;
	const float *squares = (const float *)(const void *)(sides + 1);
	const unsigned char *codes = block + query->shape.codes_offset;
	uint32_t above = 0;

	for (size_t row = 0; row < CODES8_ROWS; row++)
		ret->dots[row] = query->head.bias;
	for (size_t i = 0; i < query->shape.head; i += 4) {
		for (size_t row = 0; row < CODES8_ROWS; row++, codes += 4) {
			for (size_t j = 0; j < 4; j++)
				ret->dots[row] += codes[j] * query->head.codes[i + j];
		}
	}
	for (size_t row = 0; row < CODES8_ROWS; row++) {
		float middle = ((float)ret->dots[row] * codes8_half_float(sides->scale[row])) *
			       query->head.scale;
		float slack = (query->on_residual * codes8_half_float(sides->residual[row]) +
			       query->on_norm * codes8_half_float(sides->norm[row])) +
			      query->on_rest_head * codes8_half_float(sides->rest[row]);

		if (query->shape.metric == METRIC_L2) {
			middle -= query->qq + squares[row];
			slack += query->on_square * squares[row];
		}
		ret->upper[row] = middle + (slack + query->absolute);
		above |= (uint32_t)!(ret->upper[row] < threshold) << row;
	}
	return above;
}

static int32_t tail(const struct codes8_query *query, const unsigned char *codes)
{
	int32_t dot = query->tail.bias;

	for (size_t i = 0; i < query->shape.tail; i++)
		dot += codes[i] * query->tail.codes[i];
	return dot;
}

const struct codes8_kernel codes8_kernel_portable = {"cpu:portable", head, tail};
