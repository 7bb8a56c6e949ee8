/* channel - gRPC's way to a server, with the options of a client. */
#ifndef SLUICE_SERVICE_CLI_CHANNEL_H
#define SLUICE_SERVICE_CLI_CHANNEL_H

#include "service/cli/client.h"

#include <grpc/grpc.h>

/* channel_open - connects to nothing yet: the first call does.
 * own  a connection that no other channel shares.
 * ret  grpc_channel_destroy. Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status channel_open(const struct client_options *options, bool own, grpc_channel **ret);

/* channel_headers - what goes with every call. ret  the key's header; its value is to be unreffed
 * where there is one. Returns how many there are, 0 or 1. */
size_t channel_headers(const struct client_options *options, grpc_metadata *ret);

#endif
