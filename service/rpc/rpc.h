/* rpc - methods as generators: the service folders know this file and not gRPC.
 *
 * A method is a few functions over a struct rpc_call. They are called one at a time for a call,
 * never two at once, on any thread:
 *
 *	open        when the call arrives                        (optional)
 *	request     once a message of the client; the only one, unless client_streams
 *	half_close  the client will send no more                 (optional, client_streams; without
 *	            it the half close counts as a wake)
 *	next        the wire is free: fill the next message. Called after request (without
 *	            client_streams) or open (with), again whenever a send has completed, and after
 *	            rpc_wake where the last answer was RPC_WAIT
 *	close       once, last: release what the state holds. Nothing of the call is used after it
 *
 * One send is in flight for a call: the reader's pace is the method's pace. A call that ends early
 * (cancel, deadline, a dead client, a failure) gets its deadline's flag set, is asked nothing more
 * and closed when no function of it runs and no hold is left. Close does not wait for the client to
 * take the last message or the status. The arena and the state die with the call; a message is
 * borrowed until request returns.
 */
#ifndef SLUICE_SERVICE_RPC_RPC_H
#define SLUICE_SERVICE_RPC_RPC_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/deadline.h"
#include "kernels/base/meter.h"
#include "kernels/base/pool.h"
#include "kernels/base/status.h"
#include "service/rpc/trace.h"
#include "service/socket_owner.h"

#include <stdbool.h>
#include <stddef.h>

struct rpc_call;
struct rpc_server;

enum rpc_step {
	RPC_MESSAGE, /* ret holds a message; ask again when it is sent */
	RPC_LAST,    /* ret holds a message, the last one: it goes out with status OK */
	RPC_END,     /* no message; status OK */
	RPC_WAIT,    /* nothing yet: ask again after rpc_wake */
	RPC_FAIL,    /* rpc_fail was called: the call ends with that status */
};

struct rpc_method {
	const char *path; /* "/sluice.v1.RetrievalService/Search" */
	bool client_streams;
	size_t state_size; /* bytes of rpc_state, cleared */
	status (*open)(struct rpc_call *call);
	/* Whether what request needs for this message can be had without waiting (optional). Where
	 * not, it has seen to an rpc_wake, and is asked again about the same message after one. */
	bool (*is_ready)(struct rpc_call *call, struct bytes message);
	status (*request)(struct rpc_call *call, struct bytes message);
	void (*half_close)(struct rpc_call *call);
	enum rpc_step (*next)(struct rpc_call *call, struct buffer *ret);
	void (*close)(struct rpc_call *call);
	/* Whether the next function to run (request or next) may take above 0.5 ms or block: it
	 * then runs on the worker pool and not on a poller's thread. NULL: never. */
	bool (*is_long)(struct rpc_call *call);
	/* Whether what is not long is still some work: a scan of its own. It is offered to the workers, and the
	 * poller's where nothing more has come in by then. NULL: never. */
	bool (*is_heavy)(struct rpc_call *call);
	/* Whether another message may be read now; asked after request, next and a wake. NULL:
	 * always. The flow control of a client stream: what is not read stays in the client. */
	bool (*wants_request)(struct rpc_call *call);
	/* Behind the first message the method itself minds how long its client may be silent. */
	bool minds_silence;
};

/* --- within a method's functions --- */

void *rpc_state(struct rpc_call *call);
/* rpc_context - what the service was registered with. */
void *rpc_context(struct rpc_call *call);
/* rpc_arena - dies with the call; capped at rpc_arena_bytes of the message. A client stream keeps what
 * belongs to one message in an arena of its own. */
struct arena *rpc_arena(struct rpc_call *call);
/* rpc_arena_bytes - what a message may unpack to: so many times its size, within bounds; those of the
 * server's options. */
size_t rpc_arena_bytes(const struct rpc_call *call, size_t message_bytes);
const struct deadline *rpc_deadline(struct rpc_call *call);
const char *rpc_peer(struct rpc_call *call);
const struct rpc_method *rpc_method_of(struct rpc_call *call);

/* rpc_fail - how the call is to end; gives RPC_FAIL, so that next can `return rpc_fail(...)`. The
 * detail and the info are copied. */
