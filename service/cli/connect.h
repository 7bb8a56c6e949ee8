/* connect - from the options that all commands have to a client. */
#ifndef SLUICE_SERVICE_CLI_CONNECT_H
#define SLUICE_SERVICE_CLI_CONNECT_H

#include "service/cli/arguments.h"
#include "service/cli/client.h"

#define CONNECT_DEFAULT_SERVER "127.0.0.1:7700"

/* connect_client - Fails: INVALID_ARGUMENT (misused; or a file cannot be read) RESOURCE_EXHAUSTED */
status connect_client(struct arena *arena, struct arguments *arguments, struct client **ret);

#endif
