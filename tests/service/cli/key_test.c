/* key - the line that sluice key prints is one that the server reads, with all that was asked for. */
#include "service/access/credentials.h"
#include "tests/service/cli/printed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *words[PRINTED_WORDS_MAX];
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

/* The key itself goes to standard error, and stays there. */
Test(key, prints_what_it_was_asked_for)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		char line[512];
		const char *tail;

		arena_init(arena, 1 << 20);
		cr_assert_eq(printed_by(cases[i].words, stdout, line, sizeof line), 0, "case %zu",
			     i);
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

		cr_assert_eq(printed_by(words, stdout, line, sizeof line), 2, "%s", not_rates[i]);
		cr_assert_str_eq(line, "", "%s", not_rates[i]);
	}
}
