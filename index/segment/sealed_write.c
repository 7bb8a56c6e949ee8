/* sealed_write - makes the file of a segment, part by part.
 *
 * Each part fills blocks of its own, which are summed and written as they become full. The heads
 * and tails of codes are made together, so two parts may be filled at once.
 */
#include "index/segment/sealed_layout.h"

#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"
#include "kernels/float16.h"
#include "kernels/scanner.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One part that is being filled. */
struct stream {
	uint64_t offset; /* of the block on hand, in the file */
	size_t filled;
	unsigned char *block; /* [SEALED_BLOCK_BYTES] */
};

struct writing {
	const struct sealed_file *file;
	const struct sealed_source *source;
	const struct sealed_coding *coding;
	const struct deadline *deadline;
	struct arena *arena;
	struct sealed_layout layout;
	const char *path_new;  /* NULL: nothing is to be removed */
	int descriptor;        /* -1: none */
	uint32_t *table;       /* owned; table_bytes, a checksum for each block */
	unsigned char *memory; /* owned; the streams' blocks, then codes, then scratch */
	struct stream streams[2];
	unsigned char *head, *tails; /* codes of CODES8_ROWS rows */
	float *scratch;              /* [CODES8_ROWS][dim] */
	size_t bytes_unchecked;      /* since the last look at the deadline */
};

static void writing_finish(struct writing *writing)
{
	if (writing->descriptor >= 0)
		close(writing->descriptor);
	if (writing->path_new)
		unlink(writing->path_new);
	free(writing->table);
	free(writing->memory);
}

SCOPE_DEFINE(writing, writing_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to write a segment"),
			 REASON_MEMORY_LIMIT);
}

static status write_at(const struct writing *writing, const void *data, size_t size,
		       uint64_t offset)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = pwrite(writing->descriptor, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return sealed_failure(writing->file, writing->arena, "writing");
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return status_ok();
}

static void stream_begin(struct writing *writing, size_t i, enum sealed_part part)
{
	writing->streams[i].offset = writing->layout.parts[part].offset;
	writing->streams[i].filled = 0;
}

static status stream_write_block(struct writing *writing, struct stream *stream)
{
	uint64_t block = (stream->offset - writing->layout.data_offset) / SEALED_BLOCK_BYTES;

	writing->table[block] = checksum_crc32c(0, bytes_of(stream->block, SEALED_BLOCK_BYTES));
	TRY(write_at(writing, stream->block, SEALED_BLOCK_BYTES, stream->offset));
	stream->offset += SEALED_BLOCK_BYTES;
	stream->filled = 0;
	return status_ok();
}

static status stream_put(struct writing *writing, size_t i, const void *data, size_t size)
{
	struct stream *stream = &writing->streams[i];
	const unsigned char *at = data;

	writing->bytes_unchecked += size;
	if (writing->bytes_unchecked >= SCAN_STEP_BYTES) {
		writing->bytes_unchecked = 0;
		TRY(deadline_check(writing->deadline));
	}
	while (size > 0) {
		size_t room = SEALED_BLOCK_BYTES - stream->filled, n = size < room ? size : room;

		memcpy(stream->block + stream->filled, at, n);
		stream->filled += n;
		at += n;
		size -= n;
		if (stream->filled == SEALED_BLOCK_BYTES)
			TRY(stream_write_block(writing, stream));
	}
	return status_ok();
}

/* The zeros behind a part. */
static status stream_end(struct writing *writing, size_t i)
{
	struct stream *stream = &writing->streams[i];

	if (stream->filled == 0)
		return status_ok();
	memset(stream->block + stream->filled, 0, SEALED_BLOCK_BYTES - stream->filled);
	return stream_write_block(writing, stream);
}

static status write_rows(struct writing *writing)
{
	const struct sealed_source *source = writing->source;

	stream_begin(writing, 0, SEALED_ROWS);
	for (uint32_t place = 0; place < source->n; place++) {
		uint64_t row = source->row(source->context, place);

		assert(place == 0 || row > source->row(source->context, place - 1));
		TRY(stream_put(writing, 0, &row, sizeof row));
	}
	return stream_end(writing, 0);
}

static status write_vectors(struct writing *writing)
{
	const struct sealed_source *source = writing->source;
	uint32_t dim = writing->file->config->dim;
	bool half = sealed_is_half(writing->file->config);
	uint16_t *halves = (uint16_t *)(void *)(writing->scratch + dim);

	stream_begin(writing, 0, SEALED_VECTORS);
	for (uint32_t place = 0; place < source->n; place++) {
		const float *vector = source->vector(source->context, place, writing->scratch);
		const void *stored = vector;

		for (size_t i = 0; half && i < dim; i++)
			halves[i] = float16_narrow(vector[i]);
		if (half)
			stored = halves;
		TRY(stream_put(writing, 0, stored, writing->layout.vector_bytes));
	}
	return stream_end(writing, 0);
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
	TRY(stream_put(writing, 0, writing->head, shape->block_bytes));
	return stream_put(writing, 1, writing->tails, CODES8_ROWS * shape->tail_bytes);
}