enum rpc_step rpc_fail(struct rpc_call *call, status failure);

/* rpc_is_half_closed - the client sends no more and every message was handed to request. */
bool rpc_is_half_closed(struct rpc_call *call);

enum rpc_drain {
	RPC_SERVING,
	RPC_DRAINING, /* idle streams end now, with UNAVAILABLE; work under way goes on */
	RPC_ENDING, /* everything ends now, with UNAVAILABLE, after a summary where there is one */
};

/* rpc_drain_phase - every call that waits is woken when it changes. */
enum rpc_drain rpc_drain_phase(struct rpc_call *call);

enum rpc_health {
	RPC_STARTING,
	RPC_RECOVERING, /* calls are served, and some find that they have to wait for what they ask of */
	RPC_READY,
	RPC_LEAVING,
};

/* rpc_health_now - what was set, or RPC_LEAVING in a drain. */
enum rpc_health rpc_health_now(struct rpc_call *call);

/* rpc_draining - what a call that a drain ends fails with: UNAVAILABLE, and to try again. */
status rpc_draining(void);

/* --- from any thread, while a hold or a function of the call keeps it --- */

void rpc_wake(struct rpc_call *call);
/* rpc_interrupt - what the call works at is not wanted any more: its deadline's flag is set, it is
 * woken, and its next function says how it ends. Where the client does not take what is on its way,
 * the call is cut after a second (where stall_ns is set), with ABORTED, which says why.
 * why  for that; static. */
void rpc_interrupt(struct rpc_call *call, const char *why);
/* rpc_hold / rpc_unhold - the call is not closed while held: something will come back to it. */
void rpc_hold(struct rpc_call *call);
void rpc_unhold(struct rpc_call *call);

/* rpc_allows - whether the caller's credential covers a collection: what a method names that its
 * request does not. */
bool rpc_allows(struct rpc_call *call, struct bytes collection);

/* rpc_note_hits - adds to what rpc_handled.hits will say. Within a method's functions. */
void rpc_note_hits(struct rpc_call *call, uint64_t n);

/* --- what is told of calls --- */

#define RPC_CODES ((size_t)STATUS_UNAUTHENTICATED + 1)

/* What calls of a method came so far, and how they ended: by code, and how long they took. */
struct rpc_traffic {
	const char *path; /* NULL: of no method that there is */
	bool client_streams, server_streams;
	uint64_t started, received, sent; /* calls; messages */
	uint64_t handled[RPC_CODES];
	struct histogram_reading seconds;
};

/* A call that is over. */
struct rpc_handled {
	const char *path; /* NULL: no method */
	enum status_code code;
	int64_t start_ns, duration_ns; /* on clock_ns */
	uint64_t received, sent, received_bytes, sent_bytes, hits;
	const struct rpc_trace *trace;
	struct rpc_call *call; /* for rpc_peer, which costs something */
};

/* --- the server --- */

/* PEM files, which may change while the server runs: new connections get what is there then. */
struct rpc_tls {
	const char *certificate_file, *key_file; /* the chain, leaf first, and its key */
	const char *client_ca_file;              /* NULL: clients are not asked for a certificate */
	bool client_optional;                    /* one that has none may come in all the same */
};

struct rpc_guard; /* guard.h */

struct rpc_service {
	const char *name; /* "sluice.v1.RetrievalService" */
	const struct rpc_method *methods;
	size_t n_methods;
	void *context; /* borrowed */
	/* Its calls can be refused when they would have to wait too long for a worker. */
	bool sheds;
};

