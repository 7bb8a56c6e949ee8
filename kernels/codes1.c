/* codes1 - see the header. */
#include "kernels/codes1.h"

#include "kernels/codes8_round.h"

#include <string.h>

#define ZERO_CODE 128

static const unsigned char *row_codes(const struct codes8_shape *shape, const unsigned char *block,
				      uint32_t row)
{
	return block + shape->codes_offset + 4 * row;
}

/* The i-th code of a row. */
static int code_at(const unsigned char *codes, size_t i)
{
	return codes[i / 4 * 4 * CODES8_ROWS + i % 4] - ZERO_CODE;
}

static void row_thin(const struct codes8_shape *shape, const unsigned char *block, uint32_t row,
		     struct codes8_sides *sides, uint32_t *words)
{
	const unsigned char *codes = row_codes(shape, block, row);
	double scale = (double)codes8_half_float(sides->scale[row]), n = shape->head, mean, left;
	int64_t sum = 0, squares = 0;

	for (size_t i = 0; i < shape->head; i++) {
		int code = code_at(codes, i);

		sum += code < 0 ? -code : code;
		squares += code * code;
		words[i / 32 * CODES8_ROWS + row] |= (uint32_t)(code >= 0) << i % 32;
	}
	sides->scale[row] = codes8_half_up(scale * (double)sum / n);
	mean = (double)codes8_half_float(sides->scale[row]);
	/* Not negative but for rounding. */
	left = scale * scale * (double)squares - 2 * scale * mean * (double)sum + mean * mean * n;
	left = sqrt(left > 0 ? left : 0) + 0x1p-24 * scale * sqrt((double)squares);
	sides->residual[row] = codes8_half_up(
		((double)codes8_half_float(sides->residual[row]) + left) * CODES8_NORM_UP);
	sides->norm[row] = codes8_half_up(mean * sqrt(n) * CODES8_NORM_UP);
}

void codes1_thin(const struct codes8_shape *shape, const unsigned char *block, unsigned char *ret)
{
	struct codes8_sides *sides = (struct codes8_sides *)(void *)ret;
	uint32_t *words = (uint32_t *)(void *)(ret + shape->codes_offset);

	memcpy(ret, block, shape->codes_offset);
	memset(words, 0, codes1_block_bytes(shape) - shape->codes_offset);
	for (uint32_t row = 0; row < CODES8_ROWS; row++)
		row_thin(shape, block, row, sides, words);
}

int32_t codes1_planes(const struct codes8_query *query, uint32_t *ret)
{
	int32_t sum = 0;

	memset(ret, 0, (size_t)codes1_words(&query->shape) * CODES1_PLANES * sizeof *ret);
	for (size_t i = 0; i < query->shape.head; i++) {
		uint32_t code = (uint8_t)query->head.codes[i];

		sum += query->head.codes[i];
		for (size_t plane = 0; plane < CODES1_PLANES; plane++)
			ret[i / 32 * CODES1_PLANES + plane] |= (code >> plane & 1) << i % 32;
	}
	return sum;
}

static int32_t signs_dot(const struct codes1_scan *scan, const uint32_t *words, uint32_t row)
{
	int32_t dot = 0;

	for (size_t word = 0; word < codes1_words(&scan->query->shape); word++) {
		const uint32_t *planes = scan->planes + word * CODES1_PLANES;
		uint32_t signs = words[word * CODES8_ROWS + row];

		for (size_t plane = 0; plane < CODES1_PLANES - 1; plane++)
			dot += __builtin_popcount(signs & planes[plane]) << plane;
		dot -= __builtin_popcount(signs & planes[CODES1_PLANES - 1]) << (CODES1_PLANES - 1);
	}
	return 2 * dot - scan->sum;
}

static void row_bounds(const struct codes1_scan *scan, uint32_t place, float *ret_upper,
		       float *ret_lower)
{
	const struct codes8_query *query = scan->query;
	const unsigned char *block =
		scan->blocks + place / CODES8_ROWS * codes1_block_bytes(&query->shape);
	const struct codes8_sides *sides = (const struct codes8_sides *)(const void *)block;
	const float *squares = (const float *)(const void *)(sides + 1);
	const uint32_t *words = (const uint32_t *)(const void *)(block + query->shape.codes_offset);
	uint32_t row = place % CODES8_ROWS;
	float middle = ((float)signs_dot(scan, words, row) * codes8_half_float(sides->scale[row])) *
		       query->head.scale;
	float slack = (query->on_residual * codes8_half_float(sides->residual[row]) +
		       query->on_norm * codes8_half_float(sides->norm[row])) +
		      query->on_rest_head * codes8_half_float(sides->rest[row]);

	if (query->shape.metric == METRIC_L2) {
		middle -= query->qq + squares[row];
		slack += query->on_square * squares[row];
	}
	slack += query->absolute;
	*ret_upper = isfinite(middle + slack) ? middle + slack : INFINITY;
	*ret_lower = isfinite(middle - slack) ? middle - slack : -INFINITY;
}

void codes1_bounds(const struct codes1_scan *scan, float *ret_upper, float *ret_lower)
{
	for (uint32_t i = 0; i < scan->n; i++)
		row_bounds(scan, scan->first + i, &ret_upper[i], &ret_lower[i]);
}
