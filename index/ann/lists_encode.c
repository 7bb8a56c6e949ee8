/* lists_encode - the parts of the file but for the table, in the order of positions. */
#include "index/ann/lists_build.h"

#include "kernels/score.h"

#include <stdlib.h>

struct encoding {
	struct codes4_model model;
	float *rows;          /* [LISTS_SLICE][dim] owned; residuals */
	float *rotated;       /* [LISTS_SLICE][kept] owned */
	float *squares;       /* [LISTS_SLICE] owned */
	uint8_t *codes;       /* [CODES4_ROWS][groups] owned */
	unsigned char *block; /* [block_bytes] owned */
	unsigned char *row8;  /* [rows8_bytes] owned */
	uint32_t list;        /* of the position that is next */
};

static void encoding_finish(struct encoding *encoding)
{
	free(encoding->rows);
	free(encoding->rotated);
	free(encoding->squares);
	free(encoding->codes);
	free(encoding->block);
	free(encoding->row8);
}

SCOPE_DEFINE(encoding, encoding_finish)

static status encoding_init(struct encoding *encoding, const struct building *building)
{
	const struct lists_shape *shape = &building->shape;

	encoding->model = building_model(building);
	encoding->rows = malloc(sizeof(float) * LISTS_SLICE * shape->dim);
	encoding->rotated = malloc(sizeof(float) * LISTS_SLICE * shape->kept);
	encoding->squares = calloc(LISTS_SLICE, sizeof *encoding->squares);
	encoding->codes = malloc((size_t)CODES4_ROWS * shape->groups);
	encoding->block = malloc(codes4_block_bytes(&encoding->model));
	encoding->row8 = malloc(rows8_bytes(shape->dim));
	if (!encoding->rows || !encoding->rotated || !encoding->squares || !encoding->codes ||
	    !encoding->block || !encoding->row8)
		return building_no_memory();
	return status_ok();
}

static status put(struct building *building, enum lists_part part, const void *data, size_t size)
{
	return block_writer_put(&building->writer, part, data, size);
}

static status put_rotation(struct building *building)
{
	const struct lists_shape *shape = &building->shape;
	size_t size = (size_t)shape->kept * codes4_stride(shape->dim) * sizeof(int16_t);
	int16_t *rounded = malloc(size);
	status s;

	if (!rounded)
		return building_no_memory();
	codes4_rotation_round(shape->dim, shape->kept, building->rotation, rounded);
	s = put(building, LISTS_ROTATION, rounded, size);
	free(rounded);
	return s;
}

/* means  [n][dim] */
static status put_means(struct building *building, struct encoding *encoding, enum lists_part part,
			const float *means, size_t n)
{
	const struct lists_shape *shape = &building->shape;

	for (size_t i = 0; i < n; i++) {
		rows8_encode(shape->metric, shape->dim, means + i * shape->dim, encoding->row8);
		TRY(put(building, part, encoding->row8, rows8_bytes(shape->dim)));
	}
	return status_ok();
}

static status put_entries(struct building *building, enum lists_part part,
			  const struct lists_entries *entries, size_t n)
{
	TRY(put(building, part, entries->first, (n + 1) * sizeof *entries->first));
	TRY(put(building, part, entries->radius, n * sizeof *entries->radius));
	TRY(put(building, part, entries->square, n * sizeof *entries->square));
	return put(building, part, entries->stretch, n * sizeof *entries->stretch);
}

/* All that does not grow with the rows. */
static status put_model(struct building *building, struct encoding *encoding)
{
	const struct lists_shape *shape = &building->shape;
	const struct lists_entries lists = {building->first, building->radius, building->square,
					    building->stretch};

	TRY(put(building, LISTS_WIDTHS, &building->squares, sizeof building->squares));
	TRY(put(building, LISTS_WIDTHS, building->widths,
		shape->groups * sizeof *building->widths));
	TRY(put_rotation(building));
	TRY(put(building, LISTS_CODEWORDS, building->codewords,
		(size_t)shape->kept * CODES4_WORDS * sizeof(float)));
	TRY(put_means(building, encoding, LISTS_MEAN, building->mean, 1));
	TRY(put(building, LISTS_SKETCHES, building->sketches,
		codes4_bytes(&encoding->model, shape->n_lists)));
	TRY(put_means(building, encoding, LISTS_CENTROIDS, building->centroids, shape->n_lists));
	TRY(put_entries(building, LISTS_ENTRIES, &lists, shape->n_lists));
	return put(building, LISTS_PLACES, building->places,
		   lists_positions(shape) * sizeof *building->places);
}

static status put_rows8(struct building *building, struct encoding *encoding)
{
	const struct lists_shape *shape = &building->shape;

	for (uint32_t place = 0; place < shape->n; place++) {
		if (place % LISTS_SLICE == 0)
			TRY(deadline_check(building->deadline));
		building_row(building, place, 1, encoding->rows);
		rows8_encode(shape->metric, shape->dim, encoding->rows, encoding->row8);
		TRY(put(building, LISTS_ROWS8, encoding->row8, rows8_bytes(shape->dim)));
	}
	return status_ok();
}

static void residual_make(const struct building *building, struct encoding *encoding,
			  uint32_t position, size_t i)
{
	const struct lists_shape *shape = &building->shape;
	float *row = encoding->rows + i * shape->dim;
	const float *centroid;

	while (position >= building->first[encoding->list + 1])
		encoding->list++;
	centroid = building->centroids + (size_t)encoding->list * shape->dim;
	building_row(building, building->places[position], 1, row);
	if (shape->metric == METRIC_L2) {
		double norm = vector_norm(row, shape->dim);

		encoding->squares[i] =
			(float)(-(norm * norm) - (double)building->square[encoding->list]);
	}
	for (size_t j = 0; j < shape->dim; j++)
		row[j] -= centroid[j];
}

/* The slice's blocks of codes. */
static status put_codes4(struct building *building, const struct encoding *encoding, uint32_t n)
{
	const struct lists_shape *shape = &building->shape;

	axes_apply(building->rotation, shape->kept, shape->dim, encoding->rows, n,
		   encoding->rotated);
	for (uint32_t first = 0; first < n; first += CODES4_ROWS) {
		uint32_t rows = n - first < CODES4_ROWS ? n - first : CODES4_ROWS;

		for (size_t i = 0; i < rows; i++)
			codes4_encode(
				&encoding->model, encoding->rotated + (first + i) * shape->kept,
				encoding->squares[first + i], encoding->codes + i * shape->groups);
		codes4_pack(&encoding->model, encoding->codes, rows, encoding->block);
		TRY(put(building, LISTS_CODES4, encoding->block,
			codes4_block_bytes(&encoding->model)));
	}
	return status_ok();
}

_Static_assert(LISTS_SLICE % CODES4_ROWS == 0, "a slice is whole blocks");

status lists_encode(struct building *building)
{
	uint32_t all = lists_positions(&building->shape);
	SCOPED(encoding) encoding = &(struct encoding){0};

	TRY(encoding_init(encoding, building));
	TRY(put_model(building, encoding));
	TRY(put_rows8(building, encoding));
	for (uint32_t first = 0; first < all; first += LISTS_SLICE) {
		uint32_t n = all - first < LISTS_SLICE ? all - first : LISTS_SLICE;

		TRY(deadline_check(building->deadline));
		for (uint32_t i = 0; i < n; i++)
			residual_make(building, encoding, first + i, i);
		TRY(put_codes4(building, encoding, n));
		building_tell(building, ANN_WRITE, 0.7 * ((double)first + n) / all);
	}
	return status_ok();
}
