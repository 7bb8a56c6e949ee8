/* factory_train - transforms one by one, lists, codes; and all put together. */
#include "index/build/factory_train.h"

#include "index/build/axes.h"
#include "index/build/faiss_failure.h"
#include "index/build/faiss_patch.h"
#include "index/build/kmeans.h"
#include "index/build/turn.h"
#include "kernels/base/error_info.h"

#include <c_api/IndexIVF_c.h>
#include <c_api/IndexPreTransform_c.h>
#include <c_api/Index_c.h>
#include <c_api/VectorTransform_c.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As many as FAISS takes. */
#define LISTS_ITERATIONS 10
#define CODES_ITERATIONS 25

/* Rows that transforms and codes are learnt from, and how many at least of a centroid's or a dimension's. */
#define FEW_ROWS 16384
#define ROWS_PER_CENTROID 39
#define ROWS_PER_DIM 4
/* Of them, that a rotation is learnt from by its codes. */
#define TURN_ROWS 9984

/* Products of a call that cannot be made shorter than it is, and of one of many. */
#define ONCE_PRODUCTS (UINT64_C(1) << 35)
#define SLICE_PRODUCTS (UINT64_C(1) << 30)
/* Centroids that become a graph at a time. */
#define CENTROIDS_SLICE 256

struct training {
	const struct factory_parts *parts;
	const struct deadline *deadline;
	struct arena *arena;
	/* As they are behind the transforms so far. */
	const float *rows; /* [n][dim] the caller's, or those owned */
	float *owned;
	size_t n;
	uint32_t dim;
	FaissVectorTransform **transforms; /* [n_steps] owned, as they are */
	size_t n_transforms;
	struct faiss_patch_matrix
		*matrices; /* of the rotations among them; owned, their values too */
	size_t n_matrices;
	bool patched; /* there is one whose matrix is not a random one */
	float *few;   /* owned: rows of a call */
};

static void training_finish(struct training *training)
{
	for (size_t i = 0; i < training->n_transforms; i++)
		faiss_VectorTransform_free(training->transforms[i]);
	for (size_t i = 0; i < training->n_matrices; i++)
		free((float *)(uintptr_t)training->matrices[i].values);
	free(training->transforms);
	free(training->matrices);
	free(training->owned);
	free(training->few);
}

SCOPE_DEFINE(training, training_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to train an index"),
			 REASON_MEMORY_LIMIT);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* At most so many of the rows, from everywhere among them. */
static status take_few(struct training *training, size_t wanted, const float **ret, size_t *ret_n)
{
	size_t dim = training->dim, n = least(training->n, wanted);

	*ret = training->rows;
	*ret_n = n;
	if (n == training->n)
		return status_ok();
	free(training->few);
	training->few = malloc(sizeof(float) * n * dim);
	if (!training->few)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		memcpy(training->few + i * dim, training->rows + training->n * i / n * dim,
		       sizeof(float) * dim);
	*ret = training->few;
	return status_ok();
}

/* --- transforms --- */

/* Whether its matrix is learnt here: then it is a random rotation for FAISS, until all is put together.
 * FAISS's call for the axes of rows costs the cube of their dimension, so of many it is not asked. */
static bool is_learnt(const struct factory_step *step)
{
	if (step->kind == FACTORY_PCA)
		return step->from > AXES_AT_ONCE && step->to <= AXES_AT_ONCE;
	return step->kind == FACTORY_CODES || step->kind == FACTORY_SIGNS;
}

static bool has_matrix(const struct factory_step *step)
{
	return step->kind == FACTORY_RANDOM || is_learnt(step);
}

