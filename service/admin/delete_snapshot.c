/* delete_snapshot - AdminService.DeleteSnapshot: its files are gone before it answers. */
#include "index/backup.h"
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "sluice/v1/admin_service.pb-c.h"

static status delete_snapshot_request(struct rpc_call *call, struct bytes message)
{
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__DeleteSnapshotRequest *request;

	TRY(message_unpack(arena, &sluice__v1__delete_snapshot_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__DeleteSnapshotRequest *)unpacked;
	return backup_remove(services->database, bytes_of_string(request->collection),
			     bytes_of_string(request->snapshot_id), arena);
}

static enum rpc_step delete_snapshot_next(struct rpc_call *call, struct buffer *ret)
{
	(void)call;
	(void)ret; /* the answer has no fields */
	return RPC_LAST;
}

const struct rpc_method delete_snapshot_method = {
	.path = "/sluice.v1.AdminService/DeleteSnapshot",
	.request = delete_snapshot_request,
	.next = delete_snapshot_next,
	.is_long = services_always_long,
};
