/* rotation - sample, train, judge what came of it. */
#include "index/build/rotation.h"

#include "index/build/orthonormal.h"
#include "index/build/pca.h"
#include "kernels/base/error_info.h"
#include "kernels/base/random.h"
#include "kernels/score.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_ROWS_MAX 8192
#define ENERGY_ROWS_MAX 1024

/* A sample of rows, and memory to work in. */
struct training {
	uint32_t dim, n;
	float *sample;  /* [n][dim] owned */
	double *matrix; /* [dim][dim] owned */
};

static void training_finish(struct training *training)
{
	free(training->sample);
	free(training->matrix);
}

SCOPE_DEFINE(training, training_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to train a rotation"),
			 REASON_MEMORY_LIMIT);
}

/* One row of each n-th part of the source, anywhere in it: rows may repeat themselves in a rhythm. */
static uint32_t sample_place(const struct sealed_source *source, uint32_t n, uint32_t i,
			     uint64_t *state)
{
	uint64_t begin = (uint64_t)source->n * i / n, end = (uint64_t)source->n * (i + 1) / n;

	return (uint32_t)(begin + (random_next(state) >> 33) % (end - begin));
}

/* Long rows would leave float in FAISS's sums of products: the longest becomes of length one.
 * False: all are zero, or would be. */
static bool sample_scale(struct training *training)
{
	double longest = 0;

	for (size_t i = 0; i < training->n; i++) {
		double norm = vector_norm(training->sample + i * training->dim, training->dim);

		longest = norm > longest ? norm : longest;
	}
	if (longest < 0x1p-100)
		return false;
	for (size_t i = 0; i < (size_t)training->n * training->dim; i++)
		training->sample[i] = (float)((double)training->sample[i] / longest);
	return true;
}

static status sample_take(struct training *training, const struct sealed_source *source,
			  const struct deadline *deadline)
{
	uint64_t state = 1;

	for (uint32_t i = 0; i < training->n; i++) {
		float *at = training->sample + (size_t)i * training->dim;
		const float *vector = source->vector(
			source->context, sample_place(source, training->n, i, &state), at);

		if (vector != at)
			memcpy(at, vector, training->dim * sizeof *at);
		if (i % 256 == 0)
			TRY(deadline_check(deadline));
	}
	return status_ok();
}

static status training_init(struct training *training, const struct sealed_source *source,
			    uint32_t dim)
{
	training->dim = dim;
	training->n = source->n < SAMPLE_ROWS_MAX ? source->n : SAMPLE_ROWS_MAX;
	training->sample = malloc(sizeof(float) * training->n * dim);
	training->matrix = malloc(sizeof(double) * dim * dim);
	return training->sample && training->matrix ? status_ok() : no_memory();
}

/* The head that holds most of the energy of some of the sample. */
static status head_choose(const struct training *training, const struct codes8_rotation *rotation,
			  uint32_t *ret)
{
	size_t dim = training->dim;
	size_t n = training->n < ENERGY_ROWS_MAX ? training->n : ENERGY_ROWS_MAX;
	double *energy = calloc(2 * dim, sizeof *energy), *rotated = energy + dim;

	if (!energy)
		return no_memory();
	for (size_t i = 0; i < n; i++) {
		const float *vector = training->sample + i * training->n / n * dim;

		codes8_rotate(rotation, &vector, 1, rotated);
		for (size_t k = 0; k < dim; k++)
			energy[k] += rotated[k] * rotated[k];
	}
	*ret = codes8_head_choose(energy, training->dim, CODES8_HEAD_SHARE);
	free(energy);
	return status_ok();
}

/* Rounds the matrix and keeps it where it is of use. */
static status judge(const struct training *training, struct rotation *rotation)
{
	size_t n = (size_t)training->dim * training->dim;
	uint32_t head = 0;

	rotation->matrix = malloc(n * sizeof *rotation->matrix);
	if (!rotation->matrix)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		rotation->matrix[i] = (float)training->matrix[i];
	if (!status_failed(codes8_rotation_init(&rotation->codes, rotation->matrix, training->dim)))
		TRY(head_choose(training, &rotation->codes, &head));
	/* A rotation without a tail costs every query dim^2, and saves nothing. */
	if (head == 0 || head >= training->dim) {
		free(TAKE(rotation->matrix));
		head = 0;
	}
	rotation->head = head;
	return status_ok();
}

status rotation_train(const struct sealed_source *source, uint32_t dim,
		      const struct deadline *deadline, struct arena *arena, struct rotation *ret)
{
	SCOPED(training) training = &(struct training){0};
	SCOPED(rotation) rotation = &(struct rotation){0};

	*ret = (struct rotation){0};
	if (dim > ROTATION_DIM_MAX || source->n < (uint64_t)ROTATION_ROWS_PER_DIM * dim)
		return status_ok();
	TRY(training_init(training, source, dim));
	TRY(sample_take(training, source, deadline));
	if (!sample_scale(training))
		return status_ok();
	TRY(pca_find(training->sample, training->n, dim, arena, training->matrix));
	TRY(deadline_check(deadline));
	if (!orthonormal_make(training->matrix, dim))
		return status_ok();
	TRY(judge(training, rotation));
	*ret = *rotation;
	ret->codes.matrix = ret->matrix;
	rotation->matrix = NULL;
	return status_ok();
}

void rotation_finish(struct rotation *rotation)
{
	if (!rotation)
		return;
	free(rotation->matrix);
	*rotation = (struct rotation){0};
}
