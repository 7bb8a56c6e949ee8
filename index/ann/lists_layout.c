/* lists_layout - sizes, header and name of the file. */
#include "index/ann/lists_layout.h"

#include "index/ann/ann_file.h"
#include "kernels/rows8.h"

#include <string.h>

static const char *const part_names[LISTS_PARTS] = {
	"widths", "rotation", "codewords", "mean",  "sketches", "centroids",
	"lists",  "places",   "codes4",    "rows8", "table",
};

static const struct block_kind kind = {
	.magic = {'S', 'L', 'U', 'L', 'I', 'S', 'T', 'S'},
	.format = LISTS_FORMAT,
	.what = "lists",
	.suffix = BLOCK_SUFFIX_ANN,
	.n_parts = LISTS_PARTS,
	.part_names = part_names,
};

void lists_sizes(const struct lists_shape *shape, uint64_t *ret)
{
	const struct codes4_model model = {.groups = shape->groups};

	ret[LISTS_WIDTHS] = sizeof(struct lists_squares) + sizeof(uint32_t) * shape->groups;
	ret[LISTS_ROTATION] = sizeof(int16_t) * shape->kept * codes4_stride(shape->dim);
	ret[LISTS_CODEWORDS] = sizeof(float) * shape->kept * CODES4_WORDS;
	ret[LISTS_MEAN] = rows8_bytes(shape->dim);
	ret[LISTS_SKETCHES] = codes4_bytes(&model, shape->n_lists);
	ret[LISTS_CENTROIDS] = (uint64_t)shape->n_lists * rows8_bytes(shape->dim);
	ret[LISTS_ENTRIES] = sizeof(uint32_t) * ((uint64_t)shape->n_lists * 4 + 1);
	ret[LISTS_PLACES] = (uint64_t)lists_positions(shape) * sizeof(uint32_t);
	ret[LISTS_CODES4] = codes4_bytes(&model, lists_positions(shape));
	ret[LISTS_ROWS8] = (uint64_t)shape->n * rows8_bytes(shape->dim);
	ret[LISTS_TABLE] = sizeof(struct lists_table);
}

void lists_fields(const struct lists_shape *shape, struct block_fields *ret)
{
	*ret = (struct block_fields){.n = shape->n, .real = shape->copies};
	ret->numbers[LISTS_DIM] = shape->dim;
	ret->numbers[LISTS_METRIC] = shape->metric;
	ret->numbers[LISTS_N] = shape->n_lists;
	ret->numbers[LISTS_GROUPS] = shape->groups;
	ret->numbers[LISTS_KEPT] = shape->kept;
}

/* 0: what cannot be. */
static uint32_t copies_of(double real)
{
	return real >= 1 && real <= LISTS_COPIES_MAX ? (uint32_t)real : 0;
}

void lists_shape_of(const struct block_fields *fields, struct lists_shape *ret)
{
	*ret = (struct lists_shape){
		.metric = (enum metric)fields->numbers[LISTS_METRIC],
		.dim = fields->numbers[LISTS_DIM],
		.n = (uint32_t)fields->n,
		.n_lists = fields->numbers[LISTS_N],
		.groups = fields->numbers[LISTS_GROUPS],
		.kept = fields->numbers[LISTS_KEPT],
		.copies = copies_of(fields->real),
	};
}

static bool shape_is_possible(const struct lists_shape *shape)
{
	return shape->n_lists >= 1 && shape->n_lists <= LISTS_MAX && shape->n_lists <= shape->n &&
	       shape->groups >= 2 && shape->groups % 2 == 0 && shape->groups <= CODES4_GROUPS_MAX &&
	       shape->kept >= 1 && shape->kept <= shape->dim && shape->copies >= 1 &&
	       shape->copies <= LISTS_COPIES_MAX && shape->n <= UINT32_MAX / shape->copies;
}

status lists_judge(const void *context, const struct block_fields *fields,
		   const struct block_layout *layout, struct arena *arena)
{
	const struct lists_judging *judging = context;
	struct lists_shape shape;
	struct block_layout right;
	uint64_t sizes[LISTS_PARTS];

	lists_shape_of(fields, &shape);
	if (fields->n != judging->n)
		return block_damaged(judging->file, arena, "header",
				     "the header is of a segment of another length");
	if (shape.dim != judging->config->dim || shape.metric != judging->config->metric)
		return block_damaged(judging->file, arena, "header",
				     "the header is of other vectors than the collection's");
	if (!shape_is_possible(&shape))
		return block_damaged(judging->file, arena, "header",
				     "the header says what cannot be");
	lists_sizes(&shape, sizes);
	block_layout_init(&right, sizes, LISTS_PARTS);
	for (size_t part = 0; part < LISTS_PARTS; part++) {
		if (layout->parts[part].size != right.parts[part].size)
			return block_damaged(judging->file, arena, "header",
					     "the header contradicts itself");
	}
	return status_ok();
}

struct block_file lists_block_file(const struct sealed_file *file)
{
	return ann_file(file, &kind);
}
