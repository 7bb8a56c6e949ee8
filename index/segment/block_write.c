/* block_write - makes a block file, part by part.
 *
 * Each part fills blocks of its own, which are summed and written as they become full.
 */
#include "index/segment/block_writer.h"

#include "index/file/file_io.h"
#include "index/segment/block_header.h"
#include "index/segment/block_name.h"
#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"
#include "kernels/scanner.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void block_writer_finish(struct block_writer *writer)
{
	if (!writer->file)
		return;
	if (writer->descriptor >= 0)
		(void)file_close(writer->descriptor);
	if (writer->path_new)
		(void)file_remove(writer->path_new);
	for (size_t part = 0; part < BLOCK_PARTS_MAX; part++)
		free(writer->streams[part].block);
	free(writer->table);
	*writer = (struct block_writer){0};
}

static status write_at(const struct block_writer *writer, const void *data, size_t size,
		       uint64_t offset)
{
	if (file_write(writer->descriptor, data, size, offset))
		return block_failure(writer->file, writer->arena, "writing");
	return status_ok();
}

/* All of the room at once: a disk that is too full says so before the work is done. */
static status take_room(struct block_writer *writer, const char *path_new)
{
	writer->descriptor = file_open(path_new, O_WRONLY | O_CREAT | O_TRUNC);
	if (writer->descriptor < 0)
		return block_failure(writer->file, writer->arena, "making");
	writer->path_new = path_new;
	if (file_allocate(writer->descriptor, writer->layout.file_bytes))
		return block_failure(writer->file, writer->arena, "taking room for");
	return status_ok();
}

status block_writer_open(struct block_writer *writer, const struct block_file *file,
			 const uint64_t *sizes, const struct deadline *deadline,
			 struct arena *arena)
{
	const char *path_new = block_path_new(file, arena);

	*writer = (struct block_writer){
		.file = file,
		.deadline = deadline,
		.arena = arena,
		.path = block_path(file, arena),
		.descriptor = -1,
	};
	block_layout_init(&writer->layout, sizes, file->kind->n_parts);
	assert(writer->layout.n_blocks <= UINT32_MAX);
	writer->table = calloc(1, writer->layout.table_bytes);
	if (!writer->table || !writer->path || !path_new)
		return block_no_memory("memory to write a file");
	return take_room(writer, path_new);
}

/* The block on hand, which holds the part's bytes up to done and from the last multiple on. */
static status write_block(struct block_writer *writer, size_t part)
{
	struct block_stream *stream = &writer->streams[part];
	uint64_t in_part = (stream->done - 1) / BLOCK_BYTES * BLOCK_BYTES;
	uint64_t offset = writer->layout.parts[part].offset + in_part;

	writer->table[(offset - writer->layout.data_offset) / BLOCK_BYTES] =
		checksum_crc32c(0, bytes_of(stream->block, BLOCK_BYTES));
	return write_at(writer, stream->block, BLOCK_BYTES, offset);
}

/* As much of it as the block on hand has room for; ret_taken says how much that was. */
static status put_some(struct block_writer *writer, size_t part, const void *data, size_t size,
		       size_t *ret_taken)
{
	struct block_stream *stream = &writer->streams[part];
	size_t filled = stream->done % BLOCK_BYTES, room = BLOCK_BYTES - filled;
	bool last;

	if (!stream->block && !(stream->block = malloc(BLOCK_BYTES)))
		return block_no_memory("memory to write a file");
	size = size < room ? size : room;
	memcpy(stream->block + filled, data, size);
	stream->done += size;
	*ret_taken = size;
	last = stream->done == writer->layout.parts[part].size;
	if (!last && size < room)
		return status_ok();
	memset(stream->block + filled + size, 0, room - size);
	TRY(write_block(writer, part));
	if (last)
		free(TAKE(stream->block));
	return status_ok();
}

status block_writer_put(struct block_writer *writer, size_t part, const void *data, size_t size)
{
	const unsigned char *at = data;

	assert(part < writer->layout.n_parts &&
	       size <= writer->layout.parts[part].size - writer->streams[part].done);
	writer->bytes_unchecked += size;
	if (writer->bytes_unchecked >= SCAN_STEP_BYTES) {
		writer->bytes_unchecked = 0;
		TRY(deadline_check(writer->deadline));
	}
	while (size > 0) {
		size_t taken = 0;

		TRY(put_some(writer, part, at, size, &taken));
		at += taken;
		size -= taken;
	}
	return status_ok();
}

static status write_header(struct block_writer *writer, const struct block_fields *fields)
{
	struct block_header header;
	struct bytes table = bytes_of(writer->table, writer->layout.table_bytes);

	block_header_init(&header, writer->file, fields, &writer->layout,
			  checksum_crc32c(0, table));
	TRY(write_at(writer, table.data, table.size, BLOCK_HEADER_BYTES));
	return write_at(writer, &header, sizeof header, 0);
}

static status sync_directory(const struct block_writer *writer)
{
	if (file_sync_directory(writer->file->directory))
		return block_failure(writer->file, writer->arena, "syncing the directory of");
	return status_ok();
}

status block_writer_end(struct block_writer *writer, const struct block_fields *fields)
{
	int descriptor = writer->descriptor;

	for (size_t part = 0; part < writer->layout.n_parts; part++)
		assert(writer->streams[part].done == writer->layout.parts[part].size);
	TRY(write_header(writer, fields));
	if (file_sync(descriptor))
		return block_failure(writer->file, writer->arena, "syncing");
	writer->descriptor = -1;
	if (file_close(descriptor))
		return block_failure(writer->file, writer->arena, "closing");
	if (file_rename(writer->path_new, writer->path))
		return block_failure(writer->file, writer->arena, "renaming");
	writer->path_new = NULL;
	return sync_directory(writer);
}
