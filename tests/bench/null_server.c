/* null_server - what gRPC itself costs: a server that looks at nothing.
 *
 *	null_server BYTES
 *
 * Every call is answered, once its message is in, with one message of BYTES and status OK: the
 * shape of a short search. One of a method called Iterate is held: each of its messages is answered
 * with one, and it ends when its client has sent all. Registered and polled as the real server: one
 * completion queue, a poller for each four cores, arrivals always posted, the same arguments. Prints "listening
 * on ADDRESS"; ends with SIGTERM.
 */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_SLOTS 128
#define POLLERS_MAX 256
/* As service/rpc/queues.c. */
#define CORES_A_POLLER 4

/* What a tag points to. */
struct op {
	void (*done)(void *owner, bool ok);
	void *owner;
};

struct null_server {
	grpc_completion_queue *queue;
	grpc_server *core;
	grpc_slice answer;
};

struct slot {
	struct op on_arrival;
	struct null_server *server;
	grpc_call *core;
	grpc_call_details details;
	grpc_metadata_array metadata;
};

struct call {
	struct op on_receive, on_send, on_end;
	struct null_server *server;
	grpc_call *core;
	grpc_byte_buffer *incoming;
	grpc_byte_buffer *outgoing; /* the core takes the slices out of it: one a call */
	int cancelled;
	unsigned n_ops; /* out; atomic */
	bool held, greeted;
};

static void call_start_ops(struct call *call, const grpc_op *ops, size_t n, struct op *tag)
{
	__atomic_add_fetch(&call->n_ops, 1, __ATOMIC_RELAXED);
	if (grpc_call_start_batch(call->core, ops, n, tag, NULL) != GRPC_CALL_OK)
		abort();
}

