/* builtin - the services that every server has: health and reflection. */
#ifndef SLUICE_SERVICE_RPC_BUILTIN_H
#define SLUICE_SERVICE_RPC_BUILTIN_H

#include "service/rpc/descriptors.h"
#include "service/rpc/rpc.h"

/* Their context; lives as long as the server. */
struct builtin {
	const char *const *names; /* [n_names] of all services, these included, sorted */
	size_t n_names;
	const struct descriptors *descriptors;
};

#define HEALTH_SERVICE "grpc.health.v1.Health"

/* What it can be asked beside the services' names: liveness is well as long as anybody answers,
 * startup once there was more than RPC_STARTING, readiness, as all else, while there is one and no drain. */
#define HEALTH_LIVENESS "liveness"
#define HEALTH_READINESS "readiness"
#define HEALTH_STARTUP "startup"

struct rpc_service health_service(struct builtin *builtin);
struct rpc_service reflection_service(struct builtin *builtin);
/* The same messages under the name that older clients know. */
struct rpc_service reflection_service_v1alpha(struct builtin *builtin);

/* reflection_answer - one answer to one question, without a call around it.
 * request  an encoded ServerReflectionRequest: any bytes.
 * scratch  what is built on the way; may be reset once it returns.
 * ret      the encoded ServerReflectionResponse is appended; what is not found is said in it.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status reflection_answer(const struct builtin *builtin, struct bytes request, struct arena *scratch,
			 struct buffer *ret);

#endif
