/* An index of FAISS's that was trained in parts is what FAISS's own training would make of it. */
#include "index/build/factory_index.h"
#include "tests/kernels/failing_malloc.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct arena arena;

/* rows - [n][dim], along few directions. */
struct rows {
	size_t n;
	uint32_t dim;
	float *values; /* owned */
};

static void rows_init(struct rows *rows, size_t n, uint32_t dim)
{
	struct random random = {7};
	float *directions = malloc(sizeof(float) * 12 * dim);

	*rows = (struct rows){n, dim, malloc(sizeof(float) * n * dim)};
	cr_assert(directions && rows->values);
	for (size_t i = 0; i < (size_t)12 * dim; i++)
		directions[i] = 0.3F * random_signed(&random);
	for (size_t i = 0; i < n; i++) {
		float *row = rows->values + i * dim;

		for (size_t k = 0; k < dim; k++)
			row[k] = 0.01F * random_signed(&random);
		for (size_t d = 0; d < 12; d++) {
			float along = random_signed(&random);

			for (size_t k = 0; k < dim; k++)
				row[k] += along * directions[d * dim + k];
		}
	}
	free(directions);
}

static void make(void)
{
	arena_init(&arena, 1 << 20);
}

static void finish(void)
{
	arena_finish(&arena);
}

TestSuite(factory_train, .init = make, .fini = finish);

/* How many rows are found first when they are asked for. */
static size_t count_found(const struct factory_index *index, const struct rows *rows)
{
	size_t found = 0;

	for (size_t i = 0; i < rows->n; i++) {
		float score;
		int64_t place = -1;

		cr_assert(!status_failed(factory_index_search(index, rows->values + i * rows->dim,
							      1, &score, &place, &arena)));
		found += place == (int64_t)i;
	}
	return found;
}

/* Beyond 512 dimensions FAISS is not asked for all axes at once. */
Test(factory_train, axes_of_many_dimensions_keep_what_there_is)
{
	static const char *const factories[] = {"PCA24,Flat", "PCAR24,Flat", "PCAW12,Flat"};
	struct rows rows;

	rows_init(&rows, 1200, 520);
	for (size_t i = 0; i < COUNT(factories); i++) {
		SCOPED(factory_index) index = NULL;
		size_t found;

		cr_assert(!status_failed(
			factory_index_make(factories[i], rows.dim, true, &arena, &index)));
		cr_assert(!status_failed(
			factory_index_train(index, rows.n, rows.values, NULL, &arena)));
		cr_assert(!status_failed(factory_index_add(index, rows.n, rows.values, &arena)));
		found = count_found(index, &rows);
		cr_assert_eq(found, rows.n, "%s: %zu", factories[i], found);
	}
	free(rows.values);
}

Test(factory_train, without_memory_fails_and_leaves_nothing, .timeout = 120)
{
	static const char factory[] = "ITQ24,IVF4,PQ6x4fsr,RFlat";
	struct rows rows;
	long nth;

	rows_init(&rows, 300, 32);
	for (nth = 0;; nth++) {
		SCOPED(factory_index) index = NULL;
		status s;

		failing_malloc_set(nth);
		s = factory_index_make(factory, rows.dim, true, &arena, &index);
		if (!status_failed(s))
			s = factory_index_train(index, rows.n, rows.values, NULL, &arena);
		if (!failing_malloc_struck())
			break;
		failing_malloc_set(-1);
		cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%ld: %s", nth, s.detail);
	}
	failing_malloc_set(-1);
	cr_assert_geq(nth, 30);
	free(rows.values);
}

Test(factory_train, of_too_few_rows_is_refused)
{
	static const char *const factories[] = {"IVF64,Flat", "PQ8", "IVF4,PQ8x6", "OPQ8,Flat",
						"ITQ,Flat"};
	struct rows rows;

	rows_init(&rows, 40, 32);
	for (size_t i = 0; i < COUNT(factories); i++) {
		SCOPED(factory_index) index = NULL;

		cr_assert(!status_failed(
			factory_index_make(factories[i], rows.dim, true, &arena, &index)));
		cr_assert_eq(factory_index_train(index, rows.n, rows.values, NULL, &arena).code,
			     STATUS_INVALID_ARGUMENT, "%s", factories[i]);
	}
	free(rows.values);
}
