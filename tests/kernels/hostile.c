#include "tests/kernels/hostile.h"

#include "kernels/score.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum row_kind {
	ROW_EQUAL,
	ROW_OPPOSITE,
	ROW_NEAR, /* the query, each value off by a few units in the last place */
	ROW_HALF, /* the query's first half, then noise */
	ROW_ZERO,
	ROW_ONE_HOT,
	ROW_DENORMAL,
	ROW_TINY,
	ROW_HUGE,
	ROW_SCALES,
	ROW_CANCELLING, /* products that come in pairs of opposite sign */
	ROW_RANDOM,
	ROW_TWIN,
	ROW_KINDS,
};

static float draw_scaled(struct random *random, int least, int most)
{
	int exponent = least + (int)random_below(random, (size_t)(most - least + 1));

	return ldexpf(random_signed(random), exponent);
}

static void draw_scales(struct random *random, float *ret, uint32_t dim, int least, int most)
{
	for (size_t i = 0; i < dim; i++)
		ret[i] = draw_scaled(random, least, most);
}

static void draw_one_hot(struct random *random, float *ret, uint32_t dim, float value)
{
	memset(ret, 0, dim * sizeof *ret);
	ret[random_below(random, dim)] = value;
}

/* To what the server stores. */
static void tame(struct random *random, enum metric metric, float *vector, uint32_t dim)
{
	double norm = vector_norm(vector, dim);

	if (metric == METRIC_COSINE) {
		if (!vector_normalise(vector, dim))
			draw_one_hot(random, vector, dim, 1);
		return;
	}
	if (norm <= VECTOR_NORM_MAX)
		return;
	for (size_t i = 0; i < dim; i++)
		vector[i] = (float)((double)vector[i] * (VECTOR_NORM_MAX * 0.999999 / norm));
	cr_assert_leq(vector_norm(vector, dim), VECTOR_NORM_MAX);
}

void hostile_query_draw(struct random *random, enum hostile_query kind, enum metric metric,
			float *ret, uint32_t dim)
{
	switch (kind) {
	case QUERY_RANDOM:
		draw_scales(random, ret, dim, 0, 0);
		break;
	case QUERY_UNIT:
		draw_scales(random, ret, dim, 0, 0);
		vector_normalise(ret, dim);
		break;
	case QUERY_ONE_HOT:
		draw_one_hot(random, ret, dim, draw_scaled(random, -20, 60));
		break;
	case QUERY_ALTERNATING:
		for (size_t i = 0; i < dim; i++)
			ret[i] = i % 2 ? -1 : 1;
		break;
	case QUERY_SCALES:
		draw_scales(random, ret, dim, -140, 50);
		break;
	case QUERY_DENORMAL:
		draw_scales(random, ret, dim, -148, -126);
		break;
	case QUERY_TINY:
		draw_scales(random, ret, dim, -80, -70);
		break;
	case QUERY_LARGE:
		draw_scales(random, ret, dim, 50, 55);
		break;
	case QUERY_HUGE:
		draw_scales(random, ret, dim, 120, 127);
		ret[0] = FLT_MAX;
		break;
	case QUERY_ZERO:
	case HOSTILE_QUERIES:
		memset(ret, 0, dim * sizeof *ret);
		break;
	}
	if (metric == METRIC_COSINE)
		tame(random, metric, ret, dim);
}

void hostile_block_init(struct hostile_block *block, uint32_t n, uint32_t dim)
{
	size_t stride = scan_stride(dim), size = (n ? n : 1) * stride * sizeof(float);

	block->vectors = aligned_alloc(64, size);
	block->norms = calloc(n + 1U, sizeof(float));
	block->squares = calloc(n + 1U, sizeof(float));
	cr_assert(block->vectors && block->norms && block->squares);
	memset(block->vectors, 0, size);
	block->dim = dim;
	block->block = (struct scan_block){
		.vectors = block->vectors,
		.norms = block->norms,
		.squares = block->squares,
		.stride = stride,
		.capacity = n,
	};
}

void hostile_block_finish(struct hostile_block *block)
{
	free(block->vectors);
	free(block->norms);
	free(block->squares);
}

void hostile_block_measure(struct hostile_block *block)
{
	for (size_t row = 0; row < block->block.capacity; row++)
		scan_row_norms(hostile_row(block, row), block->dim, &block->norms[row],
			       &block->squares[row]);
}

static void draw_from_query(struct random *random, enum row_kind kind, const float *query,
			    float *ret, uint32_t dim)
{
	for (size_t i = 0; i < dim; i++) {
		if (kind == ROW_OPPOSITE)
			ret[i] = -query[i];
		else if (kind == ROW_NEAR)
			ret[i] = query[i] * (1 + ldexpf(random_signed(random), -21));
		else if (kind == ROW_HALF && i >= dim / 2)
			ret[i] = random_signed(random);
		else if (kind == ROW_CANCELLING && i % 2 && query[i] != 0)
			ret[i] = -query[i - 1] / query[i] * ret[i - 1];
		else if (kind == ROW_CANCELLING)
			ret[i] = random_signed(random);
		else
			ret[i] = query[i];
		if (!isfinite(ret[i]))
			ret[i] = FLT_MAX;
	}
}

static void draw_row(struct random *random, enum row_kind kind, float *ret, uint32_t dim)
{
	if (kind == ROW_ZERO)
		memset(ret, 0, dim * sizeof *ret);
	else if (kind == ROW_ONE_HOT)
		draw_one_hot(random, ret, dim, draw_scaled(random, -148, 59));
	else if (kind == ROW_DENORMAL)
		draw_scales(random, ret, dim, -148, -126);
	else if (kind == ROW_TINY)
		draw_scales(random, ret, dim, -80, -60);
	else if (kind == ROW_HUGE)
		draw_scales(random, ret, dim, 50, 60);
	else if (kind == ROW_SCALES)
		draw_scales(random, ret, dim, -148, 59);
	else
		draw_scales(random, ret, dim, 0, 0);
}

void hostile_block_draw(struct random *random, struct hostile_block *block, enum metric metric,
			const float *query)
{
	uint32_t dim = block->dim;

	for (size_t row = 0; row < block->block.capacity; row++) {
		enum row_kind kind = (enum row_kind)random_below(random, ROW_KINDS);
		float *values = hostile_row(block, row);

		if (kind == ROW_TWIN && row > 0)
			memcpy(values, hostile_row(block, random_below(random, row)),
			       dim * sizeof *values);
		else if (kind <= ROW_HALF || kind == ROW_CANCELLING)
			draw_from_query(random, kind, query, values, dim);
		else
			draw_row(random, kind, values, dim);
		cr_assert(vector_is_finite(values, dim));
		tame(random, metric, values, dim);
	}
	hostile_block_measure(block);
}
