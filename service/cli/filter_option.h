/* filter_option - --filter of a command that takes it. */
#ifndef SLUICE_SERVICE_CLI_FILTER_OPTION_H
#define SLUICE_SERVICE_CLI_FILTER_OPTION_H

#include "service/cli/commands.h"
#include "service/cli/filter_words.h"

#define FILTER_OPTION                                                                              \
	{"filter", OPTION_VALUE, "F  those that pass alone: 'source=git, chars>200, !lang=de'"}

/* filter_option_read - the filter of the command's arguments, NULL where there is none. Asks the
 * server for the collection, the first of the names, since its fields say what values are.
 * Fails: INVALID_ARGUMENT, a misuse; or what the server says */
status filter_option_read(struct cli *cli, Sluice__V1__Filter **ret);

#endif
