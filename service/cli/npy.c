/* npy - the rows of a .npy file, read with one pread each: the page cache is the buffer, and a file
 * that shrinks underneath is an error rather than a fault. */
#include "service/cli/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct npy {
	struct arena *arena; /* for details; borrowed */
	const char *path;
	int fd;
	struct npy_header header;
	size_t row_bytes;
	uint16_t *halves; /* one row, for float16 */
};

static status npy_fail(struct arena *arena, const char *path, const char *what)
{
	return status_format(arena, STATUS_UNAVAILABLE, "cannot %s %s: %s", what, path,
			     strerror(errno));
}

/* Reads exactly size bytes. */
static status npy_read(struct npy *npy, uint64_t at, void *ret, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(npy->fd, (char *)ret + done, size - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return npy_fail(npy->arena, npy->path, "read");
		if (n == 0)
			return status_format(npy->arena, STATUS_UNAVAILABLE,
					     "%s has become shorter", npy->path);
		done += (size_t)n;
	}
	return status_ok();
}

static status npy_read_header(struct npy *npy, enum npy_use use)
{
	struct stat file;
	uint8_t *start;
	size_t size;
	status parsed;

	if (fstat(npy->fd, &file) != 0)
		return npy_fail(npy->arena, npy->path, "read");
	if (!S_ISREG(file.st_mode))
		return status_format(npy->arena, STATUS_INVALID_ARGUMENT, "%s is no regular file",
				     npy->path);
	size = file.st_size < NPY_HEADER_MAX_BYTES ? (size_t)file.st_size : NPY_HEADER_MAX_BYTES;
	start = arena_alloc(npy->arena, size);
	if (!start)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a .npy header");
	TRY(npy_read(npy, 0, start, size));
	parsed = npy_header_parse(npy->arena, bytes_of(start, size), (uint64_t)file.st_size, use,
				  &npy->header);
	if (status_failed(parsed))
		return status_format(npy->arena, parsed.code, "%s: %s", npy->path, parsed.detail);
	return status_ok();
}

static status npy_open_for(struct arena *arena, const char *path, enum npy_use use,
			   struct npy **ret)
{
	SCOPED(npy) npy = calloc(1, sizeof *npy);

	if (!npy)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a .npy file");
	npy->arena = arena;
	npy->path = path;
	npy->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (npy->fd < 0)
		return npy_fail(arena, path, "open");
	TRY(npy_read_header(npy, use));
	npy->row_bytes = (size_t)npy->header.columns * (npy->header.type == NPY_FLOAT16 ? 2 : 4);
	if (npy->header.type == NPY_FLOAT16) {
		npy->halves = malloc(npy->row_bytes);
		if (!npy->halves)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a row");
	}
	*ret = TAKE(npy);
	return status_ok();
}

status npy_open(struct arena *arena, const char *path, struct npy **ret)
{
	return npy_open_for(arena, path, NPY_ANYTHING, ret);
}

status npy_open_vectors(struct arena *arena, const char *path, struct npy **ret)
{
	return npy_open_for(arena, path, NPY_VECTORS, ret);
}

void npy_close(struct npy *npy)
{
	if (!npy)
		return;
	if (npy->fd >= 0)
		close(npy->fd);
	free(npy->halves);
	free(npy);
}

const struct npy_header *npy_header_of(const struct npy *npy)
{
	return &npy->header;
}

const char *npy_path(const struct npy *npy)
{
	return npy->path;
}

float half_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half >> 15) << 31;
	uint32_t exponent = half >> 10 & 31, mantissa = half & 1023, word;
	float value;

	if (exponent == 31) { /* infinity and NaN */
		word = sign | 0x7f800000 | mantissa << 13;
	} else if (exponent > 0) {
		word = sign | (exponent + 127 - 15) << 23 | mantissa << 13;
	} else { /* zero and subnormals: mantissa times 2 to the -24, which float32 holds */
		value = (float)mantissa * 0x1p-24F;
		memcpy(&word, &value, sizeof word);
		word |= sign;
	}
	memcpy(&value, &word, sizeof value);
	return value;
}

status npy_read_floats(struct npy *npy, uint64_t row, float *ret)
{
	uint64_t at = npy->header.data_at + row * npy->row_bytes;

	switch (npy->header.type) {
	case NPY_FLOAT32:
		return npy_read(npy, at, ret, npy->row_bytes);
	case NPY_FLOAT16:
		TRY(npy_read(npy, at, npy->halves, npy->row_bytes));
		for (uint32_t i = 0; i < npy->header.columns; i++)
			ret[i] = half_to_float(npy->halves[i]);
		return status_ok();
	case NPY_INT32:
		break;
	}
	return status_format(npy->arena, STATUS_INVALID_ARGUMENT,
			     "%s holds integers; vectors must be float32 or float16", npy->path);
}

status npy_read_integers(struct npy *npy, uint64_t row, int32_t *ret)
{
	if (npy->header.type != NPY_INT32)
		return status_format(npy->arena, STATUS_INVALID_ARGUMENT,
				     "%s holds floats; it must be int32", npy->path);
	return npy_read(npy, npy->header.data_at + row * npy->row_bytes, ret, npy->row_bytes);
}

/* The header that numpy writes too: padded to a multiple of 64 bytes, so that the number of rows
 * can be filled in at the end without moving anything. */
#define WRITTEN_HEADER_BYTES 128

struct npy_writer {
	struct arena *arena;
	const char *path;
	FILE *file;
	uint32_t columns;
	uint64_t rows;
};

static status header_write(struct npy_writer *writer)
{
	char header[WRITTEN_HEADER_BYTES + 1];
	int size = snprintf(header, sizeof header,
			    "%cNUMPY%c%c%c%c{'descr': '<f4', 'fortran_order': False, "
			    "'shape': (%llu, %u), }",
			    0x93, 1, 0, WRITTEN_HEADER_BYTES - 10, 0,
			    (unsigned long long)writer->rows, writer->columns);

	memset(header + size, ' ', sizeof header - (size_t)size);
	header[WRITTEN_HEADER_BYTES - 1] = '\n';
	if (fwrite(header, 1, WRITTEN_HEADER_BYTES, writer->file) != WRITTEN_HEADER_BYTES)
		return npy_fail(writer->arena, writer->path, "write");
	return status_ok();
}

status npy_writer_open(struct arena *arena, const char *path, uint32_t columns,
		       struct npy_writer **ret)
{
	SCOPED(npy_writer) writer = calloc(1, sizeof *writer);

	if (!writer)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a .npy file");
	writer->arena = arena;
	writer->path = path;
	writer->columns = columns;
	writer->file = fopen(path, "wbe");
	if (!writer->file)
		return npy_fail(arena, path, "create");
	TRY(header_write(writer));
	*ret = TAKE(writer);
	return status_ok();
}

status npy_writer_append(struct npy_writer *writer, const float *values)
{
	if (fwrite(values, sizeof *values, writer->columns, writer->file) != writer->columns)
		return npy_fail(writer->arena, writer->path, "write");
	writer->rows++;
	return status_ok();
}

status npy_writer_finish(struct npy_writer *writer)
{
	FILE *file = writer->file;

	if (fseek(file, 0, SEEK_SET) != 0)
		return npy_fail(writer->arena, writer->path, "write");
	TRY(header_write(writer));
	writer->file = NULL;
	if (fclose(file) != 0)
		return npy_fail(writer->arena, writer->path, "write");
	return status_ok();
}

void npy_writer_close(struct npy_writer *writer)
{
	if (!writer)
		return;
	if (writer->file)
		fclose(writer->file);
	free(writer);
}
