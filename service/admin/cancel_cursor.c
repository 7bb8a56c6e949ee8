/* cancel_cursor - AdminService.CancelCursor. */
#include "kernels/base/error_info.h"
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "service/cursors.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/admin_service.pb-c.h"

static status cancel_cursor_request(struct rpc_call *call, struct bytes message)
{
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const char *id;
	status s;

	TRY(message_unpack(arena, &sluice__v1__cancel_cursor_request__descriptor, message,
			   &unpacked));
	id = ((const Sluice__V1__CancelCursorRequest *)unpacked)->cursor_id;
	if (cursors_cancel(services->cursors, id))
		return status_ok();
	s = status_format(arena, STATUS_NOT_FOUND, "there is no cursor \"%s\"", id);
	s = status_reason(s, arena, REASON_CURSOR_NOT_FOUND, "cursor_id", id, NULL);
	return status_about(s, arena, RESOURCE_CURSOR, id);
}

static enum rpc_step cancel_cursor_next(struct rpc_call *call, struct buffer *ret)
{
	const Sluice__V1__CancelCursorResponse response = SLUICE__V1__CANCEL_CURSOR_RESPONSE__INIT;

	(void)call;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

const struct rpc_method cancel_cursor_method = {
	.path = "/sluice.v1.AdminService/CancelCursor",
	.request = cancel_cursor_request,
	.next = cancel_cursor_next,
};
