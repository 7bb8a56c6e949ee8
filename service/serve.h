/* serve - the command that runs the server: assemble, run, drain. */
#ifndef SLUICE_SERVICE_SERVE_H
#define SLUICE_SERVICE_SERVE_H

#include <stdio.h>

/* serve_run - argv[1] is "serve". Returns the exit status when the server has drained: 0 after
 * SIGTERM or SIGINT, 70 where it then left anything alive, 1 where it could not start, 2 for bad
 * usage. */
int serve_run(int argc, char **argv);

void serve_help(FILE *out);

#endif
