/* faiss_patch - the places in FAISS's format that are written over. */
#include "index/build/faiss_patch.h"

#include "index/build/faiss_failure.h"
#include "kernels/base/error_info.h"
#include "kernels/base/scope.h"

#include <c_api/index_io_c.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An index begins with four letters, its dimension (32 bits), and three numbers of 64; then whether it is
 * trained; then its metric (32 bits). */
#define TRAINED_AT (4 + 4 + 3 * 8)
#define HEADER_BYTES (TRAINED_AT + 1 + 4)

/* A RandomRotationMatrix: these, no bias, and how many floats follow. */
#define ROTATION "rrot"

struct image {
	char *bytes; /* owned */
	size_t size;
};

static void image_finish(struct image *image)
{
	free(image->bytes);
}

SCOPE_DEFINE(image, image_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for an index of FAISS"),
			 REASON_MEMORY_LIMIT);
}

static status unexpected(void)
{
	return status_make(STATUS_INTERNAL, "FAISS writes an index in another way than expected");
}

static status image_take(struct image *image, const FaissIndex *index, struct arena *arena)
{
	FILE *file = open_memstream(&image->bytes, &image->size);
	int failed, not_flushed;

	if (!file)
		return no_memory();
	failed = faiss_write_index(index, file);
	not_flushed = fclose(file);
	if (failed)
		return faiss_failure(arena, STATUS_INTERNAL, "writing");
	return not_flushed ? no_memory() : status_ok();
}

static status image_read(const struct image *image, FaissIndex **index, struct arena *arena)
{
	FILE *file = fmemopen(image->bytes, image->size, "r");
	FaissIndex *read = NULL;
	int failed;

	if (!file)
		return no_memory();
	failed = faiss_read_index(file, 0, &read);
	fclose(file);
	if (failed)
		return faiss_failure(arena, STATUS_INTERNAL, "reading");
	faiss_Index_free(*index);
	*index = read;
	return status_ok();
}

/* Writes n floats over those that stand behind the mark, which is looked for from *at on. *at: where it was
 * found. */
static status image_put(struct image *image, size_t *at, const void *mark, size_t mark_size,
			const float *values, size_t n)
{
	char *found = memmem(image->bytes + *at, image->size - *at, mark, mark_size);

	if (!found || (size_t)(image->bytes + image->size - found) < mark_size + sizeof *values * n)
		return unexpected();
	*at = (size_t)(found - image->bytes);
	if (values)
		memcpy(found + mark_size, values, sizeof *values * n);
	return status_ok();
}

static status set_trained(struct image *image, size_t header)
{
	char *trained = image->bytes + header + TRAINED_AT;

	if (header + HEADER_BYTES > image->size || *trained != false)
		return unexpected();
	*trained = true;
	return status_ok();
}

/* It says its dimension, groups, bits and number of floats. */
status faiss_patch_codebooks(FaissIndex **index, const struct codebooks_shape *shape,
			     const float *codebooks, struct arena *arena)
{
	const uint64_t mark[] = {shape->dim, shape->groups, shape->bits, codebooks_floats(shape)};
	SCOPED(image) image = &(struct image){0};
	size_t at = 0;

	TRY(image_take(image, *index, arena));
	TRY(image_put(image, &at, mark, sizeof mark, codebooks, codebooks_floats(shape)));
	TRY(set_trained(image, 0));
	/* Of a graph it is within another index, which says so as well. */
	if (at > 2 * HEADER_BYTES && memcmp(image->bytes + at - HEADER_BYTES, "IxPq", 4) == 0)
		TRY(set_trained(image, at - HEADER_BYTES));
	TRY(image_read(image, index, arena));
	return faiss_Index_is_trained(*index) ? status_ok() : unexpected();
}

status faiss_patch_matrices(FaissIndex **index, const struct faiss_patch_matrix *matrices, size_t n,
			    struct arena *arena)
{
	SCOPED(image) image = &(struct image){0};
	size_t at = 0;

	TRY(image_take(image, *index, arena));
	for (size_t i = 0; i < n; i++) {
		uint64_t size = (uint64_t)matrices[i].rows * matrices[i].columns;
		char mark[sizeof ROTATION + sizeof size] = ROTATION;

		/* Behind the letters the zero of no bias. */
		memcpy(mark + sizeof ROTATION, &size, sizeof size);
		TRY(image_put(image, &at, mark, sizeof mark, matrices[i].values, size));
		at += sizeof mark + sizeof(float) * size;
	}
	return image_read(image, index, arena);
}
