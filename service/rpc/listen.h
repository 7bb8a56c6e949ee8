/* listen - the addresses of a server: HOST:PORT, HOST:0, unix:PATH.
 *
 * A socket of the file system is bound under a name of its own beside its path and then put there, with
 * mode and group: so nobody ever sees it half made, one that is replaced is replaced at once, and the
 * core, which unlinks what it has bound when its last connection ends, finds nothing of its successor's.
 */
#ifndef SLUICE_SERVICE_RPC_LISTEN_H
#define SLUICE_SERVICE_RPC_LISTEN_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "service/socket_owner.h"

#include <grpc/grpc.h>
#include <sys/types.h>
#include <sys/un.h>

/* A name may stand for several addresses. */
#define LISTENING_MAX 8

struct tls;

struct listener {
	const char *address;
	struct tls *tls;           /* NULL: plaintext */
	struct socket_owner owner; /* of a socket of the file system */
};

/* What listens. */
struct listening {
	int port;                   /* not 0 for a path either */
	int sockets[LISTENING_MAX]; /* [n_sockets] the core's */
	size_t n_sockets;
	struct sockaddr_un path; /* sun_family is 0: it is no path */
	dev_t device;            /* of the path */
	ino_t inode;
};

/* listen_on - a socket of the file system that a server left behind is replaced, one on which
 * somebody answers is not. It never has more than its mode, not even at first.
 * arena  for details.
 * Fails: UNAVAILABLE INVALID_ARGUMENT, naming the address */
status listen_on(grpc_server *core, const struct listener *listener, struct arena *arena,
		 struct listening *ret);

/* listening_silence - takes nobody in any more, and sends away who waits, whatever the core thinks: one of
 * its listeners that has given up would keep both the address and who connects to it. */
void listening_silence(const struct listening *listening);

/* listening_end - removes a path that is still its own. */
void listening_end(const struct listening *listening);

/* listen_is_socket - "unix:PATH". */
bool listen_is_socket(const char *address);

/* listen_address - address with port in the place of its own; the arena's. NULL without memory. */
const char *listen_address(struct arena *arena, const char *address, int port);

#endif
