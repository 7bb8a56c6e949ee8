/* lists_encode - the parts of the file but for the table.
 *
 * Codes are made in the order of places, by several threads: a row is read and turned once for all lists that
 * it is in. Those of a range of positions are kept until it is full, and then written in their order by one.
 * P (x - c) is P (x - m) - P (c - m), where m is the mean of all rows: from far away it would be rounded
 * too coarsely.
 */
#include "index/ann/lists_build.h"

#include "index/build/crew.h"
#include "kernels/panels.h"
#include "kernels/score.h"

#include <stdlib.h>
#include <string.h>

/* Rows that a thread codes at a time. */
#define ROWS_PER_PART 480

/* Of which what is along the axes is made together. */
#define ROWS_AT_ONCE 24

/* Of rows8 that are made before they are written; of 4-bit codes likewise. */
#define ROWS8_BYTES ((size_t)8 << 20)
#define CODES4_BYTES ((size_t)64 << 20)

/* Positions first .. first + n, and their codes: pairs of groups to a byte, row by row. */
struct range {
	uint32_t first, n;
	unsigned char *codes; /* [n][groups / 2] owned */
};

struct encoding {
	struct building *building;
	struct codes4_model model;
	float *panels;    /* of the rotation; owned */
	float *centroids; /* [n_lists][kept in whole panels] owned; less the mean, turned */
	size_t stride;    /* of these, and of rows that are turned */
	struct range range;
	uint32_t first_place, n_places; /* of the rows8 in hand */
	unsigned char *rows8;           /* [n_places] owned */
};

static void encoding_finish(struct encoding *encoding)
{
	free(encoding->panels);
	free(encoding->centroids);
	free(encoding->range.codes);
	free(encoding->rows8);
}

SCOPE_DEFINE(encoding, encoding_finish)

/* Rows less the mean, turned: n up to ROWS_AT_ONCE. ret  [n][stride] */
static void turn(const struct encoding *encoding, float *rows, size_t n, float *ret)
{
	const struct building *building = encoding->building;
	size_t dim = building->shape.dim;
	const struct panels_product product = {
		.panels = encoding->panels,
		.n_panels = panels_count(building->shape.kept),
		.dim = dim,
		.vectors = rows,
		.n = n,
		.ret = ret,
	};

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < dim; k++)
			rows[i * dim + k] -= building->mean[k];
	}
	panels_multiply(&product);
}

static status centroids_turn(struct encoding *encoding)
{
	const struct building *building = encoding->building;
	size_t dim = building->shape.dim, n_lists = building->shape.n_lists;
	float *rows = malloc(sizeof *rows * ROWS_AT_ONCE * dim);

	if (!rows)
		return building_no_memory();
	for (size_t first = 0; first < n_lists; first += ROWS_AT_ONCE) {
		size_t n = n_lists - first < ROWS_AT_ONCE ? n_lists - first : ROWS_AT_ONCE;

		memcpy(rows, building->centroids + first * dim, sizeof *rows * n * dim);
		turn(encoding, rows, n, encoding->centroids + first * encoding->stride);
	}
	free(rows);
	return status_ok();
}

