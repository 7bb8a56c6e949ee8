/* server_parts - what server.c, door.c and watch.c share. Within service/rpc only. */
#ifndef SLUICE_SERVICE_RPC_SERVER_PARTS_H
#define SLUICE_SERVICE_RPC_SERVER_PARTS_H

#include "service/rpc/builtin.h"
#include "service/rpc/call.h"
#include "service/rpc/queues.h"

struct door;
struct watch;

struct route {
	const char *path;
	const struct rpc_method *method;
	void *context;
	bool sheds; /* as its service has it */
};

struct rpc_server {
	struct arena arena;
	struct call_host host;
	struct rpc_server_options options; /* as given; what it points to is borrowed */
	struct descriptors *descriptors;
	struct builtin builtin;
	struct rpc_service *services; /* [n_services] those of the options and our own */
	size_t n_services;
	struct route *routes; /* [n_routes] by path */
	size_t n_routes;
	struct traffic *traffic; /* [n_routes + 1] owned; the last one is of unknown methods */
	struct queues queues;
	grpc_resource_quota *quota; /* of all connections; NULL: none */

	const char **addresses; /* [n_addresses] with real ports */
	size_t n_addresses;
	/* Changed by the watch alone, and by whoever has closed it. */
	struct door **doors; /* [n_addresses] NULL: there is none yet */
	struct door *
		retired; /* a list, latest first: they take no connection any more, and have some */
	struct watch *watch;
	atomic_size_t n_replaced; /* doors */
	bool drained;
};

#endif
