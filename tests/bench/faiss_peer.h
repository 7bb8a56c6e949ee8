/* faiss_peer - what measurements take from FAISS. By itself, since its headers and kernels/metric.h
 * give the same names to different numbers. One thread. Whatever fails ends the program. */
#ifndef SLUICE_TESTS_BENCH_FAISS_PEER_H
#define SLUICE_TESTS_BENCH_FAISS_PEER_H

#include <stddef.h>
#include <stdint.h>

struct faiss_peer;

/* faiss_peer_open - any index_factory string over the inner product. rows  n of [dim], stride
 * floats apart; copied. */
struct faiss_peer *faiss_peer_open(const char *factory, const float *rows, size_t stride, size_t n,
				   size_t dim);
void faiss_peer_close(struct faiss_peer *peer);

/* faiss_peer_search - the k best of one query. ret_rows, ret_scores  [k] */
void faiss_peer_search(struct faiss_peer *peer, const float *query, size_t k, int64_t *ret_rows,
		       float *ret_scores);

/* faiss_pca_train - the linear part of a PCAMatrix: what it makes of the unit vectors, less what it
 * makes of 0. sample  [n][dim]. ret  [dim][dim], row i gives dimension i. */
void faiss_pca_train(const float *sample, size_t n, size_t dim, double *ret);

#endif
