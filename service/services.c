/* services - what the methods of the gRPC services share. */
#include "service/services.h"

#include "service/codec/message.h"

#include <stdlib.h>

/* A call that waits for a collection. */
struct awaiting {
	struct database_wait wait; /* first */
	struct rpc_call *call;     /* held */
};

static void collection_turned(struct database_wait *wait)
{
	struct rpc_call *call = ((struct awaiting *)wait)->call;

	free(wait);
	rpc_wake(call);
	rpc_unhold(call);
}

bool services_await(struct rpc_call *call, struct bytes name)
{
	const struct services *services = rpc_context(call);
	struct awaiting *awaiting = calloc(1, sizeof *awaiting);

	/* Without memory it is opened by who acquires it. */
	if (!awaiting)
		return true;
	awaiting->wait.turned = collection_turned;
	awaiting->call = call;
	rpc_hold(call);
	if (!database_await(services->database, name, &awaiting->wait))
		return false;
	rpc_unhold(call);
	free(awaiting);
	return true;
}

bool services_is_ready(struct rpc_call *call, struct bytes message)
{
	return services_await(call, message_peek_bytes(message, 1));
}

bool services_always_long(struct rpc_call *call)
{
	(void)call;
	return true;
}
