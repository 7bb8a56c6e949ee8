/* sealed_layout - headers of segments, made and judged. */
#include "index/segment/sealed_layout.h"

static const char *const part_names[] = {
	[SEALED_ROWS] = "rows",   [SEALED_VECTORS] = "vectors",   [SEALED_HEADS] = "heads",
	[SEALED_TAILS] = "tails", [SEALED_ROTATION] = "rotation",
};

static const struct block_kind kind = {
	.magic = "SLUICEsg",
	.format = SEALED_FORMAT,
	.what = "segment",
	.suffix = BLOCK_SUFFIX_SEGMENT,
	.n_parts = SEALED_PARTS,
	.part_names = part_names,
};

struct block_file sealed_block_file(const struct sealed_file *file)
{
	return (struct block_file){
		.kind = &kind,
		.directory = file->directory,
		.collection = file->config->name,
		.incarnation = file->incarnation,
		.id = file->id,
	};
}

void sealed_layout_init(struct sealed_layout *ret, const struct collection_config *config,
			uint64_t n, uint32_t head, bool rotated)
{
	uint64_t dim = config->dim, sizes[SEALED_PARTS];

	*ret = (struct sealed_layout){
		.vector_bytes = dim * (sealed_is_half(config) ? sizeof(uint16_t) : sizeof(float)),
	};
	codes8_shape_init(&ret->shape, config->metric, config->dim, head);
	sizes[SEALED_ROWS] = n * sizeof(uint64_t);
	sizes[SEALED_VECTORS] = n * ret->vector_bytes;
	sizes[SEALED_HEADS] = codes8_heads_bytes(&ret->shape, n);
	sizes[SEALED_TAILS] = codes8_tails_bytes(&ret->shape, n);
	sizes[SEALED_ROTATION] = rotated ? dim * dim * sizeof(float) : 0;
	block_layout_init(&ret->blocks, sizes, SEALED_PARTS);
}

uint64_t sealed_file_bytes(const struct collection_config *config, uint64_t n,
			   const struct sealed_coding *coding)
{
	struct sealed_layout layout;

	sealed_layout_init(&layout, config, n, coding->head, coding->rotation != NULL);
	return layout.blocks.file_bytes;
}

static uint32_t encoding_of(const struct collection_config *config)
{
	return sealed_is_half(config) ? ENCODING_FLOAT16 : ENCODING_FLOAT32;
}

void sealed_fields(struct block_fields *ret, const struct collection_config *config, uint64_t n,
		   const struct sealed_coding *coding)
{
	*ret = (struct block_fields){
		.numbers = {[SEALED_DIM] = config->dim,
			    [SEALED_METRIC] = config->metric,
			    [SEALED_ENCODING] = encoding_of(config),
			    [SEALED_HEAD] = coding->head,
			    [SEALED_ROTATED] = coding->rotation != NULL},
		.n = n,
		.real = coding->rotation ? coding->rotation->epsilon : 0,
	};
}

/* Whether the parts are as large as the fields say. Nothing here can overflow: dim and n are
 * bounded first. */
static bool sizes_agree(const struct block_fields *fields, const struct block_layout *layout,
			const struct collection_config *config)
{
	uint32_t head = fields->numbers[SEALED_HEAD];
	struct sealed_layout right;

	if (fields->n < 1 || fields->n > SEALED_ROWS_MAX || head % CODES8_HEAD_STEP != 0 ||
	    head >= config->dim + CODES8_HEAD_STEP)
		return false;
	sealed_layout_init(&right, config, fields->n, head, fields->numbers[SEALED_ROTATED]);
	for (size_t part = 0; part < SEALED_PARTS; part++) {
		if (layout->parts[part].size != right.blocks.parts[part].size)
			return false;
	}
	return true;
}

status sealed_judge(const void *context, const struct block_fields *fields,
		    const struct block_layout *layout, struct arena *arena)
{
	const struct sealed_file *file = context;
	const struct collection_config *config = file->config;
	const struct block_file block_file = sealed_block_file(file);

	if (fields->numbers[SEALED_DIM] != config->dim ||
	    fields->numbers[SEALED_METRIC] != config->metric ||
	    fields->numbers[SEALED_ENCODING] != encoding_of(config))
		return block_damaged(&block_file, arena, "header",
				     "has another dimension, metric or encoding");
	if (!sizes_agree(fields, layout, config))
		return block_damaged(&block_file, arena, "header", "the header contradicts itself");
	return status_ok();
}
