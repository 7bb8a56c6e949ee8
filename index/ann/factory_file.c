/* factory_file - FAISS writes through the blocks of a file, twice: to count, and then for good. */
#include "index/ann/factory_file.h"

#include "index/ann/ann_file.h"
#include "index/segment/block_writer.h"

static const char *const part_names[] = {
	[FACTORY_CALIBRATION] = "calibration",
	[FACTORY_INDEX] = "index",
};

static const struct block_kind kind = {
	.magic = "SLUICEfa",
	.format = FACTORY_FORMAT,
	.what = "factory index",
	.suffix = BLOCK_SUFFIX_ANN,
	.n_parts = FACTORY_PARTS,
	.part_names = part_names,
};

struct block_file factory_block_file(const struct sealed_file *file)
{
	return ann_file(file, &kind);
}

struct counting {
	uint64_t bytes;
	const struct deadline *deadline;
};

static status count(void *context, const void *data, size_t size)
{
	struct counting *counting = context;

	(void)data;
	counting->bytes += size;
	return deadline_check(counting->deadline);
}

static status put(void *context, const void *data, size_t size)
{
	return block_writer_put(context, FACTORY_INDEX, data, size);
}

status factory_write(const struct sealed_file *file, const struct factory_made *made,
		     const struct factory_calibration *calibration, const struct deadline *deadline,
		     struct arena *arena)
{
	const struct block_file block_file = factory_block_file(file);
	struct counting counting = {0, deadline};
	SCOPED(block_writer) writer = &(struct block_writer){0};
	const struct block_fields fields = {
		.numbers = {[FACTORY_DIM] = made->scaling.dim,
			    [FACTORY_METRIC] = made->scaling.metric},
		.n = sealed_length(made->sealed),
		.real = (double)made->scaling.rows,
	};
	uint64_t sizes[FACTORY_PARTS] = {[FACTORY_CALIBRATION] = sizeof *calibration};

	TRY(factory_index_write(made->index, &(struct faiss_sink){count, &counting}, arena));
	sizes[FACTORY_INDEX] = counting.bytes;
	TRY(block_writer_open(writer, &block_file, sizes, deadline, arena));
	TRY(block_writer_put(writer, FACTORY_CALIBRATION, calibration, sizeof *calibration));
	TRY(factory_index_write(made->index, &(struct faiss_sink){put, writer}, arena));
	return block_writer_end(writer, &fields);
}