static void call_op_done(struct call *call)
{
	if (__atomic_sub_fetch(&call->n_ops, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (call->outgoing)
		grpc_byte_buffer_destroy(call->outgoing);
	grpc_call_unref(call->core);
	free(call);
}

static void plain_done(void *owner, bool ok)
{
	(void)ok;
	call_op_done(owner);
}

static void call_receive(struct call *call)
{
	grpc_op receive = {.op = GRPC_OP_RECV_MESSAGE};

	receive.data.recv_message.recv_message = &call->incoming;
	call_start_ops(call, &receive, 1, &call->on_receive);
}

/* An answer, the end, or both. */
static void call_send(struct call *call, bool answers, bool ends)
{
	grpc_op ops[3] = {0};
	grpc_slice no_detail = grpc_empty_slice();
	size_t n = 0;

	if (!call->greeted)
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	call->greeted = true;
	if (answers) {
		call->outgoing = grpc_raw_byte_buffer_create(&call->server->answer, 1);
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = call->outgoing;
	}
	if (ends) {
		ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
		ops[n].data.send_status_from_server.status = GRPC_STATUS_OK;
		ops[n++].data.send_status_from_server.status_details = &no_detail;
	}
	call_start_ops(call, ops, n, &call->on_send);
}

/* Of a held call: the next message is read when this one was answered. */
static void send_done(void *owner, bool ok)
{
	struct call *call = owner;

	if (call->held && call->outgoing) {
		grpc_byte_buffer_destroy(call->outgoing);
		call->outgoing = NULL;
		if (ok)
			call_receive(call);
	}
	call_op_done(call);
}

static void receive_done(void *owner, bool ok)
{
	struct call *call = owner;
	bool came = ok && call->incoming;

	if (came) {
		grpc_byte_buffer_destroy(call->incoming);
		call->incoming = NULL;
	}
	if (came || call->held)
		call_send(call, came, !call->held || !came);
	call_op_done(call);
}

static void call_open(struct null_server *server, grpc_call *core, bool held)
{
	struct call *call = calloc(1, sizeof *call);
	grpc_op end = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	if (!call)
		abort();
	*call = (struct call){
		.on_receive = {receive_done, call},
		.on_send = {send_done, call},
		.on_end = {plain_done, call},
		.server = server,
		.core = core,
		.n_ops = 1, /* ours, until both are asked for */
		.held = held,
	};
	end.data.recv_close_on_server.cancelled = &call->cancelled;
	call_start_ops(call, &end, 1, &call->on_end);
	call_receive(call);
	call_op_done(call);
}

static void slot_post(struct slot *slot)
{
	struct null_server *server = slot->server;

	grpc_call_details_init(&slot->details);
	grpc_metadata_array_init(&slot->metadata);
	if (grpc_server_request_call(server->core, &slot->core, &slot->details, &slot->metadata,
				     server->queue, server->queue,
				     &slot->on_arrival) != GRPC_CALL_OK)
		abort();
}

static bool ends_with(grpc_slice slice, const char *end)
{
	size_t n = strlen(end), size = GRPC_SLICE_LENGTH(slice);

	return size >= n && memcmp(GRPC_SLICE_START_PTR(slice) + size - n, end, n) == 0;
}

static void slot_arrived(void *owner, bool ok)
{
	struct slot *slot = owner;
	grpc_call *core = slot->core;
	bool held = ok && ends_with(slot->details.method, "/Iterate");

	grpc_call_details_destroy(&slot->details);
	grpc_metadata_array_destroy(&slot->metadata);
	if (!ok)
		return;
	slot_post(slot);
	call_open(slot->server, core, held);
}

static void *poll_queue(void *arg)
{
	struct null_server *server = arg;
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	for (;;) {
		grpc_event event = grpc_completion_queue_next(server->queue, never, NULL);
		struct op *op = event.tag;

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		op->done(op->owner, event.success != 0);
	}
}

static grpc_arg int_arg(const char *key, int value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER,
		.key = (char *)(size_t)key, /* only read */
		.value.integer = value,
	};
}

static void server_open(struct null_server *server, size_t bytes)
{
	grpc_arg args[] = {
		int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1024),
		int_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
			1 << GRPC_COMPRESS_NONE),
		int_arg(GRPC_ARG_ALLOW_REUSEPORT, 0),
		int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, 60000),
		int_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
	};
	grpc_channel_args all = {sizeof args / sizeof *args, args};
	grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
	int port;

	server->answer = grpc_slice_malloc(bytes);
	memset(GRPC_SLICE_START_PTR(server->answer), 'x', bytes);
	server->queue = grpc_completion_queue_create_for_next(NULL);
	server->core = grpc_server_create(&all, NULL);
	grpc_server_register_completion_queue(server->core, server->queue, NULL);
	port = grpc_server_add_http2_port(server->core, "127.0.0.1:0", credentials);
	grpc_server_credentials_release(credentials);
	if (port == 0)
		abort();
	grpc_server_start(server->core);
	printf("listening on 127.0.0.1:%d\n", port);
	fflush(stdout);
}

/* Until SIGTERM, which all threads leave to this one. */
static _Noreturn void run(struct null_server *server, const sigset_t *signals)
{
	static struct slot slots[N_SLOTS];
	pthread_t pollers[POLLERS_MAX];
	long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
	long n = n_cores < 1 ? 1 : (n_cores + CORES_A_POLLER - 1) / CORES_A_POLLER;
	int signal_number;

	for (size_t i = 0; i < N_SLOTS; i++) {
		slots[i].server = server;
		slots[i].on_arrival = (struct op){slot_arrived, &slots[i]};
		slot_post(&slots[i]);
	}
	for (long i = 0; i < n && i < POLLERS_MAX; i++)
		if (pthread_create(&pollers[i], NULL, poll_queue, server) != 0)
			abort();
	sigwait(signals, &signal_number);
	/* The process ends here; whoever measures has gone. */
	_exit(0);
}

int main(int argc, char **argv)
{
	struct null_server server = {0};
	sigset_t signals;
	long bytes = argc == 2 ? strtol(argv[1], NULL, 10) : -1;

	if (bytes < 0 || bytes > 4000000) {
		fputs("usage: null_server BYTES\n", stderr);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	grpc_init();
	server_open(&server, (size_t)bytes);
	run(&server, &signals);
}
