/* faiss_index - a file as FAISS itself writes it. */
#ifndef SLUICE_TESTS_SUPPORT_FAISS_INDEX_H
#define SLUICE_TESTS_SUPPORT_FAISS_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct faiss_index {
	const char *factory; /* "IVF16,Flat" */
	bool inner_product;  /* else L2 */
	uint32_t dim, n, n_trained;
	const float *rows;  /* [n or n_trained, whichever is more][dim] all that is trained on */
	const int64_t *ids; /* [n] NULL: FAISS numbers them */
};

/* faiss_index_write - rows 0 to n - 1, trained on n_trained.
 * ret_decoded  [n][dim] what FAISS decodes the codes to, of a kind that knows rows by their numbers; or
 *              NULL.
 * False: FAISS would not; it has said why to standard error. */
bool faiss_index_write(const struct faiss_index *index, const char *path, float *ret_decoded);

#endif
