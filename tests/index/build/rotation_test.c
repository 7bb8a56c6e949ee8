/* What FAISS trains becomes a rotation that holds, or none. */
#include "index/build/rotation.h"
#include "kernels/base/arena.h"
#include "tests/kernels/failing_malloc.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* rows - what is trained on: [n][dim] floats. */
struct rows {
	uint32_t n, dim;
	float *values;
};

/* Rows whose energy lies in `rank` directions, none of them an axis, but for a little noise. */
static void rows_init(struct rows *rows, uint32_t n, uint32_t dim, uint32_t rank, float noise,
		      float scale)
{
	struct random random = {n + dim + rank};
	float *directions = calloc((size_t)rank * dim, sizeof *directions);

	*rows = (struct rows){n, dim, calloc((size_t)n * dim, sizeof(float))};
	cr_assert(directions && rows->values);
	for (size_t i = 0; i < (size_t)rank * dim; i++)
		directions[i] = random_signed(&random);
	for (size_t row = 0; row < n; row++) {
		float *at = rows->values + row * dim;

		for (size_t d = 0; d < rank; d++) {
			float much = random_signed(&random);

			for (size_t i = 0; i < dim; i++)
				at[i] += much * directions[d * dim + i] * scale;
		}
		for (size_t i = 0; i < dim; i++)
			at[i] += noise * random_signed(&random) * scale;
	}
	free(directions);
}

static uint64_t row_number(const void *context, uint32_t place)
{
	(void)context;
	return place;
}

static const float *row_vector(const void *context, uint32_t place, float *scratch)
{
	const struct rows *rows = context;

	(void)scratch;
	return rows->values + (size_t)place * rows->dim;
}

static struct sealed_source source_of(const struct rows *rows)
{
	return (struct sealed_source){rows->n, row_number, row_vector, rows};
}

static struct arena arena[1];

static void begin(void)
{
	arena_init(arena, 1 << 20);
}

static void end(void)
{
	arena_finish(arena);
}

TestSuite(rotation, .init = begin, .fini = end);

static void train(const struct rows *rows, struct rotation *ret)
{
	struct sealed_source source = source_of(rows);
	status s = rotation_train(&source, rows->dim, NULL, arena, ret);

	cr_assert(!status_failed(s), "%s", s.detail);
}

/* The share of the rows' energy in the head, and that lengths and products are kept. */
static double check_rotation(const struct rows *rows, const struct rotation *rotation)
{
	double *rotated = calloc(rows->dim, sizeof *rotated), head = 0, all = 0;

	for (uint32_t row = 0; row < rows->n; row += 37) {
		const float *vector = row_vector(rows, row, NULL);
		double before = 0, after = 0;

		codes8_rotate(&rotation->codes, &vector, 1, rotated);
		for (size_t i = 0; i < rows->dim; i++) {
			before += (double)vector[i] * (double)vector[i];
			after += rotated[i] * rotated[i];
			head += i < rotation->head ? rotated[i] * rotated[i] : 0;
		}
		cr_assert_leq(fabs(after - before), rotation->codes.epsilon * before);
		all += after;
	}
	free(rotated);
	return head / all;
}

Test(rotation, gathers_the_energy_in_the_head)
{
	static const struct {
		uint32_t n, dim, rank;
		float scale;
		uint32_t head;
	} cases[] = {
		{3000, 128, 20, 1, 32},     {2000, 384, 60, 1, 64},   {600, 100, 40, 1, 64},
		{5000, 200, 10, 1e17F, 32}, {900, 65, 3, 1e-15F, 32},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rows rows;
		SCOPED(rotation) rotation = &(struct rotation){0};

		rows_init(&rows, cases[i].n, cases[i].dim, cases[i].rank, 0.1F, cases[i].scale);
		train(&rows, rotation);
		cr_assert_not_null(rotation->matrix, "case %zu", i);
		cr_assert_leq(rotation->head, cases[i].head);
		cr_assert_eq(rotation->head % CODES8_HEAD_STEP, 0);
		cr_assert_lt(rotation->codes.epsilon, 1e-5);
		cr_assert_geq(check_rotation(&rows, rotation), CODES8_HEAD_SHARE - 0.02);
		free(rows.values);
	}
}

Test(rotation, there_is_none_where_it_would_be_of_no_use)
{
	static const struct {
		const char *why;
		uint32_t n, dim, rank;
		float noise, scale;
	} cases[] = {
		{"too few rows", 399, 100, 5, 0.1F, 1},
		{"too many dimensions", 9000, ROTATION_DIM_MAX + 1, 1, 0, 1},
		{"all rows are zero", 1000, 100, 0, 0, 1},
		{"energy in every direction", 4000, 64, 0, 1, 1},
		{"one dimension", 100, 1, 1, 0, 1},
		{"less than a step of dimensions", 1000, 20, 3, 0.1F, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rows rows;
		struct rotation rotation;

		rows_init(&rows, cases[i].n, cases[i].dim, cases[i].rank, cases[i].noise,
			  cases[i].scale);
		train(&rows, &rotation);
		cr_assert_null(rotation.matrix, "%s", cases[i].why);
		cr_assert_eq(rotation.head, 0);
		cr_assert_null(rotation_coding(&rotation).rotation);
		free(rows.values);
	}
}

Test(rotation, holds_for_rows_that_span_little)
{
	struct rows rows;
	SCOPED(rotation) rotation = &(struct rotation){0};

	/* All rows the same: one direction has all, any others complete it. */
	rows_init(&rows, 1000, 100, 0, 0, 1);
	for (size_t i = 0; i < 1000UL * 100; i++)
		rows.values[i] = (float)(i % 100) / 100;
	train(&rows, rotation);
	if (rotation->matrix)
		check_rotation(&rows, rotation);
	free(rows.values);
}

Test(rotation, stops_when_it_is_not_wanted_any_more)
{
	struct rows rows;
	struct rotation rotation;
	struct deadline deadline;
	struct sealed_source source;

	rows_init(&rows, 1000, 64, 5, 0.1F, 1);
	source = source_of(&rows);
	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	cr_assert_eq(rotation_train(&source, 64, &deadline, arena, &rotation).code,
		     STATUS_CANCELLED);
	free(rows.values);
}

Test(rotation, any_allocation_may_fail)
{
	struct rows rows;
	struct sealed_source source;
	long nth = 0;

	rows_init(&rows, 1000, 64, 5, 0.1F, 1);
	source = source_of(&rows);
	for (;; nth++) {
		struct rotation rotation;
		status s;

		failing_malloc_set(nth);
		s = rotation_train(&source, 64, NULL, arena, &rotation);
		rotation_finish(&rotation);
		if (!failing_malloc_struck())
			break;
		failing_malloc_set(-1);
		cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%ld: %s", nth, s.detail);
	}
	failing_malloc_set(-1);
	cr_assert_geq(nth, 5);
	free(rows.values);
}
