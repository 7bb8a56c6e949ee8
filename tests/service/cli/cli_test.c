/* cli - exit statuses, and what a user is told where there is no server. */
#include "service/cli/cli.h"
#include "tests/service/cli/printed.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *words[PRINTED_WORDS_MAX];
	int result;
	const char *want; /* how the error begins */
} cases[] = {
	{{"nonsense"}, 2, "error: unknown command \"nonsense\"; see sluice help\n"},
	{{"optimize"}, 2, "error: usage: sluice optimize NAME [--progress WHEN]\n"},
	{{"optimize", "x", "--progress=x"}, 2, "error: --progress must be always, never or auto"},
	{{"key", "x"}, 2, "error: --scopes is needed: of read, write and admin\n"},
	{{"key", "x", "--scopes=read", "--rate=fast"}, 2, "error: \"fast\" is no rate"},
	{{"count"}, 2, "error: usage: sluice count NAME [--filter F]\n"},
	{{"count", "a", "b"}, 2, "error: usage: sluice count NAME [--filter F]\n"},
	{{"count", "a", "--server", "nowhere"}, 2, "error: the server's address \"nowhere\" must"},
	{{"create", "a"}, 2, "error: create needs --dimension\n"},
	{{"create", "a", "--dimension=0"}, 2, "error: --dimension must be a whole number"},
	{{"create", "a", "--dimension=3", "--metric=x"}, 2, "error: --metric must be"},
	{{"create", "a", "--dimension=3", "--field=x"}, 2, "error: --field must be"},
	{{"create", "a", "--dimension=3", "--index=x"}, 2, "error: --index must be"},
	{{"create", "a", "--dimension=3", "--encoding=x"}, 2, "error: --encoding must be"},
	{{"search", "a"}, 2, "error: search needs one of"},
	{{"search", "a", "--like=b", "--vector=[1]"}, 2, "error: search needs one of"},
	{{"search", "a", "--like=b", "--row=1"}, 2, "error: --row goes with"},
	{{"search", "a", "--vector", "1"}, 2, "error: --vector must be a JSON array"},
	{{"search", "a", "--like=b", "--recall=2"}, 2, "error: --recall must be a number"},
	{{"search", "a", "--like=b", "--limit=0"}, 2, "error: --limit must be a whole number"},
	{{"search", "a", "--like=b", "--limit=1", "--all"}, 2, "error: --all and --limit"},
	{{"search", "a", "--like=b", "--neighbors=17"}, 2, "error: --neighbors must be"},
	{{"search", "a", "--like=b", "--neighbors=1,x"}, 2, "error: --neighbors must be"},
	{{"search", "a", "--like=b", "--max-tokens=0"}, 2, "error: --max-tokens must be"},
	{{"search", "a", "--like=b", "--resume=?"}, 2, "error: --resume must be a token"},
	{{"cancel"}, 2, "error: usage: sluice cancel CURSOR\n"},
	{{"search", "a", "--vector-file=/no/q.npy"}, 1, "error: cannot open /no/q.npy"},
	{{"import", "a", "b", "--batch=4096"}, 2, "error: --batch must be a whole number"},
	{{"import", "a", "b", "--progress=x"}, 2, "error: --progress must be"},
	{{"import", "a", "/no/c.jsonl"}, 1, "error: cannot open /no/c.jsonl"},
	{{"tools", "x"}, 2, "error: usage: sluice tools [--dialect D]\n"},
	{{"tools", "--dialect=x"},
	 2,
	 "error: --dialect must be json-schema, openai, anthropic or mcp"},
	{{"bench", "load", "a"}, 2, "error: bench load needs --queries\n"},
	{{"bench", "recall", "a"}, 2, "error: bench recall needs --queries and --truth\n"},
	{{"count", "a", "--server=unix:/nowhere/at/all"},
	 1,
	 "error: cannot reach unix:/nowhere/at/all: "},
};

Test(cli, ends_with_the_status_of_the_mistake_and_one_line)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char error[1024];
		int result = printed_by(cases[i].words, stderr, error, sizeof error);

		cr_assert_eq(result, cases[i].result, "case %zu: %d, %s", i, result, error);
		cr_assert_eq(strncmp(error, cases[i].want, strlen(cases[i].want)), 0,
			     "case %zu: %s", i, error);
		cr_assert_eq(strchr(error, '\n'), error + strlen(error) - 1, "case %zu: %s", i,
			     error);
	}
}

Test(cli, knows_its_commands_and_lists_them)
{
	static const char *const commands[] = {
		"create", "import",      "export", "search", "get",   "list",  "count",
		"delete", "collections", "drop",   "info",   "bench", "tools", "optimize",
	};
	char help[4096];
	FILE *out = fmemopen(help, sizeof help, "w");

	cr_assert_not_null(out);
	cli_help(out);
	fclose(out);

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		cr_assert(cli_knows(commands[i]), "%s", commands[i]);
		cr_assert_not_null(strstr(help, commands[i]), "%s", commands[i]);
	}
	cr_assert(!cli_knows("optimise"));
}
