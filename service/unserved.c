/* unserved - methods of the contract that this version answers with UNIMPLEMENTED. */
#include "service/services.h"

#include "kernels/base/error_info.h"

status unserved_open(struct rpc_call *call)
{
	const char *path = rpc_method_of(call)->path;

	return status_reason(status_format(rpc_arena(call), STATUS_UNIMPLEMENTED,
					   "method %s is not served by this version", path),
			     rpc_arena(call), REASON_NOT_SERVED, "method", path, NULL);
}

status unserved_field(struct arena *arena, const char *field)
{
	return status_reason(status_format(arena, STATUS_UNIMPLEMENTED,
					   "field %s is not served by this version", field),
			     arena, REASON_NOT_SERVED, "field", field, NULL);
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
