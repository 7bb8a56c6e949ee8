/* listen - the addresses of a server: HOST:PORT, HOST:0, unix:PATH. */
#ifndef SLUICE_SERVICE_RPC_LISTEN_H
#define SLUICE_SERVICE_RPC_LISTEN_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <grpc/grpc.h>

/* listen_on - in plaintext. A socket of the file system that a server left behind is replaced, one
 * on which somebody answers is not.
 * arena  for details. ret_port  the real one; not 0 for a path either.
 * Fails: UNAVAILABLE INVALID_ARGUMENT, naming the address */
status listen_on(grpc_server *core, const char *address, struct arena *arena, int *ret_port);

/* listen_address - address with port in the place of its own; the arena's. NULL without memory. */
const char *listen_address(struct arena *arena, const char *address, int port);

#endif
