#include "tests/bench/faiss_peer.h"

#include <c_api/Index_c.h>
#include <c_api/VectorTransform_c.h>
#include <c_api/index_factory_c.h>

#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct faiss_peer {
	FaissIndex *index;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "FAISS: %s\n", what);
	exit(1);
}

struct faiss_peer *faiss_peer_open(const char *factory, const float *rows, size_t stride, size_t n,
				   size_t dim)
{
	struct faiss_peer *peer = calloc(1, sizeof *peer);

	must(peer, "memory");
	omp_set_num_threads(1);
	must(faiss_index_factory(&peer->index, (int)dim, factory, METRIC_INNER_PRODUCT) == 0,
	     factory);
	for (size_t i = 0; i < n; i++)
		must(faiss_Index_add(peer->index, 1, rows + i * stride) == 0, "cannot add");
	return peer;
}

void faiss_peer_close(struct faiss_peer *peer)
{
	if (!peer)
		return;
	faiss_Index_free(peer->index);
	free(peer);
}

void faiss_peer_search(struct faiss_peer *peer, const float *query, size_t k, int64_t *ret_rows,
		       float *ret_scores)
{
	must(faiss_Index_search(peer->index, 1, query, (idx_t)k, ret_scores, ret_rows) == 0,
	     "cannot search");
}

void faiss_pca_train(const float *sample, size_t n, size_t dim, double *ret)
{
	float *units = calloc((dim + 1) * dim, sizeof *units);
	float *images = calloc((dim + 1) * dim, sizeof *images);
	FaissPCAMatrix *pca = NULL;

	must(units && images, "memory");
	for (size_t i = 0; i < dim; i++)
		units[i * dim + i] = 1;
	must(faiss_PCAMatrix_new_with(&pca, (int)dim, (int)dim, 0, 0) == 0 &&
		     faiss_VectorTransform_train(pca, (idx_t)n, sample) == 0,
	     "cannot train a PCAMatrix");
	faiss_VectorTransform_apply_noalloc(pca, (idx_t)dim + 1, units, images);
	for (size_t i = 0; i < dim; i++) {
		for (size_t j = 0; j < dim; j++)
			ret[i * dim + j] =
				(double)images[j * dim + i] - (double)images[dim * dim + i];
	}
	faiss_PCAMatrix_free(pca);
	free(units);
	free(images);
}
