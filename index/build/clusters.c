/* clusters - FAISS's k-means, an iteration to a call, and its search for the nearest centroid. */
#include "index/build/clusters.h"

#include "index/build/faiss_failure.h"
#include "index/build/threads.h"
#include "kernels/base/error_info.h"

#include <c_api/AutoTune_c.h>
#include <c_api/Clustering_c.h>
#include <c_api/IndexFlat_c.h>
#include <c_api/Index_c.h>
#include <c_api/index_factory_c.h>

#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define GRAPH_FACTORY "HNSW32,Flat"
#define GRAPH_SEARCH_WIDTH 64

/* Rows that are searched for in one call: what FAISS gives back of them is on the stack. */
#define ASSIGN_SLICE 4096

/* Of which the second centroid of a row is chosen, and rows that these are looked for at a time. */
#define CANDIDATES 16
#define TWICE_SLICE 1024

struct clusters {
	FaissIndex *index;
	const float *centroids; /* [k][dim] borrowed */
	uint32_t dim;
};

/* One k-means. */
struct training {
	FaissClustering *clustering;
	FaissIndexFlatL2 *index;
};

static void training_finish(struct training *training)
{
	if (training->clustering)
		faiss_Clustering_free(training->clustering);
	if (training->index)
		faiss_Index_free(training->index);
}

SCOPE_DEFINE(training, training_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to cluster rows"),
			 REASON_MEMORY_LIMIT);
}

static status training_init(struct training *training, const struct clusters_options *options,
			    struct arena *arena)
{
	FaissClusteringParameters parameters;

	faiss_ClusteringParameters_init(&parameters);
	parameters.niter = 1;
	parameters.spherical = options->spherical;
	/* The caller knows how many rows there are: neither a warning nor a sample of the sample. */
	parameters.min_points_per_centroid = 1;
	parameters.max_points_per_centroid = INT_MAX;
	if (faiss_Clustering_new_with_params(&training->clustering, (int)options->dim,
					     (int)options->k, &parameters) ||
	    faiss_IndexFlatL2_new_with(&training->index, options->dim))
		return faiss_failure(arena, STATUS_INTERNAL, "preparing to cluster");
	return status_ok();
}

/* Centroids that are there already are where it begins. */
static status iterate(const struct training *training, uint32_t times, const float *rows, size_t n,
		      const struct deadline *deadline, struct arena *arena)
{
	for (uint32_t i = 0; i < times; i++) {
		TRY(deadline_check(deadline));
		if (faiss_Clustering_train(training->clustering, (idx_t)n, rows, training->index))
			return faiss_failure(arena, STATUS_INTERNAL, "clustering");
	}
	return status_ok();
}

static status train(const struct clusters_options *options, const float *rows, size_t n,
		    const struct deadline *deadline, struct arena *arena, float *ret_centroids)
{
	SCOPED(training) training = &(struct training){0};
	float *centroids = NULL;
	size_t size = 0;

	TRY(training_init(training, options, arena));
	if (options->n_early > options->k)
		TRY(iterate(training, options->iterations_early, rows, options->n_early, deadline,
			    arena));
	TRY(iterate(training, options->iterations, rows, n, deadline, arena));
	faiss_Clustering_centroids(training->clustering, &centroids, &size);
	memcpy(ret_centroids, centroids, size * sizeof *centroids);
	return deadline_check(deadline);
}

status clusters_train(const struct clusters_options *options, const float *rows, size_t n,
		      const struct deadline *deadline, struct arena *arena, float *ret_centroids)
{
	int wanted = (int)options->threads, threads;
	status s;

	build_threads_bound();
	/* The number is the calling thread's own: what it was comes back. */
	threads = omp_get_max_threads();
	if (wanted > 0 && wanted < threads)
		omp_set_num_threads(wanted);
	s = train(options, rows, n, deadline, arena, ret_centroids);
	omp_set_num_threads(threads);
	return s;
}

static status widen_search(FaissIndex *index, struct arena *arena)
{
	FaissParameterSpace *space = NULL;
	int failed = faiss_ParameterSpace_new(&space) ||
		     faiss_ParameterSpace_set_index_parameter(space, index, "efSearch",
							      GRAPH_SEARCH_WIDTH);

	if (space)
		faiss_ParameterSpace_free(space);
	return failed ? faiss_failure(arena, STATUS_INTERNAL, "setting up a graph") : status_ok();
}

status clusters_open(const float *centroids, uint32_t k, uint32_t dim, struct arena *arena,
		     struct clusters **ret)
{
	SCOPED(clusters) clusters = calloc(1, sizeof *clusters);
	bool flat = k <= CLUSTERS_FLAT_MAX;

