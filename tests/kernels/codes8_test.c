/* What stands in a block, and rotations. */
#include "kernels/codes8.h"
#include "kernels/codes8_round.h"
#include "kernels/score.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

Test(codes8, has_areas_of_whole_cache_lines)
{
	static const struct {
		enum metric metric;
		uint32_t dim, head;
		uint32_t want_head, want_tail;
		size_t want_block, want_tail_bytes;
	} cases[] = {
		{METRIC_COSINE, 1, 0, 4, 0, 128 + 64, 0},
		{METRIC_L2, 1, 0, 4, 0, 192 + 64, 0},
		{METRIC_COSINE, 384, 0, 384, 0, 128 + 6144, 0},
		{METRIC_COSINE, 384, 384, 384, 0, 128 + 6144, 0},
		{METRIC_COSINE, 384, 192, 192, 192, 128 + 3072, 200},
		{METRIC_INNER_PRODUCT, 100, 64, 64, 64, 128 + 1024, 72},
		{METRIC_L2, 8192, 4096, 4096, 4096, 192 + 65536, 4104},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct codes8_shape shape;

		codes8_shape_init(&shape, cases[i].metric, cases[i].dim, cases[i].head);
		cr_assert_eq(shape.head, cases[i].want_head);
		cr_assert_eq(shape.tail, cases[i].want_tail);
		cr_assert_eq(shape.block_bytes, cases[i].want_block);
		cr_assert_eq(shape.tail_bytes, cases[i].want_tail_bytes);
		cr_assert_eq(codes8_heads_bytes(&shape, 17), 2 * cases[i].want_block);
		cr_assert_eq(codes8_tails_bytes(&shape, 17), 32 * cases[i].want_tail_bytes);
	}
}

/* One row of a block against what it was made of. */
static void check_row(const struct codes8_shape *shape, const unsigned char *block,
		      const unsigned char *tail, size_t row, const float *vector)
{
	const struct codes8_sides *sides = (const struct codes8_sides *)(const void *)block;
	double residual = 0, norm = 0, rest = 0, tail_residual = 0;
	float tail_sides[2];

	memcpy(tail_sides, tail, sizeof tail_sides);
	for (size_t i = 0; i < shape->dim; i++) {
		bool in_head = i < shape->head;
		int code = in_head ? block[shape->codes_offset + i / 4 * 64 + 4 * row + i % 4]
				   : tail[8 + i - shape->head];
		double value =
			(code - 128) *
			(double)(in_head ? codes8_half_float(sides->scale[row]) : tail_sides[0]);
		double left = (double)vector[i] - value;

		cr_assert(code >= 1 && code <= 255);
		if (in_head) {
			residual += left * left;
			norm += value * value;
		} else {
			tail_residual += left * left;
			rest += (double)vector[i] * (double)vector[i];
		}
	}
	cr_assert_geq((double)codes8_half_float(sides->residual[row]), sqrt(residual));
	cr_assert_leq((double)codes8_half_float(sides->residual[row]), sqrt(residual) * 1.01);
	cr_assert_geq((double)codes8_half_float(sides->norm[row]), sqrt(norm));
	cr_assert_geq((double)codes8_half_float(sides->rest[row]), sqrt(rest));
	cr_assert_leq((double)codes8_half_float(sides->rest[row]), sqrt(rest) * 1.01);
	cr_assert_geq((double)tail_sides[1], sqrt(tail_residual));
}

Test(codes8, keeps_beside_the_codes_what_they_lost)
{
	enum { dim = 100, head = 64, rows = 11 };
	struct random random = {5};
	static float vectors[rows][dim];
	_Alignas(64) unsigned char block[CODES8_ROWS * (head + 8)];
	_Alignas(64) unsigned char tails[CODES8_ROWS * 72];
	const float *pointers[rows];
	struct codes8_shape shape;
	struct codes8_coder memory;
	SCOPED(codes8_coder) coder = &memory;

	for (size_t i = 0; i < rows; i++) {
		pointers[i] = vectors[i];
		for (size_t j = 0; j < dim; j++)
			vectors[i][j] = random_signed(&random);
	}
	codes8_shape_init(&shape, METRIC_COSINE, dim, head);
	cr_assert_eq(shape.block_bytes, sizeof block);
	cr_assert(!status_failed(codes8_coder_init(coder, &shape, NULL)));
	codes8_encode(coder, pointers, rows, block, tails);
	for (size_t i = 0; i < rows; i++)
		check_row(&shape, block, tails + i * shape.tail_bytes, i, vectors[i]);
	for (size_t i = rows; i < CODES8_ROWS; i++) {
		static const float zero[dim];

		check_row(&shape, block, tails + i * shape.tail_bytes, i, zero);
	}
}