static int transform_make(const struct factory_step *step, FaissVectorTransform **ret)
{
	int from = (int)step->from, to = (int)step->to;

	if (has_matrix(step))
		return faiss_RandomRotationMatrix_new_with((FaissRandomRotationMatrix **)ret, from,
							   to);
	if (step->kind == FACTORY_PCA)
		return faiss_PCAMatrix_new_with((FaissPCAMatrix **)ret, from, to,
						step->white ? -0.5F : 0, step->turned);
	if (step->kind == FACTORY_CENTRE)
		return faiss_CenteringTransform_new_with((FaissCenteringTransform **)ret, from);
	if (step->kind == FACTORY_UNIT)
		return faiss_NormalizationTransform_new_with((FaissNormalizationTransform **)ret,
							     from, 2);
	return faiss_RemapDimensionsTransform_new_with((FaissRemapDimensionsTransform **)ret, from,
						       to, 0);
}

/* FAISS's own training: of a rotation it draws random numbers, of others it takes sums of the rows'
 * products, and the axes of these. */
static status transform_train(struct training *training, const struct factory_step *step,
			      FaissVectorTransform *transform)
{
	const float *few;
	size_t n;

	TRY(take_few(training, most(FEW_ROWS, (size_t)ROWS_PER_DIM * step->from), &few, &n));
	TRY(deadline_check(training->deadline));
	if (!faiss_VectorTransform_is_trained(transform) &&
	    faiss_VectorTransform_train(transform, (idx_t)n, few))
		return faiss_failure(training->arena, STATUS_INVALID_ARGUMENT, "training");
	return deadline_check(training->deadline);
}

static status transform_apply(struct training *training, const FaissVectorTransform *transform,
			      const struct factory_step *step, float *ret)
{
	size_t slice = SLICE_PRODUCTS / ((uint64_t)step->from * step->to) + 1;

	for (size_t first = 0; first < training->n; first += slice) {
		TRY(deadline_check(training->deadline));
		faiss_VectorTransform_apply_noalloc(
			transform, (idx_t)least(training->n - first, slice),
			training->rows + first * step->from, ret + first * step->to);
	}
	return status_ok();
}

/* The first axes; to be white, what lies along each is scaled to the same spread. They are not turned, and
 * not centred, which would change the order of inner products. */
static status axes_train(struct training *training, const struct factory_step *step, float *matrix)
{
	SCOPED(axes) axes = &(struct axes){0};
	const float *few;
	size_t n;

	TRY(take_few(training, FEW_ROWS, &few, &n));
	TRY(axes_find(few, n, step->from, training->deadline, training->arena, axes));
	for (size_t i = 0; i < step->to; i++) {
		float variance = axes->variances[i];
		float scale = step->white && variance > 0 ? 1 / sqrtf(variance) : 1;

		for (size_t k = 0; k < step->from; k++)
			matrix[i * step->from + k] = scale * axes->matrix[i * step->from + k];
	}
	return status_ok();
}

static status matrix_learn(struct training *training, const struct factory_step *step,
			   float *matrix)
{
	const struct turn_options options = {step->from, step->to, step->groups};
	const float *few;
	size_t n;

	if (step->kind == FACTORY_PCA)
		return axes_train(training, step, matrix);
	TRY(take_few(training, TURN_ROWS, &few, &n));
	if (n < TURN_ROWS_MIN)
		return status_make(STATUS_INVALID_ARGUMENT, "too few rows to learn a rotation of");
	return turn_learn(&options, few, n, training->deadline, training->arena, matrix);
}

/* Its matrix, unless it is the random one. */
static status matrix_train(struct training *training, const struct factory_step *step)
{
	struct faiss_patch_matrix *patch = &training->matrices[training->n_matrices++];
	float *matrix;

	*patch = (struct faiss_patch_matrix){step->to, step->from, NULL};
	if (!is_learnt(step))
		return status_ok();
	patch->values = matrix = malloc(sizeof(float) * step->to * step->from);
	if (!matrix)
		return no_memory();
	training->patched = true;
	return matrix_learn(training, step, matrix);
}

