/* check_report - messages into a pipe and out of it. */
#include "index/check_report.h"

#include "kernels/base/bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 5
#define MESSAGE_MAX ((uint32_t)1 << 20)

static void write_all(int descriptor, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(descriptor, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);
		at += n;
		size -= (size_t)n;
	}
}

static void write_head(int descriptor, enum check_message kind, size_t size)
{
	uint8_t head[HEAD_BYTES] = {(uint8_t)kind};

	store_u32(head + 1, (uint32_t)size);
	write_all(descriptor, head, sizeof head);
}

void check_say(int descriptor, enum check_message kind, const char *file, const char *what)
{
	size_t file_bytes = strlen(file) + 1, what_bytes = strlen(what) + 1;

	write_head(descriptor, kind, file_bytes + what_bytes);
	write_all(descriptor, file, file_bytes);
	write_all(descriptor, what, what_bytes);
}

void check_say_counts(int descriptor, const struct check_counts *counts)
{
	write_head(descriptor, CHECK_COUNTS, sizeof *counts);
	write_all(descriptor, counts, sizeof *counts);
}

static bool read_all(int descriptor, void *ret, size_t size)
{
	char *at = ret;

	while (size > 0) {
		ssize_t n = read(descriptor, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* Two strings, with their NULs. */
static bool parse_strings(const char *text, size_t size, struct check_said *ret)
{
	size_t first = strnlen(text, size) + 1;

	if (first >= size || text[size - 1] != '\0')
		return false;
	ret->file = text;
	ret->what = text + first;
	return true;
}

bool check_hear(int descriptor, struct arena *arena, struct check_said *ret)
{
	uint8_t head[HEAD_BYTES];
	uint32_t size;
	char *text;

	*ret = (struct check_said){0};
	if (!read_all(descriptor, head, sizeof head))
		return false;
	ret->kind = (enum check_message)head[0];
	size = load_u32(head + 1);
	if (ret->kind == CHECK_COUNTS)
		return size == sizeof ret->counts && read_all(descriptor, &ret->counts, size);
	if (size == 0 || size > MESSAGE_MAX)
		return false;
	text = arena_alloc(arena, size);
	return text && read_all(descriptor, text, size) && parse_strings(text, size, ret);
}
