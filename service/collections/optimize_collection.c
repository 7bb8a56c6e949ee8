/* optimize_collection - CollectionService.OptimizeCollection: waits for a run, and says how far it is.
 *
 * The run is the collection's, and others may wait for it too. A call that ends before it does, by
 * its client or a drain, gives up its interest; nobody holds a thread meanwhile.
 */
#include "index/optimize.h"
#include "kernels/base/deadline.h"
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"

#include <stdatomic.h>

/* Between two messages of a phase at least. */
#define TELL_NS ((int64_t)200000000)
#define DETAIL_ARENA_BYTES ((size_t)1 << 20)

struct optimize_collection {
	struct optimize optimize; /* first: the index gives its address back */
	struct rpc_call *call;
	struct collection *collection;
	struct arena details; /* the index's, while the call's own is the call's */

	/* Of the index's threads. */
	int64_t woken_ns;
	int woken_phase;

	/* From them to the call's. */
	_Atomic(int) phase;
	_Atomic(float) progress;

	/* Of the call's. */
	int64_t told_ns; /* 0: nothing was */
	int told_phase;
	float told_progress;
};

static void optimize_tell(struct optimize *base)
{
	struct optimize_collection *optimize = (struct optimize_collection *)base;
	int phase = (int)base->phase;
	int64_t now_ns = clock_ns();

	atomic_store(&optimize->progress, base->progress);
	atomic_store(&optimize->phase, phase);
	if (phase == optimize->woken_phase && now_ns - optimize->woken_ns < TELL_NS)
		return;
	optimize->woken_phase = phase;
	optimize->woken_ns = now_ns;
	rpc_wake(optimize->call);
}

static status optimize_collection_request(struct rpc_call *call, struct bytes message)
{
	struct optimize_collection *optimize = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__OptimizeCollectionRequest *request;

	TRY(message_unpack(arena, &sluice__v1__optimize_collection_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__OptimizeCollectionRequest *)unpacked;
	TRY(database_acquire(services->database, bytes_of_string(request->name), arena,
			     &optimize->collection));
	arena_init(&optimize->details, DETAIL_ARENA_BYTES);
	optimize->call = call;
	optimize->optimize.arena = &optimize->details;
	optimize->optimize.tell = optimize_tell;
	collection_optimize(optimize->collection, &optimize->optimize);
	return status_ok();
}

static Sluice__V1__OptimizePhase phase_to_wire(int phase)
{
	switch ((enum optimize_phase)phase) {
	case OPTIMIZE_SEAL:
		return SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_SEAL;
	case OPTIMIZE_TRAIN:
		return SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_TRAIN;
	case OPTIMIZE_ASSIGN:
		return SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_ASSIGN;
	case OPTIMIZE_WRITE:
		return SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_WRITE;
	case OPTIMIZE_DONE:
		break;
	}
	return SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_DONE;
}

/* The last message: the run has ended, so that what it left is the call's. */
static enum rpc_step finish(struct rpc_call *call, struct optimize_collection *optimize,
			    struct buffer *ret)
{
	Sluice__V1__OptimizeCollectionResponse response =
		SLUICE__V1__OPTIMIZE_COLLECTION_RESPONSE__INIT;
	status made;

	if (status_failed(optimize->optimize.result))
		return rpc_fail(call, optimize->optimize.result);
	made = collection_status_to_message(rpc_arena(call), optimize->collection,
					    &response.status);
	if (status_failed(made))
		return rpc_fail(call, made);
	response.phase = SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_DONE;
	response.progress = 1;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

/* Whether the client should hear of it: another phase at once, else what is new now and then. */
static bool is_worth_telling(const struct optimize_collection *optimize, int phase, float progress)
{
	if (!optimize->told_ns || phase != optimize->told_phase)
		return true;
	return progress > optimize->told_progress && clock_ns() - optimize->told_ns >= TELL_NS;
}

static enum rpc_step optimize_collection_next(struct rpc_call *call, struct buffer *ret)
{
	struct optimize_collection *optimize = rpc_state(call);
	Sluice__V1__OptimizeCollectionResponse response =
		SLUICE__V1__OPTIMIZE_COLLECTION_RESPONSE__INIT;
	int phase = atomic_load(&optimize->phase);
	float progress = atomic_load(&optimize->progress);

	if (phase == OPTIMIZE_DONE)
		return finish(call, optimize, ret);
	if (rpc_drain_phase(call) != RPC_SERVING)
		return rpc_fail(call, rpc_draining());
	if (!is_worth_telling(optimize, phase, progress))
		return RPC_WAIT;
	optimize->told_ns = clock_ns();
	optimize->told_phase = phase;
	optimize->told_progress = progress;
	response.phase = phase_to_wire(phase);
	response.progress = progress;
	buffer_pack(ret, &response.base);
	return RPC_MESSAGE;
}

static void optimize_collection_close(struct rpc_call *call)
{
	struct optimize_collection *optimize = rpc_state(call);

	if (!optimize->call)
		return;
	optimize_cancel(optimize->collection, &optimize->optimize);
	collection_release(optimize->collection);
	arena_finish(&optimize->details);
}

const struct rpc_method optimize_collection_method = {
	.path = "/sluice.v1.CollectionService/OptimizeCollection",
	.state_size = sizeof(struct optimize_collection),
	.is_ready = services_is_ready,
	.request = optimize_collection_request,
	.next = optimize_collection_next,
	.close = optimize_collection_close,
};
