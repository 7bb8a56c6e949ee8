/* factory - an index of FAISS's that was read, and what it finds. */
#include "index/ann/factory.h"

#include "index/ann/factory_file.h"
#include "kernels/base/error_info.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct factory {
	const struct sealed *sealed;
	struct factory_index *index; /* owned */
	struct factory_traits traits;
	struct factory_scaling scaling;
	struct factory_calibration calibration;
	uint64_t index_bytes, file_bytes;
};

/* --- opening --- */

struct judging {
	const struct sealed_file *file;
	const struct sealed *sealed;
};

static status judge(const void *context, const struct block_fields *fields,
		    const struct block_layout *layout, struct arena *arena)
{
	const struct judging *judging = context;
	const struct block_file block_file = factory_block_file(judging->file);

	if (fields->numbers[FACTORY_DIM] != judging->file->config->dim ||
	    fields->numbers[FACTORY_METRIC] != judging->file->config->metric ||
	    fields->n != sealed_length(judging->sealed))
		return block_damaged(&block_file, arena, "header",
				     "is for another dimension, metric or number of rows");
	if (layout->parts[FACTORY_CALIBRATION].size != sizeof(struct factory_calibration) ||
	    layout->parts[FACTORY_INDEX].size == 0 || !isnormal(fields->real) || fields->real < 0)
		return block_damaged(&block_file, arena, "header", "the header contradicts itself");
	return status_ok();
}

static status check_content(const struct factory *factory, const struct sealed_file *file,
			    struct arena *arena)
{
	const struct block_file block_file = factory_block_file(file);
	const struct factory_calibration *calibration = &factory->calibration;

	if (strncmp(calibration->factory, file->config->faiss_factory,
		    sizeof calibration->factory) != 0)
		return block_damaged(&block_file, arena, "header", "is of another factory string");
	if (factory_index_length(factory->index) != sealed_length(factory->sealed))
		return block_damaged(&block_file, arena, "header", "has another number of rows");
	return status_ok();
}

static status read_parts(struct factory *factory, const struct block_map *map, struct arena *arena)
{
	uint64_t size = map->layout.parts[FACTORY_INDEX].size;

	memcpy(&factory->calibration, block_map_part(map, FACTORY_CALIBRATION),
	       sizeof factory->calibration);
	factory->scaling.rows = (float)map->fields.real;
	factory->index_bytes = size;
	factory->file_bytes = map->layout.file_bytes;
	block_map_advise(map, FACTORY_INDEX, BLOCK_SWEPT);
	return factory_index_read(bytes_of(block_map_part(map, FACTORY_INDEX), size), arena,
				  &factory->index);
}

status factory_open(const struct sealed_file *file, const struct sealed *sealed,
		    struct arena *arena, struct factory **ret)
{
	const struct block_file block_file = factory_block_file(file);
	const struct judging judging = {file, sealed};
	SCOPED(block_map) map = &(struct block_map){0};
	SCOPED(factory) factory = NULL;

	factory = calloc(1, sizeof *factory);
	if (!factory)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for an index"),
				 REASON_MEMORY_LIMIT);
	factory->sealed = sealed;
	factory->scaling.metric = file->config->metric;
	factory->scaling.dim = file->config->dim;
	TRY(factory_parse(file->config->faiss_factory, file->config->dim, arena, &factory->traits));
	TRY(block_open(&block_file, &(struct block_judge){judge, &judging}, arena, map));
	TRY(read_parts(factory, map, arena));
	TRY(check_content(factory, file, arena));
	*ret = TAKE(factory);
	return status_ok();
}

void factory_close(struct factory *factory)
{
	if (!factory)
		return;
	factory_index_free(factory->index);
	free(factory);
}

const char *factory_name(const struct factory *factory)
{
	return factory->calibration.factory;
}

_Static_assert(FACTORY_DEPTHS <= CALIBRATION_CURVES_MAX && FACTORY_WIDTHS <= CALIBRATION_POINTS_MAX,
	       "there is room for what was measured");

void factory_calibration(const struct factory *factory, struct calibration *ret)
{
	double n_rows = sealed_length(factory->sealed);

	ret->candidates = true;
	for (size_t column = 0; column < FACTORY_DEPTHS; column++) {
		ret->curves[column].depth = factory_depth(column);
		for (size_t i = 0; i < FACTORY_WIDTHS; i++) {
			double share = (double)(factory_depth(column) << i) / n_rows;
			float recall = factory->calibration.recall[column][i];

			if (recall > 0)
				calibration_add(&ret->curves[column],
						(float)(share < 1 ? share : 1), recall);
		}
	}
}

