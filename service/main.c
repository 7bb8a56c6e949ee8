/* main - sluice: the server and its clients in one program. */
#include "kernels/base/status.h"
#include "service/cli/cli.h"
#include "service/serve.h"
#include "service/version.h"

#include <stdio.h>
#include <string.h>

static void help(FILE *out)
{
	fputs("usage: sluice COMMAND [arguments]\n"
	      "\n"
	      "  serve        run the server\n",
	      out);
	cli_help(out);
	fputs("  version      print version, commit and build\n"
	      "  help COMMAND explain a command\n",
	      out);
}

static int version(void)
{
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
	if (strcmp(argv[2], "serve") == 0) {
		serve_help(stdout);
		return 0;
	}
	return cli_run(3, explain);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		help(stderr);
		return 2;
	}
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0)
		return help_command(argc, argv);
	if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0)
		return version();
	if (strcmp(command, "serve") == 0)
		return serve_run(argc, argv);
	return cli_run(argc, argv);
}
