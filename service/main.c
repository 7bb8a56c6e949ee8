/* main - sluice: the server and its clients in one program. */
#include "kernels/base/status.h"
#include "service/cli/cli.h"
#include "service/config/check_config.h"
#include "service/serve.h"
#include "service/version.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void help(FILE *out)
{
	fputs("usage: sluice COMMAND [arguments]\n"
	      "\n"
	      "  serve        run the server\n"
	      "  check-config look at a configuration, or list what can be in one\n",
	      out);
	cli_help(out);
	fputs("  version      print version, commit and build\n"
	      "  help COMMAND explain a command\n",
	      out);
}

static void version_help(FILE *out)
{
	fputs("usage: sluice version\n"
	      "\n"
	      "Prints the version, the commit it was built from, and what it can scan with.\n",
	      out);
}

static void help_help(FILE *out)
{
	fputs("usage: sluice help [COMMAND]\n"
	      "\n"
	      "Lists the commands, or explains one, as sluice COMMAND --help does.\n",
	      out);
}

/* The commands of this file, and the one that explains itself elsewhere. */
static const struct {
	const char *name;
	void (*help)(FILE *out);
} own_commands[] = {
	{"serve", serve_help},
	{"check-config", check_config_help},
	{"version", version_help},
	{"help", help_help},
};

/* Whether it is one of them. */
static bool explain_own(const char *command)
{
	for (size_t i = 0; i < sizeof own_commands / sizeof *own_commands; i++)
		if (strcmp(command, own_commands[i].name) == 0) {
			own_commands[i].help(stdout);
			return true;
		}
	return false;
}

static int version(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[2], "--help") == 0) {
		version_help(stdout);
		return 0;
	}
	if (argc > 2) {
		fprintf(stderr, "sluice version: %s: version takes no arguments\n", argv[2]);
		return 2;
	}
	printf("sluice %s (%s)\n", SLUICE_VERSION, sluice_commit);
	puts("scanners: cpu, vulkan");
	return 0;
}

static int help_command(int argc, char **argv)
{
	/* Every command explains itself; `help X` is `X --help`. */
	char option[] = "--help";
	char *explain[] = {argv[0], argc > 2 ? argv[2] : NULL, option, NULL};

	if (argc < 3) {
		help(stdout);
		return 0;
	}
	if (explain_own(strcmp(argv[2], option) == 0 ? "help" : argv[2]))
		return 0;
	return cli_run(3, explain);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		help(stderr);
		return 2;
	}
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 ||
	    strcmp(command, "-h") == 0)
		return help_command(argc, argv);
	if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0)
		return version(argc, argv);
	if (strcmp(command, "serve") == 0)
		return serve_run(argc, argv);
	if (strcmp(command, "check-config") == 0)
		return check_config_run(argc, argv);
	return cli_run(argc, argv);
}
