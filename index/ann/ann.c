/* ann - which kind a collection has, and its functions. */
#include "index/ann/ann.h"

#include "index/ann/factory.h"
#include "index/ann/factory_file.h"
#include "index/ann/lists.h"
#include "index/ann/lists_layout.h"
#include "kernels/base/error_info.h"

#include <stdlib.h>

/* One of the two. */
struct ann {
	struct lists *lists;
	struct factory *factory;
};

enum ann_kind { ANN_NONE, ANN_LISTS, ANN_FACTORY };

static enum ann_kind kind_of(const struct collection_config *config)
{
	switch (config->index_kind) {
	case INDEX_FLAT:
		return ANN_NONE;
	case INDEX_FAISS:
		return ANN_FACTORY;
	case INDEX_UNSPECIFIED:
	case INDEX_IVF:
		return ANN_LISTS;
	}
	return ANN_NONE;
}

bool ann_is_wanted(const struct collection_config *config, uint64_t n_rows)
{
	uint64_t rows_min = config->index_kind == INDEX_IVF ? ANN_ROWS_MIN_IVF : ANN_ROWS_MIN;

	switch (kind_of(config)) {
	case ANN_LISTS:
		return n_rows >= rows_min && n_rows <= SEALED_ROWS_MAX;
	case ANN_FACTORY:
		return factory_is_wanted(config, n_rows);
	case ANN_NONE:
		break;
	}
	return false;
}

status ann_build(const struct sealed_file *file, const struct sealed *sealed,
		 const struct deadline *deadline, const struct ann_progress *progress,
		 struct arena *arena)
{
	if (kind_of(file->config) == ANN_FACTORY)
		return factory_build(file, sealed, deadline, progress, arena);
	return lists_build(file, sealed, deadline, progress, arena);
}

/* The file beside a segment; where the collection wants no index, what might still be there has the same
 * name. */
static struct block_file file_beside(const struct sealed_file *file)
{
	return kind_of(file->config) == ANN_FACTORY ? factory_block_file(file)
						    : lists_block_file(file);
}

status ann_remove(const struct sealed_file *file, struct arena *arena)
{
	const struct block_file block_file = file_beside(file);

	return block_remove(&block_file, arena);
}

status ann_open(const struct sealed_file *file, const struct sealed *sealed, struct arena *arena,
		struct ann **ret)
{
	const struct block_file block_file = file_beside(file);
	SCOPED(ann) ann = NULL;
	bool is_there = false, outdated = false;

	*ret = NULL;
	if (kind_of(file->config) == ANN_NONE)
		return status_ok();
	TRY(block_is_there(&block_file, arena, &is_there));
	if (is_there)
		TRY(block_is_older(&block_file, arena, &outdated));
	/* What an earlier version made is made anew: it follows from the segment. */
	if (!is_there || outdated)
		return status_ok();
	ann = calloc(1, sizeof *ann);
	if (!ann)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for an index"),
				 REASON_MEMORY_LIMIT);
	if (kind_of(file->config) == ANN_FACTORY)
		TRY(factory_open(file, sealed, arena, &ann->factory));
	else
		TRY(lists_open(file, sealed, arena, &ann->lists));
	*ret = TAKE(ann);
	return status_ok();
}

void ann_close(struct ann *ann)
{
	if (!ann)
		return;
	lists_close(ann->lists);
	factory_close(ann->factory);
	free(ann);
}

bool ann_covers(const struct ann *ann, uint32_t depth, float recall, double share)
{
	return ann->factory ? factory_covers(ann->factory, depth, recall, share)
			    : lists_covers(ann->lists, depth, recall, share);
}

status ann_find(const struct ann *ann, struct ann_probe *probe)
{
	return ann->factory ? factory_find(ann->factory, probe) : lists_find(ann->lists, probe);
}

const char *ann_name(const struct ann *ann)
{
	return ann->factory ? factory_name(ann->factory) : lists_name(ann->lists);
}

void ann_calibration(const struct ann *ann, struct calibration *ret)
{
	*ret = (struct calibration){0};
	if (ann->factory)
		factory_calibration(ann->factory, ret);
	else
		lists_calibration(ann->lists, ret);
}

uint64_t ann_memory_bytes(const struct ann *ann)
{
	return sizeof *ann +
	       (ann->factory ? factory_memory_bytes(ann->factory) : lists_memory_bytes(ann->lists));
}

uint64_t ann_disk_bytes(const struct ann *ann)
{
	return ann->factory ? factory_disk_bytes(ann->factory) : lists_disk_bytes(ann->lists);
}
