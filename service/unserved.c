/* unserved - methods of the contract that this version answers with UNIMPLEMENTED. */
#include "service/services.h"

status unserved_open(struct rpc_call *call)
{
	return status_format(rpc_arena(call), STATUS_UNIMPLEMENTED,
			     "method %s is not served by this version", rpc_method_of(call)->path);
}

status unserved_request(struct rpc_call *call, struct bytes message)
{
	(void)message;
	return unserved_open(call);
}

enum rpc_step unserved_next(struct rpc_call *call, struct buffer *ret)
{
	(void)ret;
	return rpc_fail(call, unserved_open(call));
}

bool services_always_long(struct rpc_call *call)
{
	(void)call;
	return true;
}
