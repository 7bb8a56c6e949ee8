/* door - one address of a server: a server of gRPC's core that listens there, and the slots to which
 * calls come by it.
 *
 * Each address has a core of its own, so that one can be replaced while the others go on: the fresh door
 * takes whoever comes, the old one keeps the connections that it has. Within service/rpc only.
 *
 * Arrivals come to slots that are always posted, for every method there is or is not: so an unknown
 * one is answered at once. Methods whose client streams have slots of their own besides, since a call
 * goes to the queue that its slot names.
 */
#ifndef SLUICE_SERVICE_RPC_DOOR_H
#define SLUICE_SERVICE_RPC_DOOR_H

#include "service/rpc/listen.h"
#include "service/rpc/server_parts.h"

struct slot;

struct door {
	struct rpc_server *server;
	grpc_server *core;
	struct slot *slots; /* [n_slots] owned */
	size_t n_slots;
	struct tls *tls; /* NULL: plaintext */
	struct listening listens;
	struct rpc_op on_shutdown;
	bool is_shut;
	struct door *next; /* of the retired */

	/* Under the host's lock. */
	size_t n_slots_posted;
	bool is_shut_down;
};

/* door_open - listens on an address and takes calls.
 * arena  for details. Fails: UNAVAILABLE (the address cannot be bound; it is named) INVALID_ARGUMENT
 * RESOURCE_EXHAUSTED */
status door_open(struct rpc_server *server, const char *address, struct arena *arena,
		 struct door **ret);

/* door_shut - nobody comes in any more; calls go on, and clients are told to connect again (GOAWAY). Fine
 * on one that is shut. */
void door_shut(struct door *door);

/* door_has_ended - it was shut, and no connection is left. Under the host's lock. */
bool door_has_ended(const struct door *door);

/* door_close - once it has ended. NULL is fine. */
void door_close(struct door *door);

#endif
