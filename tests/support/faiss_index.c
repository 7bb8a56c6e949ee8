/* faiss_index - one thread, so that the same rows make the same file. */
#include "tests/support/faiss_index.h"

#include <c_api/Index_c.h>
#include <c_api/error_c.h>
#include <c_api/index_factory_c.h>
#include <c_api/index_io_c.h>

#include <omp.h>
#include <stdio.h>

static bool make(const struct faiss_index *index, FaissIndex **ret)
{
	enum FaissMetricType metric = index->inner_product ? METRIC_INNER_PRODUCT : METRIC_L2;

	if (faiss_index_factory(ret, (int)index->dim, index->factory, metric) != 0)
		return false;
	if (!faiss_Index_is_trained(*ret) &&
	    faiss_Index_train(*ret, index->n_trained, index->rows) != 0)
		return false;
	if (index->n == 0)
		return true;
	if (index->ids)
		return faiss_Index_add_with_ids(*ret, index->n, index->rows, index->ids) == 0;
	return faiss_Index_add(*ret, index->n, index->rows) == 0;
}

bool faiss_index_write(const struct faiss_index *index, const char *path, float *ret_decoded)
{
	FaissIndex *made = NULL;
	bool written;

	omp_set_num_threads(1);
	written = make(index, &made) && faiss_write_index_fname(made, path) == 0 &&
		  (!ret_decoded || faiss_Index_reconstruct_n(made, 0, index->n, ret_decoded) == 0);
	if (!written)
		fprintf(stderr, "FAISS, %s: %s\n", index->factory, faiss_get_last_error());
	if (made)
		faiss_Index_free(made);
	return written;
}
