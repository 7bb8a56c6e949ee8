/* kmeans - FAISS finds the nearest centroid; the means are taken here. */
#include "index/build/kmeans.h"

#include "index/build/faiss_failure.h"
#include "index/build/threads.h"
#include "kernels/base/error_info.h"
#include "kernels/base/random.h"
#include "kernels/base/scope.h"

#include <c_api/IndexFlat_c.h>
#include <c_api/Index_c.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Products of one call: a tenth of a second, or three where vectors are short. */
#define SLICE_PRODUCTS (UINT64_C(1) << 31)
#define SLICE_ROWS_MIN 64
#define SLICE_ROWS_MAX 16384

/* By how much the halves of a centroid that is split differ. */
#define SPLIT (1 / 1024.0F)

struct kmeans {
	const struct kmeans_options *options;
	const float *rows; /* [n][dim] borrowed */
	size_t n;
	const struct deadline *deadline;
	struct arena *arena;
	float *centroids;  /* [k][dim] borrowed */
	uint32_t *nearest; /* [n] owned */
	uint32_t *sizes;   /* [k] owned */
	float *distances;  /* [slice] owned */
	idx_t *labels;     /* [slice] owned */
	FaissIndex *index; /* owned */
	size_t n_changed;
};

static void kmeans_finish(struct kmeans *kmeans)
{
	free(kmeans->nearest);
	free(kmeans->sizes);
	free(kmeans->distances);
	free(kmeans->labels);
	if (kmeans->index)
		faiss_Index_free(kmeans->index);
}

SCOPE_DEFINE(kmeans, kmeans_finish)

size_t kmeans_slice(size_t dim, size_t k)
{
	size_t rows = SLICE_PRODUCTS / (dim * k);

	if (rows > SLICE_ROWS_MAX)
		return SLICE_ROWS_MAX;
	return rows > SLICE_ROWS_MIN ? rows : SLICE_ROWS_MIN;
}

static status reserve(struct kmeans *kmeans)
{
	const struct kmeans_options *options = kmeans->options;
	size_t slice = kmeans_slice(options->dim, options->k);
	FaissIndexFlatL2 *index = NULL;

	kmeans->nearest = malloc(sizeof *kmeans->nearest * kmeans->n);
	kmeans->sizes = malloc(sizeof *kmeans->sizes * options->k);
	kmeans->distances = malloc(sizeof *kmeans->distances * slice);
	kmeans->labels = malloc(sizeof *kmeans->labels * slice);
	if (!kmeans->nearest || !kmeans->sizes || !kmeans->distances || !kmeans->labels)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to cluster rows"),
				 REASON_MEMORY_LIMIT);
	if (faiss_IndexFlatL2_new_with(&index, options->dim))
		return faiss_failure(kmeans->arena, STATUS_INTERNAL, "preparing to cluster");
	kmeans->index = index;
	return status_ok();
}

/* Any rows, each once: the first of a shuffle, for which there is room where the nearest will be. */
static void begin(struct kmeans *kmeans)
{
	size_t dim = kmeans->options->dim;
	uint32_t *order = kmeans->nearest;
	uint64_t state = 11;

	for (size_t i = 0; i < kmeans->n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = 0; i < kmeans->options->k; i++) {
		size_t other = i + (random_next(&state) >> 33) % (kmeans->n - i);
		uint32_t row = order[other];

		order[other] = order[i];
		order[i] = row;
		memcpy(kmeans->centroids + i * dim, kmeans->rows + row * dim, sizeof(float) * dim);
	}
}