struct rpc_server_options {
	const char *const *addresses; /* "HOST:PORT", "HOST:0", "unix:PATH" */
	size_t n_addresses;
	const struct rpc_service *services; /* borrowed; health and reflection are added */
	size_t n_services;
	struct pool *workers;      /* borrowed; for what is_long */
	size_t n_pollers;          /* threads on the completion queue; 0: as queues_open */
	size_t message_bytes_max;  /* in; 0: 4 MiB */
	size_t streams_max;        /* concurrent in a connection; 0: 1,024 */
	size_t metadata_bytes_max; /* of a call's headers; 0: 16 KiB */
	size_t calls_max;          /* those of health apart; 0: no bound */
	/* Of the process, files apart: above it new calls are refused, likewise. Connections and what is on
	 * its way in them may have a quarter. 0: no bound. */
	uint64_t memory_bytes_max;
	int64_t stall_ns; /* how long a send may wait for the client; 0: for ever. Then ABORTED */
	/* How long the request of a call that has but one may take to come, all of it; how long a client may
	 * send nothing on a stream that owes it nothing. 0: for ever. Then DEADLINE_EXCEEDED, and ABORTED. */
	int64_t request_ns, idle_ns;
	/* How long a call that is_long may have to wait for its first worker: above it, or above half the
	 * time that it has left, it is refused if its service sheds. 0: none is. */
	int64_t queue_ns;
	int64_t handshake_ns; /* until a connection speaks HTTP/2; 0: 20 s */
	/* What a call may allocate: so many times its message, within bounds of which the upper one
	 * goes first. 0: 64 times, 1 MiB, 64 MiB. */
	size_t arena_factor, arena_bytes_min, arena_bytes_max;
	/* Pings: after so long a silence; how long an answer may take; how often a client without
	 * calls may ask. 0: 60 s, 20 s, as often as it likes. */
	int64_t keepalive_ns, keepalive_timeout_ns, ping_interval_ns;
	/* How often its own listeners are asked whether they take connections, and replaced where they
	 * do not. 0: 1 s; below 0: never. */
	int64_t watch_ns;
	/* Is told of every call when it is over, on any thread; NULL: nobody is. */
	void (*handled)(void *context, const struct rpc_handled *handled);
	void *handled_context;
	bool channelz;                   /* the core keeps account of connections, for debug.h */
	const struct rpc_tracer *tracer; /* borrowed; NULL: no call is in a trace */

	const struct rpc_tls *tls;        /* borrowed; of every TCP address. NULL: plaintext */
	struct socket_owner socket_owner; /* of sockets of the file system */
	const struct rpc_guard *guard;    /* borrowed; NULL: everybody may do everything */
	/* Serves the health service alone, which knows all the services by name. */
	bool health_alone;
	bool starting; /* health says NOT_SERVING until rpc_server_set_health */
};

#define RPC_MESSAGE_OUT_MAX 4000000

/* rpc_server_n_methods, rpc_server_traffic - of method i; behind the last one stand the calls of no method
 * that there is. */
size_t rpc_server_n_methods(const struct rpc_server *server);
void rpc_server_traffic(const struct rpc_server *server, size_t i, struct rpc_traffic *ret);

/* rpc_accept_failures - how often a listener of the process has given up, by the core's own word. */
unsigned rpc_accept_failures(void);

/* rpc_server_n_replaced - listeners that had given up. */
size_t rpc_server_n_replaced(const struct rpc_server *server);

/* rpc_server_is_serving - until a drain begins. */
bool rpc_server_is_serving(const struct rpc_server *server);

/* rpc_server_open - listens and serves. Compression is off; a method in no table is UNIMPLEMENTED
 * at once. Fails: UNAVAILABLE (an address cannot be bound; it is named) INVALID_ARGUMENT (TLS files,
 * or the group of a socket) RESOURCE_EXHAUSTED */
status rpc_server_open(const struct rpc_server_options *options, struct arena *arena,
		       struct rpc_server **ret);

/* rpc_server_address - the i-th address with its real port. */
const char *rpc_server_address(const struct rpc_server *server, size_t i);

/* rpc_server_set_health - what health says as long as there is no drain; calls are served whatever it
 * is. Watches are told. */
void rpc_server_set_health(struct rpc_server *server, enum rpc_health health);

/* rpc_server_drain - health says NOT_SERVING, other new calls are UNAVAILABLE; waits for the calls
 * in flight: idle streams end at once, after seconds all others too. Returns when no call is left. */
void rpc_server_drain(struct rpc_server *server, double seconds);

/* rpc_server_close - after a drain. NULL is fine. */
void rpc_server_close(struct rpc_server *server);

SCOPE_DEFINE(rpc_server, rpc_server_close)

#endif
