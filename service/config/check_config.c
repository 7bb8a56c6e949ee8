/* check_config - the command that looks at a configuration. */
#include "service/config/check_config.h"

#include "service/config/config_load.h"
#include "service/config/reference.h"

#include <string.h>

void check_config_help(FILE *out)
{
	fputs("usage: sluice check-config (FILE | --reference)\n"
	      "\n"
	      "Checks a configuration as sluice serve --config FILE would, without starting\n"
	      "anything. Prints one line for each violation, FILE:LINE:COLUMN: key: what is wrong\n"
	      "(rule), and exits 1; or \"FILE: fine\".\n"
	      "\n"
	      "  --reference  print every key with its type, default, range and meaning\n"
	      "  --help       this text\n",
	      out);
}

static int complain(status failure)
{
	fprintf(stderr, "error: %s\n", failure.detail);
	return 1;
}

/* A write that failed shows when all is flushed. */
static int flushed(int result)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return result;
	fputs("error: cannot write to standard output\n", stderr);
	return 1;
}

static int check_file(const char *file, struct arena *arena)
{
	const struct schema_message *message;
	struct problems problems = {.arena = arena};
	struct server_config config;
	status done = server_config_message(arena, &message);

	if (!status_failed(done))
		done = server_config_defaults(message, arena, &config);
	if (!status_failed(done))
		done = config_load_file(file, &problems, &config);
	if (status_failed(done))
		return complain(done);
	problems_print(stdout, file, &problems);
	if (problems.n == 0)
		printf("%s: fine\n", file);
	return problems.n ? 1 : 0;
}

static int print_reference(struct arena *arena)
{
	const struct schema_message *message;
	status done = server_config_message(arena, &message);

	if (status_failed(done))
		return complain(done);
	reference_print(stdout, message, arena);
	return 0;
}

int check_config_run(int argc, char **argv)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	const char *word = argc == 3 ? argv[2] : "";

	arena_init(arena, CONFIG_ARENA_BYTES);
	if (strcmp(word, "--help") == 0) {
		check_config_help(stdout);
		return 0;
	}
	if (strcmp(word, "--reference") == 0)
		return flushed(print_reference(arena));
	if (argc != 3 || word[0] == '-' || !word[0]) {
		fputs("error: usage: sluice check-config (FILE | --reference)\n", stderr);
		return 2;
	}
	return flushed(check_file(word, arena));
}
