/* recall - what came back for one query, compared with the known answer. */
#ifndef SLUICE_SERVICE_CLI_RECALL_H
#define SLUICE_SERVICE_CLI_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two scores nearer than this are a tie: the sum of a product depends on its order so far. */
#define RECALL_TIE 3e-7

struct truth {
	const int32_t *rows; /* [n] nearest first */
	const float *scores; /* [n], or NULL: nothing is a tie */
	size_t n;
};

/* recall_found - how many of rows [n_rows] are among the true first k, k at most truth.n; with
 * scores, one that ties with the k-th counts too. */
size_t recall_found(const struct truth *truth, size_t k, const uint32_t *rows, size_t n_rows);

/* recall_in_order - whether rows [n_rows] are the true first k in the true order; with scores, rows
 * that tie may have changed places. */
bool recall_in_order(const struct truth *truth, size_t k, const uint32_t *rows, size_t n_rows);

#endif
