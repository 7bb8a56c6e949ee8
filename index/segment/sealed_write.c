/* sealed_write - makes the file of a segment, part by part. The heads and tails of codes are made
 * together, so two parts are filled at once.
 */
#include "index/segment/sealed_layout.h"

#include "index/segment/block_name.h"
#include "index/segment/block_writer.h"
#include "kernels/float16.h"

#include <assert.h>
#include <stdlib.h>

struct writing {
	const struct collection_config *config;
	const struct sealed_source *source;
	const struct sealed_coding *coding;
	struct sealed_layout layout;
	struct block_writer blocks;
	unsigned char *memory;       /* owned; codes, then scratch */
	unsigned char *head, *tails; /* codes of CODES8_ROWS rows */
	float *scratch;              /* [CODES8_ROWS][dim] */
};

static void writing_finish(struct writing *writing)
{
	block_writer_finish(&writing->blocks);
	free(writing->memory);
}

SCOPE_DEFINE(writing, writing_finish)

static status write_rows(struct writing *writing)
{
	const struct sealed_source *source = writing->source;

	for (uint32_t place = 0; place < source->n; place++) {
		uint64_t row = source->row(source->context, place);

		assert(place == 0 || row > source->row(source->context, place - 1));
		TRY(block_writer_put(&writing->blocks, SEALED_ROWS, &row, sizeof row));
	}
	return status_ok();
}

static status write_vectors(struct writing *writing)
{
	const struct sealed_source *source = writing->source;
	uint32_t dim = writing->config->dim;
	bool half = sealed_is_half(writing->config);
	uint16_t *halves = (uint16_t *)(void *)(writing->scratch + dim);

	for (uint32_t place = 0; place < source->n; place++) {
		const float *vector = source->vector(source->context, place, writing->scratch);
		const void *stored = vector;

		for (size_t i = 0; half && i < dim; i++)
			halves[i] = float16_narrow(vector[i]);
		if (half)
			stored = halves;
		TRY(block_writer_put(&writing->blocks, SEALED_VECTORS, stored,
				     writing->layout.vector_bytes));
	}
	return status_ok();
}

/* Up to CODES8_ROWS rows from place on. */
static status write_block_of_codes(struct writing *writing, struct codes8_coder *coder,
				   uint32_t place)
{
	const struct sealed_source *source = writing->source;
	const struct codes8_shape *shape = &writing->layout.shape;
	uint32_t n = source->n - place < CODES8_ROWS ? source->n - place : CODES8_ROWS;
	const float *vectors[CODES8_ROWS];

	for (uint32_t i = 0; i < n; i++)
		vectors[i] = source->vector(source->context, place + i,
					    writing->scratch + (size_t)i * shape->dim);
	codes8_encode(coder, vectors, n, writing->head, writing->tails);
	TRY(block_writer_put(&writing->blocks, SEALED_HEADS, writing->head, shape->block_bytes));
	return block_writer_put(&writing->blocks, SEALED_TAILS, writing->tails,
				CODES8_ROWS * shape->tail_bytes);
}

static status write_codes(struct writing *writing)
{
	SCOPED(codes8_coder) coder = &(struct codes8_coder){0};

	TRY(codes8_coder_init(coder, &writing->layout.shape, writing->coding->rotation));
	for (uint32_t place = 0; place < writing->source->n; place += CODES8_ROWS)
		TRY(write_block_of_codes(writing, coder, place));
	return status_ok();
}

static status write_rotation(struct writing *writing)
{
	if (!writing->coding->rotation)
		return status_ok();
	return block_writer_put(&writing->blocks, SEALED_ROTATION,
				writing->coding->rotation->matrix,
				writing->layout.blocks.parts[SEALED_ROTATION].size);
}

static size_t aligned(size_t size)
{
	return (size + CODES8_ALIGNMENT - 1) / CODES8_ALIGNMENT * CODES8_ALIGNMENT;
}

static status writing_allocate(struct writing *writing)
{
	const struct codes8_shape *shape = &writing->layout.shape;
	size_t head = aligned(shape->block_bytes), tails = aligned(CODES8_ROWS * shape->tail_bytes);
	/* A vector and its halves are the least that write_vectors needs. */
	size_t scratch = aligned(sizeof(float) * CODES8_ROWS * shape->dim);

	writing->memory = malloc(CODES8_ALIGNMENT + head + tails + scratch);
	if (!writing->memory)
		return block_no_memory("memory to write a segment");
	writing->head =
		writing->memory + CODES8_ALIGNMENT - (uintptr_t)writing->memory % CODES8_ALIGNMENT;
	writing->tails = writing->head + head;
	writing->scratch = (float *)(void *)(writing->tails + tails);
	return status_ok();
}

static status writing_open(struct writing *writing, const struct block_file *file,
			   const struct deadline *deadline, struct arena *arena)
{
	uint64_t sizes[SEALED_PARTS];

	sealed_layout_init(&writing->layout, writing->config, writing->source->n,
			   writing->coding->head, writing->coding->rotation != NULL);
	for (size_t part = 0; part < SEALED_PARTS; part++)
		sizes[part] = writing->layout.blocks.parts[part].size;
	TRY(writing_allocate(writing));
	return block_writer_open(&writing->blocks, file, sizes, deadline, arena);
}

status sealed_write(const struct sealed_file *file, const struct sealed_source *source,
		    const struct sealed_coding *coding, const struct deadline *deadline,
		    struct arena *arena)
{
	const struct block_file block_file = sealed_block_file(file);
	struct block_fields fields;
	SCOPED(writing) writing = &(struct writing){
		.config = file->config,
		.source = source,
		.coding = coding,
	};

	assert(source->n >= 1 && source->n <= SEALED_ROWS_MAX);
	TRY(writing_open(writing, &block_file, deadline, arena));
	TRY(write_rows(writing));
	TRY(write_vectors(writing));
	TRY(write_codes(writing));
	TRY(write_rotation(writing));
	sealed_fields(&fields, file->config, source->n, coding);
	return block_writer_end(&writing->blocks, &fields);
}
