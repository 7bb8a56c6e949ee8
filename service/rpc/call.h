/* call - one call, from the accept to its end. Within service/rpc only; services see rpc.h.
 *
 * Events come on several pollers, workers and wakers at once, yet a method's functions run one at
 * a time: whoever brings an event notes it under the lock; if nobody runs the call, he does, and
 * goes on until there is nothing to do; else whoever runs it will find the event. So a field is
 * either the runner's alone or under the lock.
 *
 * A call is freed in one place, call_finish, when no op is out, nobody holds it and nobody runs it.
 */
#ifndef SLUICE_SERVICE_RPC_CALL_H
#define SLUICE_SERVICE_RPC_CALL_H

#include "service/rpc/op.h"
#include "service/rpc/queues.h"
#include "service/rpc/rpc.h"
#include "service/rpc/traffic.h"

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

/* The arena of a call: so many times its message, within these bounds. The worst that is allowed in
 * a message, chunks of an id and a vector of one number, takes thirty times its bytes; nothing is
 * taken before it is asked for. */
#define CALL_ARENA_FACTOR ((size_t)64)
#define CALL_ARENA_MIN ((size_t)1 << 20)
#define CALL_ARENA_MAX ((size_t)64 << 20)

/* What the calls of a server share. */
struct call_host {
	struct pool *workers; /* NULL: everything runs on the pollers */
	struct queues *queues;
	size_t arena_factor, arena_bytes_min, arena_bytes_max;
	size_t calls_max;              /* 0: no bound */
	int64_t queue_ns;              /* likewise */
	uint64_t memory_bytes_max;     /* likewise */
	atomic_bool pressed;           /* the process has more */
	_Atomic int64_t shed_second;   /* of clock_ns: in which the last call was shed */
	atomic_uint n_shed;            /* in that second */
	atomic_uint n_shed_before;     /* in the one before it */
	atomic_uint n_refusals;        /* that call_refuse has out */
	struct stall_watch *watch;     /* NULL: the three below are 0 */
	const struct rpc_guard *guard; /* NULL: there is none */
	/* As the options have them; 0: a client may take for ever. */
	int64_t stall_ns, request_ns, idle_ns;
	void (*handled)(void *context, const struct rpc_handled *handled); /* NULL: nobody asks */
	void *handled_context;
	const struct rpc_tracer *tracer; /* NULL: there is none */
	_Atomic enum rpc_drain phase;
	_Atomic enum rpc_health health;
	pthread_mutex_t lock; /* taken before a call's, never after */
	pthread_cond_t changed;
	struct rpc_call *calls;
	size_t n_calls;
};

/* What a call has to do next; one of these at a time. */
enum call_action {
	CALL_NOTHING,
	CALL_OPEN,
	CALL_REQUEST,
	CALL_HALF_CLOSE,
	CALL_READ,
	CALL_NEXT,
	CALL_GIVE_UP, /* a drain finds it without a request */
	CALL_OVERDUE, /* what it waits for has not come in time */
	CALL_SEND,    /* send the page, and with the last one the status */
	CALL_STATUS,  /* send the status alone */
	CALL_CLOSE,
	CALL_FINISH,
};

struct rpc_call {
	/* Constant from the accept on. */
	struct call_host *host;
	grpc_call *core;
	const struct rpc_method *method; /* NULL: there is none, the status says so */
	void *context;
	bool on_main;            /* its events come on the main queue */
	atomic_uint *n_streams;  /* where it counts, as a stream there; else NULL */
	struct traffic *traffic; /* never NULL, also where there is no method */
	int64_t start_ns;
	void *state;
	struct rpc_trace trace; /* the runner's; its stages are owned */
	const void *grant;      /* of the guard, in the arena; NULL: nothing is to be examined */

