/* op - the tag of whatever is asked of gRPC's core. The poller: next, cast, done.
 *
 * An op is embedded in its owner and is out at most once at a time.
 */
#ifndef SLUICE_SERVICE_RPC_OP_H
#define SLUICE_SERVICE_RPC_OP_H

#include <stdbool.h>

struct rpc_op {
	void (*done)(void *owner, bool ok);
	void *owner;
};

/* The completion queue orders what was written before an op was asked for before its done. The
 * library is not built with ThreadSanitizer, which therefore has to be told. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OP_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(OP_TSAN)
#include <sanitizer/tsan_interface.h>
#define OP_RELEASE(op) __tsan_release(op)
#define OP_ACQUIRE(op) __tsan_acquire(op)
#else
#define OP_RELEASE(op) ((void)(op))
#define OP_ACQUIRE(op) ((void)(op))
#endif

/* op_tag - to be called right before the op is asked for. */
static inline void *op_tag(struct rpc_op *op)
{
	OP_RELEASE(op);
	return op;
}

static inline void op_done(void *tag, bool ok)
{
	struct rpc_op *op = tag;

	OP_ACQUIRE(op);
	op->done(op->owner, ok);
}

#endif
