/* lines - ends of all kinds, blank lines, and lines that are too long. */
#include "service/cli/lines.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file of size bytes; the caller removes it. */
static void file_make(char *ret_path, size_t path_size, const void *data, size_t size)
{
	const char *folder = getenv("TEST_TMPDIR");
	int fd;

	snprintf(ret_path, path_size, "%s/lines_XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(ret_path);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

static const struct {
	const char *text;
	const char *want[4];
	uint64_t numbers[4];
} cases[] = {
	{"", {NULL}, {0}},
	{"\n\n  \n\r\n", {NULL}, {0}},
	{"a", {"a"}, {1}},
	{"a\n", {"a"}, {1}},
	{"a\nb", {"a", "b"}, {1, 2}},
	{"a\r\n\n \t\nb\n\n", {"a\r", "b"}, {1, 4}},
	{"\xEF\xBB\xBFx\n\xEF\xBB\xBFy", {"x", "\xEF\xBB\xBFy"}, {1, 2}},
	{"\xEF\xBB\xBF\r\na", {"a"}, {2}},
	{"\xEF\xBB\xBF", {NULL}, {0}},
};

Test(lines, gives_each_line_and_its_number)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		SCOPED(lines) lines = NULL;
		struct bytes line;
		char path[256];

		arena_init(arena, 65536);
		file_make(path, sizeof path, cases[i].text, strlen(cases[i].text));
		cr_assert(!status_failed(lines_open(arena, path, &lines)));
		for (size_t j = 0; cases[i].want[j]; j++) {
			cr_assert_eq(lines_next(lines, &line), LINES_LINE, "case %zu", i);
			cr_assert_str_eq((const char *)line.data, cases[i].want[j]);
			cr_assert_eq(line.size, strlen(cases[i].want[j]));
			cr_assert_eq(lines_number(lines), cases[i].numbers[j]);
		}
		cr_assert_eq(lines_next(lines, &line), LINES_END, "case %zu", i);
		cr_assert_eq(lines_read_bytes(lines), lines_size_bytes(lines));
		unlink(path);
	}
}

Test(lines, takes_the_longest_line_and_refuses_a_longer_one)
{
	size_t size = (size_t)LINE_MAX_BYTES + 4;
	uint8_t *data = malloc(size);

	cr_assert_not_null(data);
	for (size_t over = 0; over < 2; over++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		SCOPED(lines) lines = NULL;
		struct bytes line;
		char path[256];

		memset(data, 'x', size);
		data[0] = '\n';
		data[1 + LINE_MAX_BYTES + over] = '\n';
		arena_init(arena, 65536);
		file_make(path, sizeof path, data, 2 + LINE_MAX_BYTES + over);
		cr_assert(!status_failed(lines_open(arena, path, &lines)));
		if (over) {
			cr_assert_eq(lines_next(lines, &line), LINES_FAIL);
			cr_assert_not_null(strstr(lines_failure(lines).detail, ":2: "));
			cr_assert_eq(lines_next(lines, &line), LINES_FAIL);
		} else {
			cr_assert_eq(lines_next(lines, &line), LINES_LINE);
			cr_assert_eq(line.size, LINE_MAX_BYTES);
			cr_assert_eq(lines_next(lines, &line), LINES_END);
		}
		unlink(path);
	}
	free(data);
}

Test(lines, refuses_what_is_no_file)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(lines) lines = NULL;

	arena_init(arena, 65536);
	cr_assert_str_eq(lines_open(arena, "/nowhere/x", &lines).detail,
			 "cannot open /nowhere/x: No such file or directory");
	cr_assert_str_eq(lines_open(arena, "/", &lines).detail, "cannot open /: it is a folder");
}
