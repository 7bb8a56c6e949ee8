/* listen - the addresses of a server: HOST:PORT, HOST:0, unix:PATH. */
#ifndef SLUICE_SERVICE_RPC_LISTEN_H
#define SLUICE_SERVICE_RPC_LISTEN_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <grpc/grpc.h>

struct tls;

struct listener {
	const char *address;
	struct tls *tls;          /* NULL: plaintext */
	unsigned socket_mode;     /* of a socket of the file system; 0: 0660 */
	const char *socket_group; /* of the same: a name or a number; NULL or "": the process's */
};

/* listen_on - a socket of the file system that a server left behind is replaced, one on which
 * somebody answers is not. It never has more than its mode, not even at first.
 * arena  for details. ret_port  the real one; not 0 for a path either.
 * Fails: UNAVAILABLE INVALID_ARGUMENT, naming the address */
status listen_on(grpc_server *core, const struct listener *listener, struct arena *arena,
		 int *ret_port);

/* listen_is_socket - "unix:PATH". */
bool listen_is_socket(const char *address);

/* listen_address - address with port in the place of its own; the arena's. NULL without memory. */
const char *listen_address(struct arena *arena, const char *address, int port);

#endif
