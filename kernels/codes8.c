/* codes8 - vectors to blocks of codes. */
#include "kernels/codes8.h"

#include "kernels/codes8_round.h"
#include "kernels/score.h"

#include <assert.h>
#include <stdlib.h>

#define TAIL_STEP 64
#define ZERO_CODE 128

static uint32_t round_to(uint32_t n, uint32_t step)
{
	return (n + step - 1) / step * step;
}

void codes8_shape_init(struct codes8_shape *ret, enum metric metric, uint32_t dim, uint32_t head)
{
	assert(dim >= 1 && dim <= DIMENSION_MAX && head % CODES8_HEAD_STEP == 0);
	*ret = (struct codes8_shape){.metric = metric, .dim = dim};
	if (head == 0 || head >= dim) {
		ret->head = round_to(dim, 4);
	} else {
		ret->head = head;
		ret->tail = round_to(dim - head, TAIL_STEP);
		ret->tail_bytes = 2 * sizeof(float) + ret->tail;
	}
	ret->codes_offset = sizeof(struct codes8_sides);
	if (metric == METRIC_L2)
		ret->codes_offset += CODES8_ROWS * sizeof(float);
	ret->block_bytes = ret->codes_offset + (size_t)ret->head * CODES8_ROWS;
}

status codes8_coder_init(struct codes8_coder *coder, const struct codes8_shape *shape,
			 const struct codes8_rotation *rotation)
{
	assert(!rotation || rotation->dim == shape->dim);
	*coder = (struct codes8_coder){
		.shape = *shape,
		.rotation = rotation,
		.rotated = malloc(sizeof(double) * CODES8_ROWS * shape->dim),
		.room = malloc(sizeof(float) * CODES8_ROWS * shape->dim),
	};
	if (!coder->rotated || !coder->room) {
		codes8_coder_finish(coder);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to code vectors");
	}
	return status_ok();
}

void codes8_coder_finish(struct codes8_coder *coder)
{
	if (!coder)
		return;
	free(coder->rotated);
	free(coder->room);
	*coder = (struct codes8_coder){0};
}

/* What coding a part came to. */
struct part {
	double residual, norm;
};

/* Codes n values as c + 128: code i goes to ret[i / 4 * stride + i % 4]. */
static struct part part_encode(const double *values, uint32_t n, double scale, unsigned char *ret,
			       size_t stride)
{
	double inverse = scale > 0 ? 1 / scale : 0, residual = 0;
	int64_t squares = 0;

	for (size_t i = 0; i < n; i++) {
		int code = codes8_code(values[i], inverse);
		double left = values[i] - scale * code;

		residual += left * left;
		squares += code * code;
		ret[i / 4 * stride + i % 4] = (unsigned char)(code + ZERO_CODE);
	}
	return (struct part){sqrt(residual), scale * sqrt((double)squares)};
}

static double part_scale(const double *values, uint32_t n)
{
	double largest = codes8_largest(values, n);

	return largest < CODES8_LEAST ? 0 : largest / CODES8_CODE_MAX;
}

static double norm_of(const double *values, uint32_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i] * values[i];
	return sqrt(sum);
}

/* off: how far all values together may be from those that are meant. */
static void head_encode(const struct codes8_shape *shape, const double *values, double off,
			size_t row, unsigned char *block)
{
	struct codes8_sides *sides = (struct codes8_sides *)(void *)block;
	uint32_t n = shape->tail ? shape->head : shape->dim;
	struct part part;

	sides->scale[row] = codes8_half_up(part_scale(values, n));
	part = part_encode(values, n, (double)codes8_half_float(sides->scale[row]),
			   block + shape->codes_offset + 4 * row, (size_t)4 * CODES8_ROWS);
	sides->residual[row] = codes8_half_up((part.residual + off) * CODES8_NORM_UP);
	sides->norm[row] = codes8_half_up(part.norm * CODES8_NORM_UP);
	sides->rest[row] =
		codes8_half_up((norm_of(values + n, shape->dim - n) + off) * CODES8_NORM_UP);
}

static void tail_encode(const struct codes8_shape *shape, const double *values, double off,
			unsigned char *ret)
{
	uint32_t n = shape->dim - shape->head;
	float scale = codes8_float_up(part_scale(values, n)), residual;
	struct part part = part_encode(values, n, (double)scale, ret + 2 * sizeof(float), 4);

	residual = codes8_float_up((part.residual + off) * CODES8_NORM_UP);
	memcpy(ret, &scale, sizeof scale);
	memcpy(ret + sizeof scale, &residual, sizeof residual);
}

/* A block of zero vectors. */
static void block_clear(const struct codes8_shape *shape, unsigned char *head, unsigned char *tails)
{
	memset(head, 0, shape->codes_offset);
	memset(head + shape->codes_offset, ZERO_CODE, shape->block_bytes - shape->codes_offset);
	for (size_t row = 0; shape->tail && row < CODES8_ROWS; row++) {
		unsigned char *tail = tails + row * shape->tail_bytes;

		memset(tail, 0, 2 * sizeof(float));
		memset(tail + 2 * sizeof(float), ZERO_CODE, shape->tail);
	}
}

void codes8_encode(struct codes8_coder *coder, const float *const *vectors, size_t n,
		   unsigned char *ret_head, unsigned char *ret_tails)
{
	const struct codes8_shape *shape = &coder->shape;
	uint32_t dim = shape->dim;
	double off = 0;

	assert(n >= 1 && n <= CODES8_ROWS);
	block_clear(shape, ret_head, ret_tails);
	if (coder->rotation) {
		off = codes8_rotate_rows(coder->rotation, vectors, n, coder->room, coder->rotated);
	} else {
		for (size_t i = 0; i < n * dim; i++)
			coder->rotated[i] = (double)vectors[i / dim][i % dim];
	}
	for (size_t row = 0; row < n; row++) {
		const double *values = coder->rotated + row * dim;
		double row_off = off > 0 ? off * vector_norm(vectors[row], dim) : 0;

		head_encode(shape, values, row_off, row, ret_head);
		if (shape->tail)
			tail_encode(shape, values + shape->head, row_off,
				    ret_tails + row * shape->tail_bytes);
		if (shape->metric == METRIC_L2) {
			double norm = vector_norm(vectors[row], dim);
			float square = (float)(norm * norm);

			memcpy(ret_head + sizeof(struct codes8_sides) + row * sizeof square,
			       &square, sizeof square);
		}
	}
}
