/* families_rpc - the figures of calls, as other gRPC servers name them. For families.c alone. */
#ifndef SLUICE_SERVICE_TELEMETRY_FAMILIES_RPC_H
#define SLUICE_SERVICE_TELEMETRY_FAMILIES_RPC_H

#include "service/telemetry/families.h"

#define RPC_LABELS "grpc_type, grpc_service, grpc_method"

#define RPC_PRINTER(name)                                                                          \
	void print_rpc_##name(struct exposition *exposition, const struct family *family,          \
			      const struct readings *readings)

RPC_PRINTER(started);
RPC_PRINTER(handled);
RPC_PRINTER(received);
RPC_PRINTER(sent);
RPC_PRINTER(seconds);

#endif