/* The rows as they are behind it. */
static status rows_move_on(struct training *training, const struct factory_step *step)
{
	const struct turn_options options = {step->from, step->to, 0};
	float *next = malloc(sizeof(float) * training->n * step->to);
	status s;

	if (!next)
		return no_memory();
	if (is_learnt(step))
		s = turn_apply(&options, training->matrices[training->n_matrices - 1].values,
			       training->rows, training->n, training->deadline, next);
	else
		s = transform_apply(training, training->transforms[training->n_transforms - 1],
				    step, next);
	free(training->owned);
	training->rows = training->owned = next;
	training->dim = step->to;
	return s;
}

static status step_train(struct training *training, const struct factory_step *step)
{
	FaissVectorTransform *transform = NULL;

	if (transform_make(step, &transform))
		return faiss_failure(training->arena, STATUS_INTERNAL, "making a transform");
	training->transforms[training->n_transforms++] = transform;
	TRY(transform_train(training, step, transform));
	if (has_matrix(step))
		TRY(matrix_train(training, step));
	return rows_move_on(training, step);
}

static status steps_train(struct training *training)
{
	size_t n = training->parts->n_steps;

	if (n == 0)
		return status_ok();
	training->transforms = calloc(n, sizeof(FaissVectorTransform *));
	training->matrices = calloc(n, sizeof *training->matrices);
	if (!training->transforms || !training->matrices)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		TRY(step_train(training, &training->parts->steps[i]));
	return status_ok();
}

/* --- the core --- */

/* The centroids of an IVF, as FAISS would train them. A quantizer that has them is not trained again. */
static status lists_train(struct training *training, FaissIndex *quantizer, size_t n_lists)
{
	const struct kmeans_options options = {
		.dim = training->dim,
		.k = (uint32_t)n_lists,
		.iterations = LISTS_ITERATIONS,
		.spherical = faiss_Index_metric_type(quantizer) == METRIC_INNER_PRODUCT,
	};
	float *centroids;
	status s;

	if (training->n < n_lists)
		return status_make(STATUS_INVALID_ARGUMENT, "fewer rows than lists");
	centroids = malloc(sizeof *centroids * n_lists * training->dim);
	if (!centroids)
		return no_memory();
	s = kmeans_train(&options, training->rows, training->n, training->deadline, training->arena,
			 centroids, NULL);
	for (size_t i = 0; !status_failed(s) && i < n_lists; i += CENTROIDS_SLICE) {
		s = deadline_check(training->deadline);
		if (!status_failed(s) &&
		    faiss_Index_add(quantizer, (idx_t)least(n_lists - i, CENTROIDS_SLICE),
				    centroids + i * training->dim))
			s = faiss_failure(training->arena, STATUS_INTERNAL, "adding centroids");
	}
	free(centroids);
	return s;
}

/* What is left of rows when the centroids nearest to them are taken away. */
static status take_residuals(struct training *training, const FaissIndexIVF *ivf, const float *rows,
			     size_t n, float *ret)
{
	const FaissIndex *quantizer = faiss_IndexIVF_quantizer(ivf);
	size_t dim = training->dim, slice = kmeans_slice(dim, faiss_IndexIVF_nlist(ivf));
	float *distances = malloc(sizeof *distances * slice);
	idx_t *nearest = malloc(sizeof *nearest * slice);
	status s = distances && nearest ? status_ok() : no_memory();

	for (size_t first = 0; !status_failed(s) && first < n; first += slice) {
		idx_t left = (idx_t)least(n - first, slice);
		const float *some = rows + first * dim;

		s = deadline_check(training->deadline);
		if (!status_failed(s) &&
		    (faiss_Index_search(quantizer, left, some, 1, distances, nearest) ||
		     faiss_Index_compute_residual_n(quantizer, left, some, ret + first * dim,
						    nearest)))
			s = faiss_failure(training->arena, STATUS_INTERNAL, "taking residuals");
	}
	free(distances);
	free(nearest);
	return s;
}