Test(codes8, codes_a_vector_near_nothing_as_zeros)
{
	static const float values[] = {0, 0x1p-149F, -0x1p-126F, 0x1p-101F};
	_Alignas(64) unsigned char block[192];
	struct codes8_shape shape;
	struct codes8_coder memory;
	SCOPED(codes8_coder) coder = &memory;

	codes8_shape_init(&shape, METRIC_INNER_PRODUCT, 1, 0);
	cr_assert(!status_failed(codes8_coder_init(coder, &shape, NULL)));
	for (size_t i = 0; i < COUNT(values); i++) {
		const struct codes8_sides *sides = (const struct codes8_sides *)(void *)block;
		const float *vector = &values[i];

		codes8_encode(coder, &vector, 1, block, NULL);
		cr_assert_eq(sides->scale[0], 0);
		cr_assert_eq(block[128], 128);
		cr_assert_geq(codes8_half_float(sides->residual[0]), fabsf(values[i]));
		cr_assert(values[i] == 0 || codes8_half_float(sides->residual[0]) >= FLT_MIN);
	}
}

Test(codes8_round, never_rounds_down)
{
	struct random random = {6};

	cr_assert_eq(codes8_half_up(0), 0);
	cr_assert_eq(codes8_half_float(codes8_half_up(1)), 1);
	cr_assert_eq(codes8_half_float(codes8_half_up((double)FLT_MAX)), INFINITY);
	cr_assert_eq(codes8_float_up(1e39), INFINITY);
	for (int i = 0; i < 100000; i++) {
		double value = ldexp(fabs((double)random_signed(&random)) + 1e-9,
				     (int)random_below(&random, 240) - 120);

		cr_assert_geq((double)codes8_float_up(value), value);
		cr_assert_geq((double)codes8_half_float(codes8_half_up(value)), value);
		cr_assert_leq((double)codes8_half_float(codes8_half_up(value)),
			      fmax(value * 1.008, (double)FLT_MIN));
	}
}

#define REFLECTION_MAX 1031

/* Orthonormal. */
static void reflection_draw(struct random *random, uint32_t dim, float *ret)
{
	double normal[REFLECTION_MAX], squares = 0;

	for (size_t i = 0; i < dim; i++) {
		normal[i] = (double)random_signed(random);
		squares += normal[i] * normal[i];
	}
	for (size_t i = 0; i < (size_t)dim * dim; i++)
		ret[i] = (float)((i / dim == i % dim) -
				 2 * normal[i / dim] * normal[i % dim] / squares);
}

Test(codes8_rotation, applies_a_matrix_to_any_number_of_vectors)
{
	static const uint32_t dims[] = {1, 2, 3, 4, 5, 7, 8, 19, 64};
	struct random random = {7};

	for (size_t d = 0; d < COUNT(dims); d++) {
		uint32_t dim = dims[d];
		float matrix[64 * 64], vectors[9][64];
		const float *pointers[9];
		double found[9 * 64];
		struct codes8_rotation rotation = {.matrix = matrix, .dim = dim};

		for (size_t i = 0; i < 64UL * 64; i++)
			matrix[i] = random_signed(&random);
		for (size_t i = 0; i < 9UL * 64; i++)
			vectors[i / 64][i % 64] = random_signed(&random);
		for (size_t i = 0; i < 9; i++)
			pointers[i] = vectors[i];
		for (size_t n = 1; n <= 9; n++) {
			codes8_rotate(&rotation, pointers, n, found);
			for (size_t i = 0; i < n * dim; i++) {
				double want = 0;

				for (size_t k = 0; k < dim; k++)
					want += (double)matrix[i % dim * dim + k] *
						(double)vectors[i / dim][k];
				cr_assert_float_eq(found[i], want, 1e-12);
			}
		}
	}
}

/* Rows as they come, very short, very long, zero, and of all kinds at once. */
Test(codes8_rotation, rotates_rows_as_exactly_as_it_says)
{
	static const float times[] = {1, 0x1p-62F, 0x1p-130F, 0x1p60F, 0};
	static const uint32_t dims[] = {1, 3, 8, 16, 37, 128, 136, 300};
	struct random random = {9};

	for (size_t turn = 0; turn < 12 * COUNT(dims); turn++) {
		uint32_t dim = dims[turn % COUNT(dims)];
		size_t n = 1 + random_below(&random, 16), kind = turn / COUNT(dims) % 6;
		struct codes8_rotation rotation;
		float *matrix = calloc((size_t)dim * dim, sizeof *matrix);
		float *vectors = calloc(2 * n * dim, sizeof *vectors), *room = vectors + n * dim;
		double *found = calloc(2 * n * dim, sizeof *found), *want = found + n * dim, most;
		const float *pointers[16];

		reflection_draw(&random, dim, matrix);
		cr_assert(!status_failed(codes8_rotation_init(&rotation, matrix, dim)));
		for (size_t i = 0; i < n; i++) {
			float factor = times[kind < COUNT(times) ? kind : i % COUNT(times)];

			for (size_t k = 0; k < dim; k++)
				vectors[i * dim + k] = factor * random_signed(&random);
			pointers[i] = vectors + i * dim;
		}
		codes8_rotate(&rotation, pointers, n, want);
		most = codes8_rotate_rows(&rotation, pointers, n, room, found);
		cr_assert_lt(most, 1e-4);
		for (size_t i = 0; i < n; i++) {
			double off = 0, norm = vector_norm(pointers[i], dim);

			for (size_t k = 0; k < dim; k++)
				off += (found[i * dim + k] - want[i * dim + k]) *
				       (found[i * dim + k] - want[i * dim + k]);
			cr_assert_leq(sqrt(off), most * norm, "dim %u kind %zu", dim, kind);
		}
		free(found);
		free(vectors);
		free(matrix);
	}
}

