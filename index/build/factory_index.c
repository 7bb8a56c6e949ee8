/* factory_index - the C interface of FAISS's indexes. */
#include "index/build/factory_index.h"

#include "index/build/factory_parts.h"
#include "index/build/factory_train.h"
#include "index/build/faiss_failure.h"
#include "index/build/threads.h"
#include "kernels/base/error_info.h"

#include <c_api/AutoTune_c.h>
#include <c_api/Index_c.h>
#include <c_api/index_factory_c.h>
#include <c_api/index_io_c.h>
#include <omp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct factory_index {
	FaissIndex *index;          /* owned; the core alone until it is trained */
	struct factory_parts parts; /* of one that was made here; else all zero */
	bool whole;
};

struct stream {
	FILE *file;
};

static void stream_close(struct stream *stream)
{
	if (stream->file)
		fclose(stream->file);
}

SCOPE_DEFINE(stream, stream_close)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for an index of FAISS"),
			 REASON_MEMORY_LIMIT);
}

static status index_new(struct factory_index **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret ? status_ok() : no_memory();
}

static status core_make(const char *factory, uint32_t dim, bool l2, struct arena *arena,
			FaissIndex **ret)
{
	if (faiss_index_factory(ret, (int)dim, factory, l2 ? METRIC_L2 : METRIC_INNER_PRODUCT))
		return faiss_failure(arena, STATUS_INVALID_ARGUMENT, factory);
	return status_ok();
}

/* All of it is made first: that is what FAISS has to say of the string. */
status factory_index_make(const char *factory, uint32_t dim, bool l2, struct arena *arena,
			  struct factory_index **ret)
{
	SCOPED(factory_index) made = NULL;

	TRY(index_new(&made));
	TRY(core_make(factory, dim, l2, arena, &made->index));
	TRY(factory_parts_init(&made->parts, factory, dim));
	if (strcmp(made->parts.core, factory) != 0) {
		faiss_Index_free(TAKE(made->index));
		TRY(core_make(made->parts.core, made->parts.dim, l2, arena, &made->index));
	}
	*ret = TAKE(made);
	return status_ok();
}

void factory_index_free(struct factory_index *index)
{
	if (!index)
		return;
	if (index->index)
		faiss_Index_free(index->index);
	factory_parts_finish(&index->parts);
	free(index);
}

status factory_index_train(struct factory_index *index, size_t n, const float *rows,
			   const struct deadline *deadline, struct arena *arena)
{
	build_threads_bound();
	if (index->whole)
		return status_ok();
	TRY(factory_train(&index->parts, &index->index, n, rows, deadline, arena));
	index->whole = true;
	return status_ok();
}

status factory_index_add(struct factory_index *index, size_t n, const float *rows,
			 struct arena *arena)
{
	build_threads_bound();
	if (faiss_Index_add(index->index, (idx_t)n, rows))
		return faiss_failure(arena, STATUS_INTERNAL, "adding rows");
	return status_ok();
}

uint64_t factory_index_length(const struct factory_index *index)
{
	return (uint64_t)faiss_Index_ntotal(index->index);
}

status factory_index_set(struct factory_index *index, const char *name, double value,
			 struct arena *arena)
{
	FaissParameterSpace *space = NULL;
	int failed;

	if (faiss_ParameterSpace_new(&space))
		return no_memory();
	failed = faiss_ParameterSpace_set_index_parameter(space, index->index, name, value);
	faiss_ParameterSpace_free(space);
	return failed ? faiss_failure(arena, STATUS_INTERNAL, name) : status_ok();
}

/* A team of one does not start threads: many searches at once would fight for the cores. The number
 * is the calling thread's own, and what it was comes back. */
status factory_index_search(const struct factory_index *index, const float *query, size_t k,
			    float *scratch, int64_t *ret_places, struct arena *arena)
{
	int threads = omp_get_max_threads(), failed;

	omp_set_num_threads(1);
	failed = faiss_Index_search(index->index, 1, query, (idx_t)k, scratch, ret_places);
	omp_set_num_threads(threads);
	return failed ? faiss_failure(arena, STATUS_INTERNAL, "searching") : status_ok();
}

/* FAISS writes to a FILE, so a sink becomes one. */
struct writing {
	const struct faiss_sink *sink;
	status status; /* of the sink */
};

static ssize_t pass_on(void *cookie, const char *data, size_t size)
{
	struct writing *writing = cookie;

	if (!status_failed(writing->status))
		writing->status = writing->sink->put(writing->sink->context, data, size);
	return status_failed(writing->status) ? 0 : (ssize_t)size;
}

status factory_index_write(const struct factory_index *index, const struct faiss_sink *sink,
			   struct arena *arena)
{
	struct writing writing = {.sink = sink};
	const cookie_io_functions_t functions = {.write = pass_on};
	FILE *file = fopencookie(&writing, "w", functions);
	int failed, not_flushed;

	if (!file)
		return no_memory();
	(void)setvbuf(file, NULL, _IOFBF, (size_t)1 << 16);
	failed = faiss_write_index(index->index, file);
	not_flushed = fclose(file);
	TRY(writing.status);
	if (failed)
		return faiss_failure(arena, STATUS_INTERNAL, "writing");
	return not_flushed ? no_memory() : status_ok();
}

status factory_index_read(struct bytes bytes, struct arena *arena, struct factory_index **ret)
{
	SCOPED(stream) stream = &(struct stream){0};
	SCOPED(factory_index) read = NULL;

	TRY(index_new(&read));
	stream->file = fmemopen((void *)(uintptr_t)bytes.data, bytes.size, "r");
	if (!stream->file)
		return no_memory();
	if (faiss_read_index(stream->file, 0, &read->index))
		return faiss_failure(arena, STATUS_INTERNAL, "reading");
	read->whole = true;
	*ret = TAKE(read);
	return status_ok();
}