static status codes_train(struct training *training, FaissIndex **core)
{
	const struct codebooks_options options = {.shape = training->parts->shape,
						  .iterations = CODES_ITERATIONS};
	size_t size = codebooks_floats(&options.shape), n;
	FaissIndexIVF *ivf = training->parts->residual ? faiss_IndexIVF_cast(*core) : NULL;
	const float *few;
	float *codebooks, *residuals = NULL;
	status s = status_ok();

	TRY(take_few(training, most(FEW_ROWS, (size_t)ROWS_PER_CENTROID << options.shape.bits),
		     &few, &n));
	if (n < (size_t)1 << options.shape.bits)
		return status_make(STATUS_INVALID_ARGUMENT, "fewer rows than codes");
	codebooks = malloc(sizeof(float) * size);
	if (ivf)
		residuals = malloc(sizeof(float) * n * training->dim);
	if (!codebooks || (ivf && !residuals))
		s = no_memory();
	if (!status_failed(s) && ivf)
		s = take_residuals(training, ivf, few, n, residuals);
	if (!status_failed(s))
		s = codebooks_train(&options, ivf ? residuals : few, n, training->deadline,
				    training->arena, codebooks, NULL);
	if (!status_failed(s))
		s = faiss_patch_codebooks(core, &options.shape, codebooks, training->arena);
	free(residuals);
	free(codebooks);
	return s;
}

/* What FAISS trains in one call: the ranges of scalar codes, for which it looks for the list of each row. */
static status rest_train(struct training *training, FaissIndex *core, size_t n_lists)
{
	uint64_t products = (uint64_t)most(n_lists, 1) * training->dim;
	const float *few;
	size_t n;

	TRY(take_few(training, least(FEW_ROWS, ONCE_PRODUCTS / products), &few, &n));
	TRY(deadline_check(training->deadline));
	if (faiss_Index_train(core, (idx_t)n, few))
		return faiss_failure(training->arena, STATUS_INVALID_ARGUMENT, "training");
	return status_ok();
}

static status core_train(struct training *training, FaissIndex **core)
{
	FaissIndexIVF *ivf = faiss_IndexIVF_cast(*core);
	size_t n_lists = ivf ? faiss_IndexIVF_nlist(ivf) : 0;

	if (faiss_Index_is_trained(*core))
		return status_ok();
	if (ivf)
		TRY(lists_train(training, faiss_IndexIVF_quantizer(ivf), n_lists));
	if (training->parts->coded)
		return codes_train(training, core);
	return rest_train(training, *core, n_lists);
}

/* --- all of it --- */

/* The transforms, and the core, become one index, which owns them. */
static status join(struct training *training, FaissIndex **core)
{
	FaissIndexPreTransform *joined = NULL;
	int failed = faiss_IndexPreTransform_new_with(&joined, *core);

	for (size_t i = training->n_transforms; !failed && i-- > 0;)
		failed = faiss_IndexPreTransform_prepend_transform(joined, training->transforms[i]);
	if (failed) {
		status s = faiss_failure(training->arena, STATUS_INTERNAL, "joining transforms");

		if (joined)
			faiss_Index_free(joined);
		return s;
	}
	faiss_IndexPreTransform_set_own_fields(joined, 1);
	training->n_transforms = 0;
	*core = joined;
	if (!training->patched)
		return status_ok();
	return faiss_patch_matrices(core, training->matrices, training->n_matrices,
				    training->arena);
}

status factory_train(const struct factory_parts *parts, FaissIndex **index, size_t n,
		     const float *rows, const struct deadline *deadline, struct arena *arena)
{
	SCOPED(training)
	training = &(struct training){
		.parts = parts,
		.deadline = deadline,
		.arena = arena,
		.rows = rows,
		.n = n,
		.dim = parts->n_steps > 0 ? parts->steps[0].from : parts->dim,
	};

	TRY(steps_train(training));
	TRY(core_train(training, index));
	TRY(deadline_check(deadline));
	return parts->n_steps > 0 ? join(training, index) : status_ok();
}