static status assign(struct kmeans *kmeans)
{
	size_t dim = kmeans->options->dim, slice = kmeans_slice(dim, kmeans->options->k);

	kmeans->n_changed = 0;
	if (faiss_Index_reset(kmeans->index) ||
	    faiss_Index_add(kmeans->index, kmeans->options->k, kmeans->centroids))
		return faiss_failure(kmeans->arena, STATUS_INTERNAL, "clustering");
	for (size_t first = 0; first < kmeans->n; first += slice) {
		size_t left = kmeans->n - first < slice ? kmeans->n - first : slice;

		TRY(deadline_check(kmeans->deadline));
		if (faiss_Index_search(kmeans->index, (idx_t)left, kmeans->rows + first * dim, 1,
				       kmeans->distances, kmeans->labels))
			return faiss_failure(kmeans->arena, STATUS_INTERNAL, "clustering");
		for (size_t i = 0; i < left; i++) {
			uint32_t label = kmeans->labels[i] < 0 ? 0 : (uint32_t)kmeans->labels[i];

			kmeans->n_changed += kmeans->nearest[first + i] != label;
			kmeans->nearest[first + i] = label;
		}
	}
	return deadline_check(kmeans->deadline);
}

static void scale(float *vector, size_t dim, float factor)
{
	for (size_t k = 0; k < dim; k++)
		vector[k] *= factor;
}

/* A centroid that no row is nearest to becomes half of the one that most are nearest to. */
static void split(struct kmeans *kmeans, uint32_t empty)
{
	size_t dim = kmeans->options->dim;
	float *to = kmeans->centroids + empty * dim, *from;
	uint32_t largest = 0;

	for (uint32_t i = 1; i < kmeans->options->k; i++)
		largest = kmeans->sizes[i] > kmeans->sizes[largest] ? i : largest;
	from = kmeans->centroids + largest * dim;
	for (size_t k = 0; k < dim; k++) {
		float by = k % 2 ? -SPLIT : SPLIT;

		to[k] = from[k] * (1 + by);
		from[k] *= 1 - by;
	}
	kmeans->sizes[empty] = kmeans->sizes[largest] / 2;
	kmeans->sizes[largest] -= kmeans->sizes[empty];
}

static void normalise(float *vector, size_t dim)
{
	double squares = 0;

	for (size_t k = 0; k < dim; k++)
		squares += (double)vector[k] * (double)vector[k];
	if (squares > 0)
		scale(vector, dim, (float)(1 / sqrt(squares)));
}

static void move(struct kmeans *kmeans)
{
	size_t dim = kmeans->options->dim;
	uint32_t k = kmeans->options->k;

	memset(kmeans->centroids, 0, sizeof(float) * k * dim);
	memset(kmeans->sizes, 0, sizeof *kmeans->sizes * k);
	for (size_t i = 0; i < kmeans->n; i++) {
		float *to = kmeans->centroids + kmeans->nearest[i] * dim;
		const float *row = kmeans->rows + i * dim;

		for (size_t j = 0; j < dim; j++)
			to[j] += row[j];
		kmeans->sizes[kmeans->nearest[i]]++;
	}
	for (uint32_t i = 0; i < k; i++) {
		if (kmeans->sizes[i] > 0)
			scale(kmeans->centroids + i * dim, dim, 1 / (float)kmeans->sizes[i]);
	}
	for (uint32_t i = 0; i < k; i++) {
		if (kmeans->sizes[i] == 0)
			split(kmeans, i);
	}
	for (uint32_t i = 0; kmeans->options->spherical && i < k; i++)
		normalise(kmeans->centroids + i * dim, dim);
}

status kmeans_train(const struct kmeans_options *options, const float *rows, size_t n,
		    const struct deadline *deadline, struct arena *arena, float *centroids,
		    uint32_t *ret_nearest)
{
	SCOPED(kmeans)
	kmeans = &(struct kmeans){
		.options = options,
		.rows = rows,
		.n = n,
		.deadline = deadline,
		.arena = arena,
		.centroids = centroids,
	};

	build_threads_bound();
	TRY(reserve(kmeans));
	if (!options->begun)
		begin(kmeans);
	memset(kmeans->nearest, 0xFF, sizeof *kmeans->nearest * kmeans->n);
	for (uint32_t i = 0; i < options->iterations; i++) {
		TRY(assign(kmeans));
		if (kmeans->n_changed == 0)
			break;
		move(kmeans);
	}
	if (ret_nearest)
		memcpy(ret_nearest, kmeans->nearest, sizeof *ret_nearest * n);
	return status_ok();
}
