/* factory_build - train on a sample, add in slices, calibrate, write. */
#include "index/ann/factory.h"

#include "index/ann/factory_file.h"
#include "kernels/base/error_info.h"
#include "kernels/base/random.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_ROWS_MIN 16384
#define ROWS_PER_DIM 8

/* A slice grows while it takes less than this, and shrinks above twice as much. */
#define SLICE_NS INT64_C(300000000)
#define SLICE_ROWS_MIN 16
#define SLICE_ROWS_MAX 4096

struct building {
	struct factory_made made; /* its index is owned */
	const struct deadline *deadline;
	const struct ann_progress *progress;
	struct arena *arena;
	float *rows; /* owned: of a sample, or of a slice */
};

static void building_finish(struct building *building)
{
	factory_index_free(building->made.index);
	free(building->rows);
}

SCOPE_DEFINE(building, building_finish)

bool factory_is_wanted(const struct collection_config *config, uint64_t n_rows)
{
	struct factory_traits traits;

	return !status_failed(factory_parse(config->faiss_factory, config->dim, NULL, &traits)) &&
	       n_rows >= traits.rows_min && n_rows <= SEALED_ROWS_MAX;
}

static void tell(const struct building *building, enum ann_phase phase, float share)
{
	if (building->progress && building->progress->tell)
		building->progress->tell(building->progress->context, phase, share);
}

static status reserve_rows(struct building *building, size_t n)
{
	free(building->rows);
	building->rows = malloc(sizeof(float) * n * building->made.scaling.dim);
	if (!building->rows)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED,
					     "memory for rows to build an index of"),
				 REASON_MEMORY_LIMIT);
	return status_ok();
}

/* The row at a place, scaled, as the i-th of those on hand. */
static void take_row(struct building *building, size_t i, uint32_t place)
{
	const struct factory_scaling *scaling = &building->made.scaling;
	float *at = building->rows + i * scaling->dim;
	const float *vector = sealed_vector(building->made.sealed, place, at);

	for (uint32_t k = 0; k < scaling->dim; k++)
		at[k] = vector[k] * scaling->rows;
}

/* A power of two that brings the longest row to a length of about one. */
static status choose_scale(struct building *building)
{
	struct factory_scaling *scaling = &building->made.scaling;
	double longest = 0;
	int exponent;

	scaling->rows = 1;
	if (scaling->metric == METRIC_COSINE)
		return status_ok();
	TRY(reserve_rows(building, 1));
	for (uint32_t place = 0; place < sealed_length(building->made.sealed); place++) {
		double norm = vector_norm(
			sealed_vector(building->made.sealed, place, building->rows), scaling->dim);

		longest = norm > longest ? norm : longest;
		if (place % 1024 == 0)
			TRY(deadline_check(building->deadline));
	}
	if (longest < 0x1p-100)
		return status_ok();
	(void)frexp(longest, &exponent);
	scaling->rows = (float)ldexp(1, -exponent);
	return status_ok();
}

static size_t sample_rows(const struct building *building)
{
	uint64_t n = sealed_length(building->made.sealed);
	uint64_t least = building->made.traits.rows_min;
	uint64_t dims = (uint64_t)building->made.scaling.dim * ROWS_PER_DIM;
	uint64_t wanted = SAMPLE_ROWS_MIN;

	wanted = wanted > least ? wanted : least;
	wanted = wanted > dims ? wanted : dims;
	return wanted < n ? wanted : n;
}

/* One row of each part of the segment, anywhere in it: rows may repeat themselves in a rhythm. */
static status train(struct building *building)
{
	uint64_t n = sealed_length(building->made.sealed), state = 1;
	size_t taken = sample_rows(building);

	tell(building, ANN_TRAIN, 0);
	TRY(reserve_rows(building, taken));
	for (size_t i = 0; i < taken; i++) {
		uint64_t begin = n * i / taken, end = n * (i + 1) / taken;

		take_row(building, i,
			 (uint32_t)(begin + (random_next(&state) >> 33) % (end - begin)));
		if (i % 256 == 0)
			TRY(deadline_check(building->deadline));
	}
	TRY(factory_index_train(building->made.index, taken, building->rows, building->deadline,
				building->arena));
	TRY(deadline_check(building->deadline));
	tell(building, ANN_TRAIN, 1);
	return status_ok();
}

static status add(struct building *building)
{
	uint32_t n = sealed_length(building->made.sealed), slice = SLICE_ROWS_MIN;

	TRY(reserve_rows(building, SLICE_ROWS_MAX));
	for (uint32_t at = 0; at < n;) {
		uint32_t count = n - at < slice ? n - at : slice;
		int64_t begin = clock_ns(), took;

		for (uint32_t i = 0; i < count; i++)
			take_row(building, i, at + i);
		TRY(factory_index_add(building->made.index, count, building->rows,
				      building->arena));
		TRY(deadline_check(building->deadline));
		at += count;
		tell(building, ANN_ASSIGN, (float)at / (float)n);
		took = clock_ns() - begin;
		if (took < SLICE_NS && slice < SLICE_ROWS_MAX)
			slice *= 2;
		else if (took > 2 * SLICE_NS && slice > SLICE_ROWS_MIN)
			slice /= 2;
	}
	return status_ok();
}

static status check_rows(const struct building *building, const char *factory)
{
	uint32_t n = sealed_length(building->made.sealed);

	if (n >= building->made.traits.rows_min)
		return status_ok();
	return status_format(building->arena, STATUS_INVALID_ARGUMENT,
			     "factory \"%s\" needs %u rows, and there are %u", factory,
			     building->made.traits.rows_min, n);
}

status factory_build(const struct sealed_file *file, const struct sealed *sealed,
		     const struct deadline *deadline, const struct ann_progress *progress,
		     struct arena *arena)
{
	const struct collection_config *config = file->config;
	struct factory_calibration calibration = {0};
	SCOPED(building) building = &(struct building){
		.made = {.sealed = sealed, .scaling = {config->metric, config->dim, 1}},
		.deadline = deadline,
		.progress = progress,
		.arena = arena,
	};

	TRY(factory_parse(config->faiss_factory, config->dim, arena, &building->made.traits));
	TRY(check_rows(building, config->faiss_factory));
	TRY(factory_index_make(config->faiss_factory, config->dim, config->metric == METRIC_L2,
			       arena, &building->made.index));
	TRY(choose_scale(building));
	TRY(train(building));
	TRY(add(building));
	free(TAKE(building->rows));
	tell(building, ANN_WRITE, 0);
	TRY(factory_calibrate(&building->made, deadline, arena, &calibration));
	memcpy(calibration.factory, config->faiss_factory, sizeof config->faiss_factory);
	TRY(factory_write(file, &building->made, &calibration, deadline, arena));
	tell(building, ANN_WRITE, 1);
	return status_ok();
}
