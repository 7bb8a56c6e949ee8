/* create_snapshot - AdminService.CreateSnapshot: made on a thread of the index; none of ours waits. */
#include "index/collection.h"
#include "service/admin/admin.h"
#include "service/admin/snapshot_codec.h"
#include "service/codec/message.h"
#include "service/rpc/protobuf_arena.h"
#include "service/version.h"

#include <stdatomic.h>

/* Names of files, and details. */
#define MAKING_ARENA_BYTES ((size_t)64 << 20)

struct create_snapshot {
	struct backup_making making; /* first: the index gives its address back */
	struct rpc_call *call;       /* held until done */
	struct collection *collection;
	struct arena arena;
	atomic_bool done;
};

static void snapshot_made(struct backup_making *making)
{
	struct create_snapshot *create = (struct create_snapshot *)making;
	struct rpc_call *call = create->call;

	atomic_store(&create->done, true);
	rpc_wake(call);
	rpc_unhold(call);
}

static status create_snapshot_request(struct rpc_call *call, struct bytes message)
{
	struct create_snapshot *create = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__CreateSnapshotRequest *request;

	TRY(message_unpack(arena, &sluice__v1__create_snapshot_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__CreateSnapshotRequest *)unpacked;
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &create->collection));
	arena_init(&create->arena, MAKING_ARENA_BYTES);
	create->call = call;
	create->making = (struct backup_making){
		.database = services->database,
		.collection = create->collection,
		.version = SLUICE_VERSION,
		.deadline = rpc_deadline(call),
		.arena = &create->arena,
		.done = snapshot_made,
	};
	rpc_hold(call);
	backup_make(&create->making);
	return status_ok();
}

static enum rpc_step create_snapshot_next(struct rpc_call *call, struct buffer *ret)
{
	struct create_snapshot *create = rpc_state(call);
	Sluice__V1__CreateSnapshotResponse response = SLUICE__V1__CREATE_SNAPSHOT_RESPONSE__INIT;
	struct snapshot_message snapshot;

	if (!atomic_load(&create->done))
		/* Its deadline's flag ends the work too. */
		return rpc_drain_phase(call) == RPC_ENDING ? rpc_fail(call, rpc_draining())
							   : RPC_WAIT;
	if (status_failed(create->making.result))
		return rpc_fail(call, create->making.result);
	snapshot_to_message(&create->making.backup, &snapshot);
	response.snapshot = &snapshot.message;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

static void create_snapshot_close(struct rpc_call *call)
{
	struct create_snapshot *create = rpc_state(call);

	collection_release(create->collection);
	arena_finish(&create->arena);
}

const struct rpc_method create_snapshot_method = {
	.path = "/sluice.v1.AdminService/CreateSnapshot",
	.state_size = sizeof(struct create_snapshot),
	.is_ready = services_is_ready,
	.request = create_snapshot_request,
	.next = create_snapshot_next,
	.close = create_snapshot_close,
};
