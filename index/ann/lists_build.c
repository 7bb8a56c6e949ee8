/* lists_build - makes the file: trains, assigns, writes, and measures what it wrote before it counts. */
#include "index/ann/lists_build.h"

#include "index/build/crew.h"
#include "index/file/file_io.h"
#include "kernels/base/error_info.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

/* The file that is being written, as readers will see it. */
struct draft {
	unsigned char *map; /* MAP_FAILED: none */
	size_t size;
};

static void draft_finish(struct draft *draft)
{
	if (draft->map != MAP_FAILED)
		file_unmap(draft->map, draft->size);
}

SCOPE_DEFINE(draft, draft_finish)

static void building_finish(struct building *building)
{
	block_writer_finish(&building->writer);
	free(building->centroids);
	free(building->list_of);
	free(building->position_of);
	free(building->places);
	free(building->first);
	free(building->counts);
	free(building->radius);
	free(building->square);
	free(building->stretch);
	free(building->mean);
	free(building->sketches);
	free(building->rotation);
	free(building->widths);
	free(building->codewords);
}

SCOPE_DEFINE(building, building_finish)

status building_no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to make lists"),
			 REASON_MEMORY_LIMIT);
}

struct codes4_model building_model(const struct building *building)
{
	return (struct codes4_model){
		.metric = building->shape.metric,
		.dim = building->shape.dim,
		.kept = building->shape.kept,
		.groups = building->shape.groups,
		.widths = building->widths,
		.codewords = building->codewords,
		.square_low = building->squares.low,
		.square_step = building->squares.step,
	};
}

void building_row(const struct building *building, uint32_t place, float factor, float *ret)
{
	const float *row = sealed_vector(building->sealed, place, ret);

	for (size_t i = 0; i < building->shape.dim; i++)
		ret[i] = row[i] * factor;
}

uint32_t building_list(const struct building *building, uint32_t position)
{
	uint32_t low = 0, high = building->shape.n_lists;

	/* The last that begins there or before: empty lists begin where the next one does. */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (building->first[middle] <= position)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint32_t building_sample_place(const struct building *building, uint32_t n_sample, uint32_t i)
{
	uint64_t n = building->shape.n, begin = n * i / n_sample, end = n * (i + 1) / n_sample;
	uint64_t mixed = ((uint64_t)i + 1) * UINT64_C(0x9E3779B97F4A7C15);

	return (uint32_t)(begin + (mixed >> 33) % (end - begin));
}

void building_tell(const struct building *building, enum ann_phase phase, double share)
{
	if (building->progress && building->progress->tell)
		building->progress->tell(building->progress->context, phase, (float)share);
}

static status draft_open(struct draft *draft, const struct building *building)
{
	const struct block_writer *writer = &building->writer;
	int descriptor = file_open(writer->path_new, O_RDONLY);

	if (descriptor < 0)
		return block_failure(writer->file, building->arena, "opening");
	draft->size = writer->layout.file_bytes;
	draft->map = file_map(NULL, draft->size, PROT_READ, MAP_SHARED, descriptor);
	(void)file_close(descriptor);
	return draft->map == MAP_FAILED ? building_no_memory() : status_ok();
}

/* All other parts are full, so the file has them. */
static status write_table(struct building *building)
{
	SCOPED(draft) draft = &(struct draft){.map = MAP_FAILED};
	struct lists lists = {0};
	struct lists_table table = {0};

	TRY(draft_open(draft, building));
	lists_point(&lists, &building->shape, draft->map, &building->writer.layout);
	TRY(lists_calibrate(building, &lists, &table));
	return block_writer_put(&building->writer, LISTS_TABLE, &table, sizeof table);
}

static status write_all(struct building *building, const struct block_file *file)
{
	uint64_t sizes[LISTS_PARTS];
	struct block_fields fields;

	lists_sizes(&building->shape, sizes);
	lists_fields(&building->shape, &fields);
	TRY(block_writer_open(&building->writer, file, sizes, building->deadline, building->arena));
	TRY(lists_encode(building));
	TRY(write_table(building));
	TRY(block_writer_end(&building->writer, &fields));
	building_tell(building, ANN_WRITE, 1);
	return status_ok();
}

status lists_build(const struct sealed_file *file, const struct sealed *sealed,
		   const struct deadline *deadline, const struct ann_progress *progress,
		   struct arena *arena)
{
	const struct block_file block_file = lists_block_file(file);
	SCOPED(building)
	building = &(struct building){
		.sealed = sealed,
		.config = file->config,
		.deadline = deadline,
		.progress = progress,
		.arena = arena,
		.crew = crew_size(CREW_MAX),
		.shape = {.metric = file->config->metric,
			  .dim = file->config->dim,
			  .n = sealed_length(sealed)},
		.scale = 1,
	};

	TRY(deadline_check(deadline));
	TRY(lists_train(building));
	TRY(lists_assign(building));
	TRY(lists_quantize(building));
	TRY(lists_sketch(building));
	return write_all(building, &block_file);
}