static status write_codes(struct writing *writing)
{
	SCOPED(codes8_coder) coder = &(struct codes8_coder){0};

	TRY(codes8_coder_init(coder, &writing->layout.shape, writing->coding->rotation));
	stream_begin(writing, 0, SEALED_HEADS);
	stream_begin(writing, 1, SEALED_TAILS);
	for (uint32_t place = 0; place < writing->source->n; place += CODES8_ROWS)
		TRY(write_block_of_codes(writing, coder, place));
	TRY(stream_end(writing, 0));
	return stream_end(writing, 1);
}

static status write_rotation(struct writing *writing)
{
	if (!writing->coding->rotation)
		return status_ok();
	stream_begin(writing, 0, SEALED_ROTATION);
	TRY(stream_put(writing, 0, writing->coding->rotation->matrix,
		       writing->layout.parts[SEALED_ROTATION].size));
	return stream_end(writing, 0);
}

static status write_header(struct writing *writing)
{
	struct sealed_header header;
	struct bytes table = bytes_of(writing->table, writing->layout.table_bytes);

	sealed_header_init(&header, writing->file, writing->source->n, writing->coding,
			   &writing->layout);
	header.table_checksum = checksum_crc32c(0, table);
	sealed_header_seal(&header);
	TRY(write_at(writing, table.data, table.size, SEALED_HEADER_BYTES));
	return write_at(writing, &header, sizeof header, 0);
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

	writing->table = calloc(1, writing->layout.table_bytes);
	writing->memory =
		malloc(CODES8_ALIGNMENT + 2 * SEALED_BLOCK_BYTES + head + tails + scratch);
	if (!writing->table || !writing->memory)
		return no_memory();
	writing->streams[0].block =
		writing->memory + CODES8_ALIGNMENT - (uintptr_t)writing->memory % CODES8_ALIGNMENT;
	writing->streams[1].block = writing->streams[0].block + SEALED_BLOCK_BYTES;
	writing->head = writing->streams[1].block + SEALED_BLOCK_BYTES;
	writing->tails = writing->head + head;
	writing->scratch = (float *)(void *)(writing->tails + tails);
	return status_ok();
}

/* All of the room at once: a disk that is too full says so before the work is done. */
static status writing_open(struct writing *writing, const char *path_new)
{
	int error;

	writing->descriptor = open(path_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (writing->descriptor < 0)
		return sealed_failure(writing->file, writing->arena, "making");
	writing->path_new = path_new;
	error = posix_fallocate(writing->descriptor, 0, (off_t)writing->layout.file_bytes);
	if (error) {
		errno = error;
		return sealed_failure(writing->file, writing->arena, "taking room for");
	}
	return status_ok();
}

static status sync_directory(const struct writing *writing)
{
	const char *directory = writing->file->directory;
	int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status s = status_ok();

	if (descriptor < 0)
		return sealed_failure(writing->file, writing->arena, "opening the directory of");
	if (fsync(descriptor))
		s = sealed_failure(writing->file, writing->arena, "syncing the directory of");
	close(descriptor);
	return s;
}

static status writing_end(struct writing *writing, const char *path)
{
	int descriptor = writing->descriptor;

	if (fsync(descriptor))
		return sealed_failure(writing->file, writing->arena, "syncing");
	writing->descriptor = -1;
	if (close(descriptor))
		return sealed_failure(writing->file, writing->arena, "closing");
	if (rename(writing->path_new, path))
		return sealed_failure(writing->file, writing->arena, "renaming");
	writing->path_new = NULL;
	return sync_directory(writing);
}

status sealed_write(const struct sealed_file *file, const struct sealed_source *source,
		    const struct sealed_coding *coding, const struct deadline *deadline,
		    struct arena *arena)
{
	const char *path = sealed_path(file, arena), *path_new = sealed_path_new(file, arena);
	SCOPED(writing) writing = &(struct writing){
		.file = file,
		.source = source,
		.coding = coding,
		.deadline = deadline,
		.arena = arena,
		.descriptor = -1,
	};

	assert(source->n >= 1 && source->n <= SEALED_ROWS_MAX);
	if (!path || !path_new)
		return no_memory();
	sealed_layout_init(&writing->layout, file->config, source->n, coding->head,
			   coding->rotation != NULL);
	TRY(writing_allocate(writing));
	TRY(writing_open(writing, path_new));
	TRY(write_rows(writing));
	TRY(write_vectors(writing));
	TRY(write_codes(writing));
	TRY(write_rotation(writing));
	TRY(write_header(writing));
	return writing_end(writing, path);
}
