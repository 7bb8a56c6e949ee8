/* cancel_cursor - AdminService.CancelCursor. */
#include "kernels/base/error_info.h"
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "service/cursors.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/admin_service.pb-c.h"

struct search {
	struct rpc_call *call;
	const char *id;
	bool allowed; /* it is there, and of a collection that the caller's credential covers */
};

static bool look_at(void *context, const struct cursor_entry *entry)
{
	struct search *search = context;

	if (strcmp(entry->id, search->id) != 0)
		return true;
	search->allowed = rpc_allows(search->call, bytes_of_string(entry->collection));
	return false;
}

/* One of another's collection is as one that is not there. */
static bool is_allowed(struct rpc_call *call, const char *id)
{
	const struct services *services = rpc_context(call);
	struct search search = {.call = call, .id = id};

	cursors_each(services->cursors, look_at, &search);
	return search.allowed;
}

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
	if (is_allowed(call, id) && cursors_cancel(services->cursors, id))
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
