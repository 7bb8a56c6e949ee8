/* rpc_code - the table. */
#include "service/telemetry/rpc_code.h"

#include "service/rpc/rpc.h"

const char *rpc_code_name(size_t code)
{
	static const char *const names[RPC_CODES] = {
		"OK",
		"Canceled",
		"Unknown",
		"InvalidArgument",
		"DeadlineExceeded",
		"NotFound",
		"AlreadyExists",
		"PermissionDenied",
		"ResourceExhausted",
		"FailedPrecondition",
		"Aborted",
		"OutOfRange",
		"Unimplemented",
		"Internal",
		"Unavailable",
		"DataLoss",
		"Unauthenticated",
	};

	return code < RPC_CODES ? names[code] : names[STATUS_UNKNOWN];
}
