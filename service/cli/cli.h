/* cli - the commands of sluice that are clients of any Sluice server. */
#ifndef SLUICE_SERVICE_CLI_CLI_H
#define SLUICE_SERVICE_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

/* cli_run - argv[1] names the command. Data to standard output, one clear line an error to standard
 * error. Returns the exit status: 0 done, 1 the work failed, 2 bad usage. */
int cli_run(int argc, char **argv);

/* cli_help - the list of the commands, one line each. */
void cli_help(FILE *out);

/* cli_knows - whether cli_run runs the command. */
bool cli_knows(const char *command);

#endif
