/* lines - over a FILE and one buffer that grows to the longest line. */
#include "service/cli/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct lines {
	struct arena *arena;
	const char *path;
	FILE *file;
	uint8_t *block; /* LINE_MAX_BYTES and one for the NUL */
	size_t at, end; /* of what is read and not yet handed out */
	bool exhausted;
	uint64_t number, read_bytes, size_bytes;
	status failure;
};

#define BLOCK_BYTES ((size_t)LINE_MAX_BYTES + 2)

static status lines_fail(struct arena *arena, const char *what, const char *path)
{
	return status_format(arena, STATUS_UNAVAILABLE, "cannot %s %s: %s", what, path,
			     strerror(errno));
}

status lines_open(struct arena *arena, const char *path, struct lines **ret)
{
	SCOPED(lines) lines = calloc(1, sizeof *lines);
	struct stat file;

	if (!lines)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for lines");
	lines->arena = arena;
	lines->path = path;
	lines->file = fopen(path, "rbe");
	if (!lines->file || fstat(fileno(lines->file), &file) != 0)
		return lines_fail(arena, "open", path);
	if (S_ISDIR(file.st_mode))
		return status_format(arena, STATUS_UNAVAILABLE, "cannot open %s: it is a folder",
				     path);
	if (S_ISREG(file.st_mode))
		lines->size_bytes = (uint64_t)file.st_size;
	setvbuf(lines->file, NULL, _IONBF, 0);
	lines->block = malloc(BLOCK_BYTES);
	if (!lines->block)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for lines");
	*ret = TAKE(lines);
	return status_ok();
}

void lines_close(struct lines *lines)
{
	if (!lines)
		return;
	if (lines->file)
		fclose(lines->file);
	free(lines->block);
	free(lines);
}

/* Reads more behind what is there; false if there is no more, or no room. */
static bool lines_fill(struct lines *lines)
{
	size_t room, n;

	if (lines->at > 0) {
		memmove(lines->block, lines->block + lines->at, lines->end - lines->at);
		lines->end -= lines->at;
		lines->at = 0;
	}
	room = LINE_MAX_BYTES + 1 - lines->end;
	if (room > 256 << 10)
		room = 256 << 10;
	if (room == 0 || lines->exhausted)
		return false;
	n = fread(lines->block + lines->end, 1, room, lines->file);
	lines->exhausted = n < room;
	lines->end += n;
	return n > 0;
}

/* Without the byte order mark that some programs begin a UTF-8 file with. */
static struct bytes without_mark(struct bytes line)
{
	if (line.size < 3 || memcmp(line.data, "\xEF\xBB\xBF", 3) != 0)
		return line;
	return bytes_of(line.data + 3, line.size - 3);
}

/* The next line with blanks or without; LINES_END after the last. */
static enum lines_step line_take(struct lines *lines, struct bytes *ret)
{
	size_t searched = 0, size;
	uint8_t *end;

	for (;;) {
		end = memchr(lines->block + lines->at + searched, '\n',
			     lines->end - lines->at - searched);
		searched = lines->end - lines->at;
		if (end || !lines_fill(lines))
			break;
	}
	if (!end && ferror(lines->file)) {
		lines->failure = lines_fail(lines->arena, "read", lines->path);
		return LINES_FAIL;
	}
	size = end ? (size_t)(end - lines->block) - lines->at : lines->end - lines->at;
	if (!end && size == 0)
		return LINES_END;
	lines->number++;
	if (size > LINE_MAX_BYTES) {
		status too_long = {.code = STATUS_INVALID_ARGUMENT,
				   .detail = "the line has more than 4 MiB"};

		lines->failure = lines_complain(lines, too_long);
		return LINES_FAIL;
	}
	*ret = bytes_of(lines->block + lines->at, size);
	if (lines->number == 1)
		*ret = without_mark(*ret);
	lines->block[lines->at + size] = '\0';
	lines->at += size + (end ? 1 : 0);
	lines->read_bytes += size + (end ? 1 : 0);
	return LINES_LINE;
}

static bool is_blank(struct bytes line)
{
	for (size_t i = 0; i < line.size; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
			return false;
	return true;
}

enum lines_step lines_next(struct lines *lines, struct bytes *ret)
{
	enum lines_step step;

	if (status_failed(lines->failure))
		return LINES_FAIL;
	do {
		step = line_take(lines, ret);
	} while (step == LINES_LINE && is_blank(*ret));
	return step;
}

status lines_failure(const struct lines *lines)
{
	return lines->failure;
}

uint64_t lines_number(const struct lines *lines)
{
	return lines->number;
}

uint64_t lines_read_bytes(const struct lines *lines)
{
	return lines->read_bytes;
}

uint64_t lines_size_bytes(const struct lines *lines)
{
	return lines->size_bytes;
}

const char *lines_path(const struct lines *lines)
{
	return lines->path;
}

status lines_complain(const struct lines *lines, status failed)
{
	return status_format(lines->arena, failed.code, "%s:%llu: %s", lines->path,
			     (unsigned long long)lines->number, failed.detail);
}
