/* cli - finds the command, reads its arguments, runs it, and says what went wrong. */
#include "service/cli/cli.h"

#include "service/cli/commands.h"
#include "service/cli/connect.h"
#include "service/cli/failure.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)256 << 20)

static const struct command *const commands[] = {
	&create_command,   &import_command, &export_command, &search_command, &get_command,
	&list_command,     &count_command,  &delete_command, &drop_command,   &collections_command,
	&optimize_command, &info_command,   &bench_command,  &tools_command,  &cursors_command,
	&cancel_command,   &key_command,    &load_command,   &check_command,  &snapshot_command,
	&restore_command,  &repair_command,
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static const struct option common_options[] = {
	{"server", OPTION_VALUE,
	 "ADDRESS  HOST:PORT or unix:PATH (SLUICE_SERVER, or " CONNECT_DEFAULT_SERVER ")"},
	{"timeout-seconds", OPTION_VALUE,
	 "N  give up after so long (30 for single answers, never for streams)"},
	{"tls", OPTION_FLAG,
	 "  encrypted; the server's certificate is held against the system's CAs"},
	{"tls-ca", OPTION_VALUE, "FILE  or against these"},
	{"tls-cert", OPTION_VALUE, "FILE  a certificate to show, with"},
	{"tls-key", OPTION_VALUE, "FILE  its key"},
	{"api-key-file", OPTION_VALUE, "FILE  a key to show (SLUICE_API_KEY: the key itself)"},
	{"help", OPTION_FLAG, "  this text"},
};

static const struct option_list common = OPTION_LIST(common_options);

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

bool cli_knows(const char *command)
{
	return command_find(command) != NULL;
}

void cli_help(FILE *out)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
}

/* "N  what it means" becomes "  --name N  what it means", the last part in a column. */
static void option_help(FILE *out, const struct option *option)
{
	const char *gap = strstr(option->meaning, "  ");
	int value = gap ? (int)(gap - option->meaning) : 0;
	char left[64];

	snprintf(left, sizeof left, "--%s%s%.*s", option->name, value ? " " : "", value,
		 option->meaning);
	fprintf(out, "  %-26s %s\n", left, gap ? gap + 2 : option->meaning);
}

static void command_help(FILE *out, const struct command *command)
{
	fprintf(out, "usage: sluice %s %s\n\n%c%s.\n", command->name, command->usage,
		toupper(command->summary[0]), command->summary + 1);
	if (command->details)
		fprintf(out, "%s\n", command->details);
	fprintf(out, "\n");
	for (size_t i = 0; i < command->options.n; i++)
		option_help(out, &command->options.options[i]);
	/* Without a server only --help is left of them. */
	for (size_t i = command->offline ? common.n - 1 : 0; i < common.n; i++)
		option_help(out, &common.options[i]);
}

status cli_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status_ok();
	if (errno == ENOSPC)
		return status_make(STATUS_UNAVAILABLE,
				   "cannot write to standard output: no space left on device");
	return status_make(STATUS_UNAVAILABLE, "cannot write to standard output");
}

char *cli_name(const struct cli *cli, size_t i)
{
	/* protobuf-c has no const, and does not write. */
	return (char *)(uintptr_t)cli->arguments->names[i];
}

/* One line, whatever a server put into its detail. */
/* One clear line, and below it all that a server found wrong with a request. */
static void complain(status failed)
{
	fputs("error: ", stderr);
	failure_print_text(stderr, failed.detail);
	fputc('\n', stderr);
	failure_print(stderr, failed.info);
}

static status command_run(const struct command *command, struct arguments *arguments)
{
	SCOPED(client) client = NULL;
	struct cli cli = {.arena = arguments->arena, .arguments = arguments};

	if (arguments->n_names < command->names_min || arguments->n_names > command->names_max)
		return arguments_misuse(arguments, "usage: sluice %s %s", command->name,
					command->usage);
	if (!command->offline)
		TRY(connect_client(arguments->arena, arguments, &client));
	cli.client = client;
	TRY(command->run(&cli));
	return cli_flush();
}

static int command_main(const struct command *command, struct words words)
{
	struct option_list lists[] = {command->options, common};
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct arguments arguments = {.arena = arena, .command = command->name};
	status done;

	arena_init(arena, ARENA_BYTES);
	done = arguments_parse(&arguments, words, lists, 2);
	if (!status_failed(done)) {
		if (arguments_has(&arguments, "help")) {
			command_help(stdout, command);
			return 0;
		}
		done = command_run(command, &arguments);
	}
	if (!status_failed(done))
		return 0;
	/* What was printed before the failure comes first. */
	fflush(stdout);
	complain(done);
	return arguments.misused ? 2 : 1;
}

int cli_run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	bool is_load = strcmp(name, "bench") == 0 && argc > 2 && strcmp(argv[2], "load") == 0;
	const struct command *command = is_load ? &load_command : command_find(name);
	int n_words = is_load ? 3 : 2;

	if (!command) {
		fprintf(stderr, "error: unknown command \"%.64s\"; see sluice help\n", name);
		return 2;
	}
	/* A reader that has seen enough ends the program without a word. */
	signal(SIGPIPE, SIG_DFL);
	return command_main(command, (struct words){argv + n_words, (size_t)(argc - n_words)});
}