	struct arena arena;
	struct deadline deadline;
	char *peer;                       /* gpr_malloc; NULL until asked for */
	struct rpc_call *before, *behind; /* the host's list, under the host's lock */
	struct job job;                   /* with a worker, or on its way back to a poller */
	enum call_action moved;           /* what it is to begin with */

	struct rpc_op on_end, on_receive, on_send, on_wake;
	int core_cancelled;         /* core's, until on_end */
	grpc_byte_buffer *incoming; /* core's until on_receive, then the runner's */
	grpc_byte_buffer *outgoing; /* core's until on_send */

	/* The runner's. */
	status status;             /* how it is to end; the detail is detail or static */
	char *detail;              /* owned */
	struct buffer details;     /* google.rpc.Status, encoded; empty: none are sent */
	uint32_t retry_ms;         /* when to try again; 0: nothing is said */
	struct buffer page;        /* what next has made, until it is sent */
	grpc_metadata trailers[2]; /* [n_trailers] the core's from the status on */
	size_t n_trailers;
	bool sheds;         /* it may be refused instead of waiting for its first worker */
	bool opened;        /* open was called, so close will be */
	bool in_drain;      /* it came when the drain had begun: a question after our health */
	bool requested;     /* request was called, or is_ready */
	bool postponed;     /* incoming is kept until a wake: is_ready said no */
	bool half_closed;   /* half_close was called */
	bool wants_next;    /* next is due as soon as the wire is free */
	bool waits;         /* next said RPC_WAIT: due after a wake */
	bool has_page;      /* it is to be sent */
	bool sent_metadata; /* the first send has gone */
	bool ended;         /* the method is asked nothing more */
	bool sent_status;
	bool closed;
	bool was_next; /* the last of request and next was next: the other one's turn */
	uint64_t n_received, n_sent, received_bytes, sent_bytes, n_hits; /* of messages; noted */

	pthread_mutex_t lock;
	/* Under the lock. */
	bool running;
	bool receiving, sending, waking; /* that op is out */
	bool received;                   /* incoming holds a message for request */
	bool peer_done;                  /* the client sends no more */
	bool aborted;  /* cancelled, expired, or the client is gone: no status can be sent */
	bool woken;    /* since next was last called */
	bool may_read; /* wants_request is to be asked */
	bool finished;
	unsigned n_ops;        /* out */
	int64_t send_start_ns; /* of sending */
	int64_t silent_since_ns; /* it waits for the client: when it began to, or was last written to */
	bool is_overdue;         /* what it waits for has not come in time */
	bool stalled;            /* the send took too long and was ended */
	const char *interrupted; /* why its end waits for the send; NULL: it does not */
	unsigned n_holds;
};

struct call_arrival {
	grpc_call *core;                 /* taken, also on failure */
	const struct rpc_method *method; /* NULL: the call is refused */
	bool draining;                   /* why; else there is no method of that path */
	bool crowded;                    /* or why: as many calls as there may be */
	bool pressed;                    /* or why: as much memory as there may be */
	int64_t late_ns;                 /* or why: it would wait for so long; else 0 */
	bool on_main;                    /* as rpc_call has it */
	atomic_uint *n_streams;          /* likewise */
	bool sheds;                      /* as rpc_service has it */
	void *context;
	struct traffic *traffic;
	gpr_timespec deadline;
	struct bytes path;
	const grpc_metadata_array *metadata; /* borrowed */
};

void call_host_init(struct call_host *host, struct queues *queues, struct pool *workers);
void call_host_finish(struct call_host *host);

/* call_host_set_phase - and wakes every call. */
void call_host_set_phase(struct call_host *host, enum rpc_drain phase);

/* call_host_set_health - and wakes every call. */
void call_host_set_health(struct call_host *host, enum rpc_health health);

/* call_deadline_ns - on clock_ns, of the core's; DEADLINE_NEVER. */
int64_t call_deadline_ns(gpr_timespec at);

/* call_host_is_full - whether there are calls_max calls. */
bool call_host_is_full(struct call_host *host);

