/* FAISS - an inverted file is trained, filled and searched through the C interface. */
#include <c_api/Index_c.h>
#include <c_api/index_factory_c.h>

#include <criterion/criterion.h>

#include <stdint.h>
#include <stdlib.h>

enum { dim = 16, n_rows = 2000, n_queries = 20 };

/* Uniform in [0, 1), the same on every machine. */
static float uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (float)(*state >> 40) / (float)(1u << 24);
}

Test(faiss, finds_each_stored_vector_by_itself)
{
	uint64_t state = 7;
	float *rows = malloc(sizeof(float[n_rows][dim]));
	float distances[n_queries];
	idx_t labels[n_queries];
	FaissIndex *index = NULL;

	for (size_t i = 0; i < (size_t)n_rows * dim; i++)
		rows[i] = uniform(&state);

	cr_assert_eq(faiss_index_factory(&index, dim, "IVF16,Flat", METRIC_L2), 0);
	cr_assert_eq(faiss_Index_train(index, n_rows, rows), 0);
	cr_assert(faiss_Index_is_trained(index));
	cr_assert_eq(faiss_Index_add(index, n_rows, rows), 0);
	cr_assert_eq(faiss_Index_ntotal(index), n_rows);
	cr_assert_eq(faiss_Index_search(index, n_queries, rows, 1, distances, labels), 0);

	for (idx_t i = 0; i < n_queries; i++) {
		cr_assert_eq(labels[i], i, "query %d", (int)i);
		cr_assert_float_eq(distances[i], 0.0F, 1e-6F, "query %d", (int)i);
	}
	faiss_Index_free(index);
	free(rows);
}
