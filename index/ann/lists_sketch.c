/* lists_sketch - centroids in the codes of rows, so that a query sees about what all lists promise in one
 * sweep of a few bytes for each.
 *
 * What is coded is the centroid less the mean, times a factor that makes it as long as residuals are on
 * average, since the codewords are for those. How wrong the codes are is measured, and told as what a
 * centroid's product with a query of length 1 is off by: a deviation, since errors lie in all directions.
 */
#include "index/ann/lists_build.h"

#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>

struct sketching {
	struct codes4_model model;
	float *rows;    /* [CODES4_ROWS][dim] owned; centroids less the mean, times the factor */
	float *rotated; /* [CODES4_ROWS][kept] owned */
	uint8_t *codes; /* [CODES4_ROWS][groups] owned */
	double square;  /* the sum of what codes are off by, squared */
};

static void sketching_finish(struct sketching *sketching)
{
	free(sketching->rows);
	free(sketching->rotated);
	free(sketching->codes);
}

SCOPE_DEFINE(sketching, sketching_finish)

static status sketching_init(struct sketching *sketching, struct building *building)
{
	const struct lists_shape *shape = &building->shape;

	sketching->model = building_model(building);
	sketching->rows = malloc(sizeof(float) * CODES4_ROWS * shape->dim);
	sketching->rotated = malloc(sizeof(float) * CODES4_ROWS * shape->kept);
	sketching->codes = malloc((size_t)CODES4_ROWS * shape->groups);
	building->sketches = calloc(codes4_bytes(&sketching->model, shape->n_lists), 1);
	if (!sketching->rows || !sketching->rotated || !sketching->codes || !building->sketches)
		return building_no_memory();
	return status_ok();
}

static void row_make(const struct building *building, uint32_t list, float *ret)
{
	size_t dim = building->shape.dim;
	const float *centroid = building->centroids + list * dim;

	for (size_t i = 0; i < dim; i++)
		ret[i] = centroid[i] - building->mean[i];
}

static float factor_of(const struct building *building, struct sketching *sketching)
{
	double residuals = 0, centroids = 0, factor;

	for (uint32_t list = 0; list < building->shape.n_lists; list++) {
		double norm, radius = (double)building->radius[list];

		row_make(building, list, sketching->rows);
		norm = vector_norm(sketching->rows, building->shape.dim);
		residuals += radius * radius;
		centroids += norm * norm;
	}
	factor = sqrt(residuals / centroids);
	return factor > 0x1p-40 && factor < 0x1p40 ? (float)factor : 1;
}

/* Of what stands in a group's axes, and the nearest codeword. */
static double group_square(const float *codewords, const float *rotated, uint32_t width,
			   uint8_t code)
{
	double square = 0;

	for (uint32_t i = 0; i < width; i++) {
		double error = (double)(rotated[i] - codewords[i * CODES4_WORDS + code]);

		square += error * error;
	}
	return square;
}

/* What the codes of a row say wrongly, and what is in the axes that they leave out. */
static double error_square(const struct codes4_model *model, const float *row, const float *rotated,
			   const uint8_t *codes)
{
	double norm = vector_norm(row, model->dim), kept = vector_norm(rotated, model->kept);
	double square = fmax(norm * norm - kept * kept, 0);
	const float *codewords = model->codewords;

	for (uint32_t group = 0; group < model->groups; group++) {
		uint32_t width = model->widths[group];

		square += group_square(codewords, rotated, width, codes[group]);
		rotated += width;
		codewords += (size_t)width * CODES4_WORDS;
	}
	return square;
}

/* n lists from `first` on, a block. */
static void block_make(struct building *building, struct sketching *sketching, uint32_t first,
		       uint32_t n)
{
	const struct codes4_model *model = &sketching->model;
	size_t dim = model->dim, kept = model->kept;

	for (uint32_t i = 0; i < n; i++) {
		row_make(building, first + i, sketching->rows + i * dim);
		for (size_t j = 0; j < dim; j++)
			sketching->rows[i * dim + j] *= building->squares.sketch_factor;
	}
	axes_apply(building->rotation, model->kept, model->dim, sketching->rows, n,
		   sketching->rotated);
	for (uint32_t i = 0; i < n; i++) {
		const float *rotated = sketching->rotated + i * kept;
		uint8_t *codes = sketching->codes + (size_t)i * model->groups;

		/* Nothing of a square is in them: its lowest code adds nothing. */
		codes4_encode(model, rotated, building->squares.low, codes);
		sketching->square += error_square(model, sketching->rows + i * dim, rotated, codes);
	}
	codes4_pack(model, sketching->codes, n,
		    building->sketches + first / CODES4_ROWS * codes4_block_bytes(model));
}

status lists_sketch(struct building *building)
{
	const struct lists_shape *shape = &building->shape;
	SCOPED(sketching) sketching = &(struct sketching){0};
	double square;

	TRY(sketching_init(sketching, building));
	building->squares.sketch_factor = factor_of(building, sketching);
	for (uint32_t first = 0; first < shape->n_lists; first += CODES4_ROWS) {
		uint32_t left = shape->n_lists - first;

		TRY(deadline_check(building->deadline));
		block_make(building, sketching, first, left < CODES4_ROWS ? left : CODES4_ROWS);
	}
	square = sketching->square / shape->n_lists / shape->dim;
	building->squares.sketch_error =
		(float)(sqrt(square) / (double)building->squares.sketch_factor);
	return status_ok();
}