	if (!clusters)
		return no_memory();
	clusters->centroids = centroids;
	clusters->dim = dim;
	if (faiss_index_factory(&clusters->index, (int)dim, flat ? "Flat" : GRAPH_FACTORY,
				METRIC_L2))
		return faiss_failure(arena, STATUS_INTERNAL, "making an index of centroids");
	if (!flat)
		TRY(widen_search(clusters->index, arena));
	if (faiss_Index_add(clusters->index, k, centroids))
		return faiss_failure(arena, STATUS_INTERNAL, "adding centroids");
	*ret = TAKE(clusters);
	return status_ok();
}

void clusters_close(struct clusters *clusters)
{
	if (!clusters)
		return;
	if (clusters->index)
		faiss_Index_free(clusters->index);
	free(clusters);
}

static status assign_slice(const struct clusters *clusters, const float *rows, size_t n,
			   struct arena *arena, uint32_t *ret)
{
	float distances[ASSIGN_SLICE];
	idx_t nearest[ASSIGN_SLICE];

	if (faiss_Index_search(clusters->index, (idx_t)n, rows, 1, distances, nearest))
		return faiss_failure(arena, STATUS_INTERNAL, "assigning rows");
	/* A graph that finds nothing says -1. */
	for (size_t i = 0; i < n; i++)
		ret[i] = nearest[i] < 0 ? 0 : (uint32_t)nearest[i];
	return status_ok();
}

status clusters_assign(const struct clusters *clusters, const float *rows, size_t n,
		       struct arena *arena, uint32_t *ret)
{
	size_t dim = clusters->dim;

	build_threads_bound();
	for (size_t first = 0; first < n; first += ASSIGN_SLICE) {
		size_t left = n - first < ASSIGN_SLICE ? n - first : ASSIGN_SLICE;

		TRY(assign_slice(clusters, rows + first * dim, left, arena, ret + first));
	}
	return status_ok();
}

/* What FAISS gives back of a slice of rows. */
struct candidates {
	float distances[TWICE_SLICE][CANDIDATES]; /* squared; ascending */
	idx_t nearest[TWICE_SLICE][CANDIDATES];   /* -1: no more */
};

/* By the law of cosines r1.r2 = (|r1|^2 + |r2|^2 - |c1 - c2|^2) / 2. */
static uint32_t second_choose(const struct clusters *clusters, const float *distances,
			      const idx_t *nearest, size_t n)
{
	float first = distances[0] > 0 ? distances[0] : 0, least = INFINITY;
	const float *centroid = clusters->centroids + (size_t)nearest[0] * clusters->dim;
	idx_t ret = nearest[0];

	for (size_t i = 1; i < n && nearest[i] >= 0; i++) {
		const float *other = clusters->centroids + (size_t)nearest[i] * clusters->dim;
		float between = 0, product, loss = distances[i];

		for (size_t k = 0; k < clusters->dim; k++)
			between += (centroid[k] - other[k]) * (centroid[k] - other[k]);
		product = (first + distances[i] - between) / 2;
		loss += first > 0 ? product / first * product : 0;
		if (loss < least) {
			least = loss;
			ret = nearest[i];
		}
	}
	return (uint32_t)ret;
}

status clusters_assign_twice(const struct clusters *clusters, const float *rows, size_t n,
			     struct arena *arena, uint32_t *ret_first, uint32_t *ret_second)
{
	idx_t k = faiss_Index_ntotal(clusters->index);
	size_t n_candidates = k < CANDIDATES ? (size_t)k : CANDIDATES;
	struct candidates *found = malloc(sizeof *found);
	status s = found ? status_ok() : no_memory();

	build_threads_bound();
	for (size_t first = 0; first < n && !status_failed(s); first += TWICE_SLICE) {
		size_t left = n - first < TWICE_SLICE ? n - first : TWICE_SLICE;
		const float *distances = found->distances[0];
		const idx_t *nearest = found->nearest[0];

		if (faiss_Index_search(clusters->index, (idx_t)left, rows + first * clusters->dim,
				       (idx_t)n_candidates, found->distances[0],
				       found->nearest[0])) {
			s = faiss_failure(arena, STATUS_INTERNAL, "assigning rows");
			break;
		}
		for (size_t i = 0; i < left;
		     i++, distances += n_candidates, nearest += n_candidates) {
			/* A graph that finds nothing says -1. */
			bool none = nearest[0] < 0;

			ret_first[first + i] = none ? 0 : (uint32_t)nearest[0];
			ret_second[first + i] =
				none ? (uint32_t)(k > 1)
				     : second_choose(clusters, distances, nearest, n_candidates);
		}
	}
	free(found);
	return s;
}