/* Longer than what is made at once, and not a multiple of it. */
Test(codes8_rotation, rotates_a_query_as_exactly_as_it_says)
{
	static const float times[] = {1, 0x1p-62F, 0x1p-130F, 0x1p60F, 0x1p100F, 0};
	static const uint32_t dims[] = {1, 3, 8, 16, 37, 128, 300, 512, 517, 1031};
	struct random random = {11};

	for (size_t d = 0; d < COUNT(dims); d++) {
		uint32_t dim = dims[d];
		float *matrix = calloc((size_t)dim * dim + dim, sizeof *matrix);
		float *query = matrix + (size_t)dim * dim;
		const float *pointer = query;
		double *found = calloc(2 * (size_t)dim, sizeof *found), *want = found + dim;
		struct codes8_rotation rotation = {.matrix = matrix, .dim = dim};

		reflection_draw(&random, dim, matrix);
		for (size_t kind = 0; kind < COUNT(times); kind++) {
			double off = 0, most;

			for (size_t k = 0; k < dim; k++)
				query[k] = times[kind] * random_signed(&random);
			codes8_rotate(&rotation, &pointer, 1, want);
			most = codes8_rotate_query(&rotation, query, found);
			cr_assert_lt(most, 0x1p-10);
			cr_assert(kind > 0 || most > 0, "in double");
			for (size_t k = 0; k < dim; k++)
				off += (found[k] - want[k]) * (found[k] - want[k]);
			cr_assert_leq(sqrt(off), most * vector_norm(query, dim), "dim %u kind %zu",
				      dim, kind);
		}
		free(found);
		free(matrix);
	}
}

Test(codes8_rotation, measures_how_far_a_matrix_is_from_a_rotation)
{
	static const float half = 0.70710678F;
	const float good[] = {half, half, half, -half}, bad[] = {1, 0, 0.01F, 1};
	const float nan[] = {1, 0, 0, NAN}, one[] = {-1};
	struct codes8_rotation rotation;

	cr_assert(!status_failed(codes8_rotation_init(&rotation, good, 2)));
	cr_assert(rotation.epsilon > 1e-9 && rotation.epsilon < 1e-6);
	cr_assert(!status_failed(codes8_rotation_init(&rotation, one, 1)));
	cr_assert_lt(rotation.epsilon, 1e-14);
	cr_assert_eq(codes8_rotation_init(&rotation, bad, 2).code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(codes8_rotation_init(&rotation, nan, 2).code, STATUS_INVALID_ARGUMENT);
}

/* 200 dimensions are more than a tile either way. */
Test(codes8_rotation, finds_one_wrong_value_wherever_it_is)
{
	enum { dim = 200 };
	float *matrix = calloc((size_t)dim * dim, sizeof *matrix);
	struct random random = {8};
	struct codes8_rotation rotation;

	cr_assert(matrix);
	for (size_t i = 0; i < dim; i++)
		matrix[i * dim + i] = 1;
	cr_assert(!status_failed(codes8_rotation_init(&rotation, matrix, dim)));
	for (int round = 0; round < 40; round++) {
		float *value = &matrix[random_below(&random, (size_t)dim * dim)], was = *value;

		*value += 1e-4F;
		cr_assert(!status_failed(codes8_rotation_init(&rotation, matrix, dim)));
		cr_assert(rotation.epsilon >= 1.4e-4 && rotation.epsilon < 3e-4);
		*value = was;
	}
	free(matrix);
}

Test(codes8_rotation, chooses_a_head_that_holds_enough)
{
	double energy[100];

	for (size_t i = 0; i < 100; i++)
		energy[i] = i < 40 ? 2 : 0.1;
	cr_assert_eq(codes8_head_choose(energy, 100, 0.5), 32);
	cr_assert_eq(codes8_head_choose(energy, 100, 0.9), 64);
	cr_assert_eq(codes8_head_choose(energy, 100, 0.999), 100);
	cr_assert_eq(codes8_head_choose(energy, 20, 0.1), 20);
}
