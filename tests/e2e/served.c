/* served - starts it, reads its lines, stops it. */
#include "tests/e2e/served.h"

#include "tests/e2e/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP_SECONDS 90.0

void served_start(struct served *served, const char *const *arguments, size_t n_lines)
{
	*served = (struct served){0};
	served->pid = program_start(arguments, &served->output);
	for (size_t i = 0; i < n_lines && i < SERVED_LINES_MAX; i++) {
		char *line = served->lines[i];
		size_t n = 0;

		while (n < sizeof served->lines[i] - 1 && read(served->output, line + n, 1) == 1 &&
		       line[n] != '\n')
			n++;
		cr_assert(line[n] == '\n', "%zu lines, then: \"%s\"", i, line);
		line[n] = 0;
	}
}

const char *served_address(const struct served *served, const char *word)
{
	for (size_t i = 0; i < SERVED_LINES_MAX; i++)
		if (strncmp(served->lines[i], word, strlen(word)) == 0)
			return served->lines[i] + strlen(word);
	cr_assert(false, "no line begins with \"%s\"", word);
	return "";
}

int served_await(struct served *served)
{
	int result = program_await(served->pid, STOP_SECONDS);

	close(served->output);
	return result;
}

int served_stop(struct served *served)
{
	kill(served->pid, SIGTERM);
	return served_await(served);
}

void file_write(const char *path, const char *text)
{
	const char *fresh = text_of("%s.fresh", path);
	FILE *out = fopen(fresh, "we");

	cr_assert_not_null(out, "%s", fresh);
	cr_assert_geq(fputs(text, out), 0);
	cr_assert_eq(fclose(out), 0);
	cr_assert_eq(rename(fresh, path), 0);
}

/* Absolute: a link to it is made elsewhere. */
const char *tls_file(const char *name)
{
	char *path = realpath(text_of("tests/data/tls/%s", name), NULL);
	const char *copy;

	cr_assert_not_null(path, "%s", name);
	copy = text_of("%s", path);
	free(path);
	return copy;
}