static status encoding_init(struct encoding *encoding, struct building *building)
{
	const struct lists_shape *shape = &building->shape;
	size_t n_panels = panels_count(shape->kept), row8_bytes = rows8_bytes(shape->dim);
	size_t pair_bytes = shape->groups / 2, most = CODES4_BYTES / pair_bytes;

	encoding->building = building;
	encoding->model = building_model(building);
	encoding->stride = n_panels * PANEL_ROWS;
	encoding->range.n = most < lists_positions(shape)
				    ? (uint32_t)(most / CODES4_ROWS * CODES4_ROWS)
				    : lists_positions(shape);
	encoding->n_places = (uint32_t)(ROWS8_BYTES / row8_bytes / ROWS_PER_PART * ROWS_PER_PART);
	encoding->panels = malloc(sizeof(float) * n_panels * PANEL_ROWS * shape->dim);
	encoding->centroids = malloc(sizeof(float) * shape->n_lists * encoding->stride);
	encoding->range.codes = malloc(encoding->range.n * pair_bytes);
	encoding->rows8 = malloc(encoding->n_places * row8_bytes);
	if (!encoding->panels || !encoding->centroids || !encoding->range.codes || !encoding->rows8)
		return building_no_memory();
	panels_make(building->rotation, shape->kept, shape->dim, encoding->panels);
	return centroids_turn(encoding);
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
		rows8_encode(shape->metric, shape->dim, means + i * shape->dim, encoding->rows8);
		TRY(put(building, part, encoding->rows8, rows8_bytes(shape->dim)));
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

/* --- rows --- */

static status crew_of(const struct encoding *encoding, uint32_t n_places,
		      status (*run)(void *, size_t, const struct crew_place *))
{
	const struct building *building = encoding->building;
	const struct crew_work work = {
		.n = (n_places + ROWS_PER_PART - 1) / ROWS_PER_PART,
		.run = run,
		.context = (void *)(uintptr_t)encoding,
		.deadline = building->deadline,
		.arena = building->arena,
	};

	return crew_run(&work);
}

static status encode_rows8(void *context, size_t part, const struct crew_place *place)
{
	const struct encoding *encoding = context;
	const struct lists_shape *shape = &encoding->building->shape;
	uint32_t first = (uint32_t)part * ROWS_PER_PART, end = first + ROWS_PER_PART;
	float *row = malloc(sizeof *row * shape->dim);

	(void)place;
	if (!row)
		return building_no_memory();
	end = end < encoding->n_places ? end : encoding->n_places;
	for (uint32_t i = first; i < end; i++) {
		building_row(encoding->building, encoding->first_place + i, 1, row);
		rows8_encode(shape->metric, shape->dim, row,
			     encoding->rows8 + i * rows8_bytes(shape->dim));
	}
	free(row);
	sealed_release(encoding->building->sealed, encoding->first_place + first, end - first);
	return status_ok();
}

static status put_rows8(struct building *building, struct encoding *encoding)
{
	uint32_t all = building->shape.n, most = encoding->n_places;

	for (uint32_t first = 0; first < all; first += encoding->n_places) {
		encoding->first_place = first;
		encoding->n_places = all - first < most ? all - first : most;
		TRY(crew_of(encoding, encoding->n_places, encode_rows8));
		TRY(put(building, LISTS_ROWS8, encoding->rows8,
			encoding->n_places * rows8_bytes(building->shape.dim)));
		building_tell(building, ANN_WRITE,
			      0.2 * ((double)first + encoding->n_places) / all);
	}
	return status_ok();
}

/* --- lists --- */

/* What a thread codes a few rows with. */
struct rows {
	float *values, *turned; /* [ROWS_AT_ONCE][dim], [ROWS_AT_ONCE][stride] owned */
	float *residual;        /* [stride] owned */
	uint8_t *codes;         /* [groups] owned */
	double squares[ROWS_AT_ONCE];
	uint32_t places[ROWS_AT_ONCE], n;
};

static void rows_finish(struct rows *rows)
{
	free(rows->values);
	free(rows->turned);
	free(rows->residual);
	free(rows->codes);
}

SCOPE_DEFINE(rows, rows_finish)

static status rows_init(struct rows *rows, const struct encoding *encoding)
{
	const struct lists_shape *shape = &encoding->building->shape;

	rows->values = malloc(sizeof(float) * ROWS_AT_ONCE * shape->dim);
	rows->turned = malloc(sizeof(float) * ROWS_AT_ONCE * encoding->stride);
	rows->residual = malloc(sizeof(float) * encoding->stride);
	rows->codes = malloc(shape->groups);
	return rows->values && rows->turned && rows->residual && rows->codes ? status_ok()
									     : building_no_memory();
}

static bool is_in_range(const struct encoding *encoding, uint32_t position)
{
	return position - encoding->range.first < encoding->range.n;
}

/* Against the centroid of the list that the position is of. */
static void position_encode(const struct encoding *encoding, const struct rows *rows, uint32_t i,
			    uint32_t position)
{
	const struct building *building = encoding->building;
	uint32_t list = building_list(building, position);
	const float *centroid = encoding->centroids + list * encoding->stride;
	const float *turned = rows->turned + i * encoding->stride;
	size_t n_pairs = building->shape.groups / 2;
	unsigned char *ret = encoding->range.codes + (position - encoding->range.first) * n_pairs;
	float square = 0;

	for (size_t k = 0; k < building->shape.kept; k++)
		rows->residual[k] = turned[k] - centroid[k];
	if (building->shape.metric == METRIC_L2)
		square = (float)(-rows->squares[i] - (double)building->square[list]);
	codes4_encode(&encoding->model, rows->residual, square, rows->codes);
	for (size_t pair = 0; pair < n_pairs; pair++)
		ret[pair] = (unsigned char)(rows->codes[2 * pair] | rows->codes[2 * pair + 1] << 4);
}

static void rows_encode(const struct encoding *encoding, struct rows *rows)
{
	const struct building *building = encoding->building;
	const struct lists_shape *shape = &building->shape;

	turn(encoding, rows->values, rows->n, rows->turned);
	for (uint32_t i = 0; i < rows->n; i++) {
		for (size_t copy = 0; copy < shape->copies; copy++) {
			uint32_t position =
				building->position_of[copy * shape->n + rows->places[i]];

			if (is_in_range(encoding, position))
				position_encode(encoding, rows, i, position);
		}
	}
	rows->n = 0;
}

/* A row that is in none of the lists in hand is not read. */
static void row_take(const struct encoding *encoding, struct rows *rows, uint32_t place)
{
	const struct building *building = encoding->building;
	const struct lists_shape *shape = &building->shape;
	float *row = rows->values + (size_t)rows->n * shape->dim;
	bool wanted = false;

	for (size_t copy = 0; copy < shape->copies; copy++)
		wanted |= is_in_range(encoding, building->position_of[copy * shape->n + place]);
	if (!wanted)
		return;
	building_row(building, place, 1, row);
	if (shape->metric == METRIC_L2) {
		double norm = vector_norm(row, shape->dim);

		rows->squares[rows->n] = norm * norm;
	}
	rows->places[rows->n++] = place;
	if (rows->n == ROWS_AT_ONCE)
		rows_encode(encoding, rows);
}

static status encode_codes4(void *context, size_t part, const struct crew_place *place)
{
	const struct encoding *encoding = context;
	const struct building *building = encoding->building;
	uint32_t first = (uint32_t)part * ROWS_PER_PART, end = first + ROWS_PER_PART;
	SCOPED(rows) rows = &(struct rows){0};

	(void)place;
	TRY(rows_init(rows, encoding));
	end = end < building->shape.n ? end : building->shape.n;
	for (uint32_t at = first; at < end; at++)
		row_take(encoding, rows, at);
	rows_encode(encoding, rows);
	sealed_release(building->sealed, first, end - first);
	return status_ok();
}

/* The range's blocks. */
static status range_put(const struct encoding *encoding)
{
	struct building *building = encoding->building;
	size_t n_pairs = building->shape.groups / 2;
	unsigned char block[CODES4_GROUPS_MAX / 2 * CODES4_ROWS];

	for (uint32_t first = 0; first < encoding->range.n; first += CODES4_ROWS) {
		uint32_t left = encoding->range.n - first;
		const unsigned char *codes = encoding->range.codes + first * n_pairs;

		memset(block, 0, n_pairs * CODES4_ROWS);
		for (size_t row = 0; row < CODES4_ROWS && row < left; row++, codes += n_pairs) {
			for (size_t pair = 0; pair < n_pairs; pair++)
				block[pair * CODES4_ROWS + row] = codes[pair];
		}
		TRY(put(building, LISTS_CODES4, block, n_pairs * CODES4_ROWS));
	}
	return status_ok();
}

static status put_codes4(struct building *building, struct encoding *encoding)
{
	uint32_t all = lists_positions(&building->shape), most = encoding->range.n;

	for (uint32_t first = 0; first < all; first += encoding->range.n) {
		encoding->range.first = first;
		encoding->range.n = all - first < most ? all - first : most;
		TRY(crew_of(encoding, building->shape.n, encode_codes4));
		TRY(range_put(encoding));
		building_tell(building, ANN_WRITE,
			      0.2 + 0.5 * ((double)first + encoding->range.n) / all);
	}
	return status_ok();
}

_Static_assert(ROWS8_BYTES / ROWS_PER_PART >= DIMENSION_MAX + 64, "some rows are made at a time");

status lists_encode(struct building *building)
{
	SCOPED(encoding) encoding = &(struct encoding){0};

	TRY(encoding_init(encoding, building));
	TRY(put_model(building, encoding));
	TRY(put_rows8(building, encoding));
	return put_codes4(building, encoding);
}