/* --- stall.c: ends calls whose client does not take what is sent, or sends nothing --- */

/* stall_watch_open - a thread that looks at the host's calls until stall_watch_close: those whose
 * send is out for stall_ns are cancelled with ABORTED; those that wait for their client for request_ns
 * or idle_ns are told to give up. Where all three are 0, there is none. Fails: RESOURCE_EXHAUSTED */
status stall_watch_open(struct call_host *host, struct stall_watch **ret);
void stall_watch_close(struct stall_watch *watch); /* NULL is fine */

/* stall_overdue - what a call fails with that is overdue. The runner's. */
status stall_overdue(struct rpc_call *call);

/* call_open - a call of the host, not running yet; NULL without memory. */
struct rpc_call *call_open(struct call_host *host, const struct call_arrival *arrival);

/* call_nudge - has somebody run the call who sees what was noted: a poller, never this thread. Under the
 * lock, which it gives back. */
void call_nudge(struct rpc_call *call);

/* call_start - the first turn, on this thread. The call may be gone when it returns. */
void call_start(struct rpc_call *call);

/* caller.c: call_admit - asks the guard; sets call->grant. Fails: as rpc_guard.admit */
status call_admit(struct rpc_call *call, const struct call_arrival *arrival);
/* call_examine - asks it about a message. Fails: as rpc_guard.examine */
status call_examine(struct rpc_call *call, struct bytes message);

/* trace.c: call_begin_trace - asks the tracer; sets call->trace. */
void call_begin_trace(struct rpc_call *call, const struct call_arrival *arrival);

/* call_finish - frees it. */
void call_finish(struct rpc_call *call);

/* --- shed.c --- */

/* call_host_is_swamped - whether so many calls are refused that saying why each time costs what others
 * could be served with. Then those of services that shed are looked at before they are opened. */
bool call_host_is_swamped(const struct call_host *host);

/* call_host_surplus_ns - how long one of them would wait, if it is to be refused for it; counts it; else 0. */
int64_t call_host_surplus_ns(struct call_host *host, gpr_timespec deadline);

/* call_refuse - answers one of them, which is taken: code, a word, what limit and when to try again, in one batch, of
 * which only its end comes back. Where thousands are not read by their clients, further ones go with code and word. */
void call_refuse(struct call_host *host, grpc_call *core, int64_t wait_ns);

/* call_host_late_ns - where some are refused already: how long one of them would wait, if that is too long, and it
 * is to be refused for it; counts it; else 0. Takes half of what call_shed does, which has its message
 * read before. */
int64_t call_host_late_ns(struct call_host *host, gpr_timespec deadline);

/* call_overloaded - what such a call fails with. */
status call_overloaded(const struct call_host *host, struct arena *arena, int64_t wait_ns);

/* call_host_let_pollers_pass - waits, 2 ms at most, while so much is refused that pollers lag behind. Of a
 * worker's thread, before a job. */
void call_host_let_pollers_pass(const struct call_host *host);

/* call_shed - whether a call that would go to the workers has failed instead, since it would wait too
 * long for one. The runner's. */
bool call_shed(struct rpc_call *call);

/* --- turn.c: who runs the call, and what is done --- */

void turn_init(struct rpc_call *call);
/* turn_take - after an event was noted: runs the call unless somebody does. Under the lock, which
 * it gives back; the call may be gone when it returns. */
void turn_take(struct rpc_call *call);

/* --- wire.c: what is asked of the core. The runner's; never under the lock --- */

void wire_await_end(struct rpc_call *call);
void wire_receive(struct rpc_call *call);
/* wire_send - message  its memory is taken; NULL: none. With call->ended the status goes too. */
void wire_send(struct rpc_call *call, struct buffer *message);
/* wire_wake - brings on_wake on a poller; from any thread, once waking is set and counted. */
void wire_wake(struct rpc_call *call);

#endif
