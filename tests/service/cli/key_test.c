/* key - the line that sluice key prints is one that the server reads, with all that was asked for. */
#include "service/access/credentials.h"
#include "service/cli/cli.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 8

/* What a command prints; the key itself, which goes to standard error, stays there. */
static int run(const char *const *words, char *ret_out, size_t size)
{
	char *argv[WORDS_MAX + 2] = {(char *)"sluice"};
	FILE *file = tmpfile();
	int argc = 1, saved, result;
	size_t n;

	while (words[argc - 1]) {
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
		argc++;
	}
	cr_assert_not_null(file);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	result = cli_run(argc, argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	n = fread(ret_out, 1, size - 1, file);
	ret_out[n] = '\0';
	fclose(file);
	return result;
}

static const struct {
	const char *words[WORDS_MAX];
	const char *tail; /* behind the digest */
} cases[] = {
	{{"key", "app", "--scopes=read"}, ":read\n"},
	{{"key", "app", "--scopes=read,write", "--collections=docs,web-*"},
	 ":read,write:docs,web-*\n"},
	{{"key", "app", "--scopes=read", "--rate=50"}, ":read:*:50\n"},
	{{"key", "app", "--scopes=read", "--rate=50/200"}, ":read:*:50/200\n"},
	{{"key", "app", "--scopes=read", "--rate", "0"}, ":read:*:0\n"},
	{{"key", "app", "--scopes=read", "--collections=docs", "--rate=1000000"},
	 ":read:docs:1000000\n"},
};

Test(key, prints_what_it_was_asked_for)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		char line[512];
		const char *tail;

		arena_init(arena, 1 << 20);
		cr_assert_eq(run(cases[i].words, line, sizeof line), 0, "case %zu", i);
		cr_assert_eq(strncmp(line, "app:", 4), 0, "case %zu: %s", i, line);
		tail = strchr(line + 4, ':');
		cr_assert_not_null(tail, "case %zu: %s", i, line);
		cr_assert_str_eq(tail, cases[i].tail, "case %zu: %s", i, line);
		line[strlen(line) - 1] = '\0';
		cr_assert_not(status_failed(credential_line_check(line, arena)), "case %zu: %s", i,
			      line);
	}
}

static const char *const not_rates[] = {
	"--rate=", "--rate=-1", "--rate=1.5", "--rate=50/", "--rate=50/0", "--rate=1000001",
};

Test(key, makes_none_with_a_rate_that_is_none)
{
	for (size_t i = 0; i < sizeof not_rates / sizeof *not_rates; i++) {
		const char *const words[] = {"key", "app", "--scopes=read", not_rates[i], NULL};
		char line[512];

		cr_assert_eq(run(words, line, sizeof line), 2, "%s", not_rates[i]);
		cr_assert_str_eq(line, "", "%s", not_rates[i]);
	}
}
