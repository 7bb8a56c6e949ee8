/* lists - a file that was looked at and mapped becomes lists. */
#include "index/ann/lists_state.h"

#include "kernels/base/error_info.h"

#include <stdio.h>
#include <stdlib.h>

static void name_make(struct lists *lists)
{
	snprintf(lists->name, sizeof lists->name, "ivf%u", lists->shape.n_lists);
}

static struct lists_entries entries_of(const uint32_t *part, uint32_t n)
{
	const float *floats = (const float *)(part + n + 1);

	return (struct lists_entries){
		.first = part,
		.radius = floats,
		.square = floats + n,
		.stretch = floats + 2 * (size_t)n,
	};
}

void lists_point(struct lists *lists, const struct lists_shape *shape, const unsigned char *map,
		 const struct block_layout *layout)
{
	const void *parts[LISTS_PARTS];
	const struct lists_squares *squares;

	for (size_t part = 0; part < LISTS_PARTS; part++)
		parts[part] = map + layout->parts[part].offset;
	squares = parts[LISTS_WIDTHS];
	lists->shape = *shape;
	lists->model = (struct codes4_model){
		.metric = shape->metric,
		.dim = shape->dim,
		.kept = shape->kept,
		.groups = shape->groups,
		.widths = (const uint32_t *)(squares + 1),
		.rotation = parts[LISTS_ROTATION],
		.codewords = parts[LISTS_CODEWORDS],
		.square_low = squares->low,
		.square_step = squares->step,
	};
	lists->mean = parts[LISTS_MEAN];
	lists->sketches = parts[LISTS_SKETCHES];
	lists->sketch_factor = squares->sketch_factor;
	lists->sketch_error = squares->sketch_error;
	lists->centroids = parts[LISTS_CENTROIDS];
	lists->entries = entries_of(parts[LISTS_ENTRIES], shape->n_lists);
	lists->places = parts[LISTS_PLACES];
	lists->codes4 = parts[LISTS_CODES4];
	lists->rows8 = parts[LISTS_ROWS8];
	lists->table = parts[LISTS_TABLE];
	name_make(lists);
}

/* first  [n + 1] ascending, up to end. */
static bool is_cut_well(const uint32_t *first, uint32_t n, uint32_t end)
{
	for (uint32_t i = 0; i < n; i++) {
		if (first[i] > first[i + 1])
			return false;
	}
	return first[0] == 0 && first[n] == end;
}

/* What a walk trusts. The rest are numbers that can only be wrong; checksums say that none is. */
static bool is_sound(const struct lists *lists)
{
	const struct lists_shape *shape = &lists->shape;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < lists->shape.groups; i++) {
		if (lists->model.widths[i] > CODES4_WIDTH_MAX)
			return false;
		kept += lists->model.widths[i];
	}
	return is_cut_well(lists->entries.first, shape->n_lists, lists_positions(shape)) &&
	       kept == shape->kept;
}

status lists_open(const struct sealed_file *file, const struct sealed *sealed, struct arena *arena,
		  struct lists **ret)
{
	const struct block_file block_file = lists_block_file(file);
	const struct lists_judging judging = {&block_file, file->config, sealed_length(sealed)};
	const struct block_judge judge = {lists_judge, &judging};
	struct lists_shape shape;
	SCOPED(lists) lists = calloc(1, sizeof *lists);

	if (!lists)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for lists"),
				 REASON_MEMORY_LIMIT);
	TRY(block_open(&block_file, &judge, arena, &lists->file));
	lists_shape_of(&lists->file.fields, &shape);
	lists_point(lists, &shape, lists->file.map, &lists->file.layout);
	if (!is_sound(lists))
		return block_damaged(&block_file, arena, NULL, "holds lists that cannot be");
	block_map_advise(&lists->file, LISTS_CODES4, BLOCK_SWEPT);
	block_map_advise(&lists->file, LISTS_SKETCHES, BLOCK_SWEPT);
	block_map_advise(&lists->file, LISTS_CENTROIDS, BLOCK_SWEPT);
	block_map_advise(&lists->file, LISTS_ROWS8, BLOCK_PICKED);
	*ret = TAKE(lists);
	return status_ok();
}

void lists_close(struct lists *lists)
{
	if (!lists)
		return;
	block_map_finish(&lists->file);
	free(lists);
}

bool lists_covers(const struct lists *lists, uint32_t depth, float recall, double share)
{
	struct lists_setting setting;

	return lists_choose(lists->table, depth, (double)recall, share, &setting);
}

const char *lists_name(const struct lists *lists)
{
	return lists->name;
}

_Static_assert(LISTS_DEPTHS <= CALIBRATION_CURVES_MAX && LISTS_TARGETS <= CALIBRATION_POINTS_MAX,
	       "there is room for the table");

void lists_calibration(const struct lists *lists, struct calibration *ret)
{
	for (uint32_t row = 0; row < LISTS_DEPTHS; row++) {
		ret->curves[row].depth = lists_depth(row);
		for (uint32_t column = 0; column < LISTS_TARGETS; column++) {
			const struct lists_setting *setting = &lists->table->settings[row][column];

			if (setting->keep)
				calibration_add(&ret->curves[row], setting->share,
						(float)lists_target(column));
		}
	}
}

uint64_t lists_memory_bytes(const struct lists *lists)
{
	return sizeof *lists;
}

uint64_t lists_disk_bytes(const struct lists *lists)
{
	return lists->file.layout.file_bytes;
}