uint64_t factory_memory_bytes(const struct factory *factory)
{
	return sizeof *factory + factory->index_bytes;
}

uint64_t factory_disk_bytes(const struct factory *factory)
{
	return factory->file_bytes;
}

/* --- searching --- */

/* How many of all rows have to be found for depth of those that count; 0: too many. */
static uint64_t depth_of_all(uint32_t depth, double share)
{
	double all = ceil((double)depth / (share > 1e-6 ? share : 1e-6));

	return all < (double)FACTORY_FOUND_MAX ? (uint64_t)all : FACTORY_FOUND_MAX;
}

bool factory_covers(const struct factory *factory, uint32_t depth, float recall, double share)
{
	return factory_candidates(&factory->calibration, depth_of_all(depth, share), recall) != 0;
}

/* What one search has to work with; all is the probe's arena's. */
struct finding {
	const struct factory *factory;
	struct ann_probe *probe;
	float *query;     /* [dim] scaled */
	float *scratch;   /* [dim] */
	int64_t *places;  /* [width] */
	float *distances; /* [width] */
	uint32_t width;
};

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to search an index"),
			 REASON_MEMORY_LIMIT);
}

static status search(struct finding *finding)
{
	const struct factory *factory = finding->factory;
	struct arena *memory = finding->probe->memory;

	finding->places = ARENA_ARRAY(memory, int64_t, finding->width);
	finding->distances = ARENA_ARRAY(memory, float, finding->width);
	if (!finding->places || !finding->distances)
		return no_memory();
	TRY(deadline_check(finding->probe->deadline));
	return factory_index_search(factory->index, finding->query, finding->width,
				    finding->distances, finding->places, memory);
}

static bool is_hit(const struct finding *finding, uint32_t i)
{
	const struct ann_probe *probe = finding->probe;
	int64_t place = finding->places[i];

	return place >= 0 && place < sealed_length(finding->factory->sealed) &&
	       (!probe->visible || probe->visible(probe->context, (uint32_t)place));
}

static uint32_t count_hits(const struct finding *finding)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < finding->width; i++)
		n += is_hit(finding, i);
	return n;
}

/* The exact score is the best of bounds. */
static void offer(const struct finding *finding)
{
	const struct factory_scaling *scaling = &finding->factory->scaling;
	struct ann_probe *probe = finding->probe;

	for (uint32_t i = 0; i < finding->width; i++) {
		uint32_t place = (uint32_t)finding->places[i];
		const float *vector;

		if (!is_hit(finding, i))
			continue;
		vector = sealed_vector(finding->factory->sealed, place, finding->scratch);
		window_offer(probe->window, (struct key){score_exact(scaling->metric, probe->query,
								     vector, scaling->dim),
							 probe->base + place});
	}
}

/* Codes that FAISS has read, as far as its parameters say: of a graph it is the least. */
static uint64_t rows_read(const struct factory *factory, uint32_t width)
{
	uint64_t n = sealed_length(factory->sealed), effort = factory->calibration.effort;

	if (factory->traits.lists)
		return n * effort / factory->traits.lists;
	if (!factory->traits.links)
		return n;
	effort = effort > width ? effort : width;
	return effort < n ? effort : n;
}

status factory_find(const struct factory *factory, struct ann_probe *probe)
{
	const struct factory_scaling *scaling = &factory->scaling;
	uint32_t n = sealed_length(factory->sealed);
	uint32_t max = n < FACTORY_FOUND_MAX ? n : FACTORY_FOUND_MAX;
	struct finding finding = {
		.factory = factory,
		.probe = probe,
		.query = ARENA_ARRAY(probe->memory, float, scaling->dim),
		.scratch = ARENA_ARRAY(probe->memory, float, scaling->dim),
		.width =
			factory_candidates(&factory->calibration,
					   depth_of_all(probe->depth, probe->share), probe->recall),
	};

	if (!finding.query || !finding.scratch)
		return no_memory();
	factory_scale_query(scaling, probe->query, finding.query);
	if (finding.width == 0 || finding.width > max)
		finding.width = max;
	for (;;) {
		TRY(search(&finding));
		probe->scanned += rows_read(factory, finding.width);
		if (finding.width == max || count_hits(&finding) >= probe->depth)
			break;
		finding.width = finding.width < max / 2 ? 2 * finding.width : max;
	}
	offer(&finding);
	return status_ok();
}
