/* check_config - the command that looks at a configuration, and explains what can be in one. */
#ifndef SLUICE_SERVICE_CONFIG_CHECK_CONFIG_H
#define SLUICE_SERVICE_CONFIG_CHECK_CONFIG_H

#include <stdio.h>

/* check_config_run - argv[1] is "check-config". Prints every violation, or "FILE: fine", to standard
 * output. Returns the exit status: 0 fine, 1 violations or no such file, 2 bad usage. */
int check_config_run(int argc, char **argv);

void check_config_help(FILE *out);

#endif
