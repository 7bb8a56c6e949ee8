/* metric - how near a stored vector is to a query. Higher is better for all of them. */
#ifndef SLUICE_KERNELS_METRIC_H
#define SLUICE_KERNELS_METRIC_H

enum metric {
	METRIC_COSINE = 1,        /* inner product of vectors scaled to unit length */
	METRIC_INNER_PRODUCT = 2, /* q . x */
	METRIC_L2 = 3,            /* the negative squared distance */
};

#define DIMENSION_MAX 8192

#endif
