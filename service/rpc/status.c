/* status - the table. The numbers are equal today; nothing else relies on that. */
#include "service/rpc/status.h"

#include <stddef.h>

static const struct {
	enum status_code ours;
	grpc_status_code theirs;
} codes[] = {
	{STATUS_OK, GRPC_STATUS_OK},
	{STATUS_CANCELLED, GRPC_STATUS_CANCELLED},
	{STATUS_UNKNOWN, GRPC_STATUS_UNKNOWN},
	{STATUS_INVALID_ARGUMENT, GRPC_STATUS_INVALID_ARGUMENT},
	{STATUS_DEADLINE_EXCEEDED, GRPC_STATUS_DEADLINE_EXCEEDED},
	{STATUS_NOT_FOUND, GRPC_STATUS_NOT_FOUND},
	{STATUS_ALREADY_EXISTS, GRPC_STATUS_ALREADY_EXISTS},
	{STATUS_PERMISSION_DENIED, GRPC_STATUS_PERMISSION_DENIED},
	{STATUS_RESOURCE_EXHAUSTED, GRPC_STATUS_RESOURCE_EXHAUSTED},
	{STATUS_FAILED_PRECONDITION, GRPC_STATUS_FAILED_PRECONDITION},
	{STATUS_ABORTED, GRPC_STATUS_ABORTED},
	{STATUS_OUT_OF_RANGE, GRPC_STATUS_OUT_OF_RANGE},
	{STATUS_UNIMPLEMENTED, GRPC_STATUS_UNIMPLEMENTED},
	{STATUS_INTERNAL, GRPC_STATUS_INTERNAL},
	{STATUS_UNAVAILABLE, GRPC_STATUS_UNAVAILABLE},
	{STATUS_DATA_LOSS, GRPC_STATUS_DATA_LOSS},
	{STATUS_UNAUTHENTICATED, GRPC_STATUS_UNAUTHENTICATED},
};

grpc_status_code status_to_grpc(enum status_code code)
{
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (codes[i].ours == code)
			return codes[i].theirs;
	}
	return GRPC_STATUS_UNKNOWN;
}

enum status_code status_from_grpc(grpc_status_code code)
{
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (codes[i].theirs == code)
			return codes[i].ours;
	}
	return STATUS_UNKNOWN;
}

struct bytes status_detail(status failure)
{
	struct bytes detail = bytes_of_string(failure.detail);

	if (detail.size > STATUS_DETAIL_MAX) {
		detail.size = STATUS_DETAIL_MAX;
		/* Not into the middle of a character: 10xxxxxx goes on with one. */
		while (detail.size > 0 && (detail.data[detail.size] & 0xC0) == 0x80)
			detail.size--;
	}
	return detail;
}
