/* load_client - gRPC's C core, as it is: a tag is the address of an op in its call, which says what to
 * do when it is done. A call ends with its last op.
 *
 * What is asked of the core for one call is as little as can be: all that goes out, and the first answer,
 * are one batch; the status is asked for when no more answers are. So a search of one page takes two
 * events.
 */
#include "service/cli/load_client.h"

#include "kernels/base/deadline.h"
#include "service/cli/channel.h"
#include "service/cli/load_sleep.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/time.h>

#include <assert.h>
#include <stdlib.h>

#define QUEUED_MAX 4

/* The core waits for whole milliseconds; what is left of a wait behind them, and room to be late. */
#define COARSE_NS INT64_C(3000000)
#define MS_NS INT64_C(1000000)

/* Being woken takes as long where the processor has gone to sleep meanwhile, and as much of its time: so a wait
 * ends with looking again and again, and a call starts 6 us after its time, not 45. */
#define WAKE_NS INT64_C(40000)

/* A look at sockets that took longer has found something at one of them, and so many looks. */
#define EMPTY_LOOK_NS INT64_C(3000)
#define LOOKS_MAX 16

struct connection {
	grpc_channel *core;
	/* What the core has been told of, so that it prepares a path once: [n_paths]. */
	const char *paths[LOAD_PATHS_MAX];
	void *handles[LOAD_PATHS_MAX];
	size_t n_paths;
};

struct load_client {
	grpc_completion_queue *queue;
	struct connection *connections; /* [n_connections] */
	size_t n_connections;
	grpc_metadata authorization;
	size_t n_headers;
	struct load_call *spare; /* calls that have ended, for the next ones */
	struct load_sleep sleep;
};

struct load_op {
	void (*done)(struct load_call *call, bool ok);
	struct load_call *call;
};

struct load_call {
	struct load_client *client;
	const struct load_call_events *events;
	void *owner;
	grpc_call *core;
	struct load_op on_sent, on_received, on_end;
	unsigned n_ops;
	bool sending, over;
	grpc_metadata_array initial, trailing; /* their memory is kept */
	grpc_byte_buffer *outgoing, *incoming;
	grpc_slice queued[QUEUED_MAX]; /* [n_queued] behind the one that is being sent */
	size_t n_queued;
	bool close_behind; /* and then no more */
	grpc_status_code code;
	grpc_slice detail;
	struct load_call *next; /* of those to spare */
};

status load_client_open(const struct client_options *options, size_t connections,
			struct load_client **ret)
{
	SCOPED(load_client) client = calloc(1, sizeof *client);

	if (!client || !(client->connections = calloc(connections, sizeof *client->connections)))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for connections");
	for (; client->n_connections < connections; client->n_connections++)
		TRY(channel_open(options, true, &client->connections[client->n_connections].core));
	client->n_headers = channel_headers(options, &client->authorization);
	client->queue = grpc_completion_queue_create_for_next(NULL);
	load_sleep_init(&client->sleep);
	*ret = TAKE(client);
	return status_ok();
}

static void spare_free(struct load_client *client)
{
	while (client->spare) {
		struct load_call *call = client->spare;

		client->spare = call->next;
		grpc_metadata_array_destroy(&call->initial);
		grpc_metadata_array_destroy(&call->trailing);
		free(call);
	}
}

void load_client_close(struct load_client *client)
{
	if (!client)
		return;
	for (size_t i = 0; i < client->n_connections; i++)
		grpc_channel_destroy(client->connections[i].core);
	if (client->queue) {
		grpc_completion_queue_shutdown(client->queue);
		while (grpc_completion_queue_next(client->queue,
						  gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
			       .type != GRPC_QUEUE_SHUTDOWN)
			;
		grpc_completion_queue_destroy(client->queue);
	}
	if (client->n_headers)
		grpc_slice_unref(client->authorization.value);
	spare_free(client);
	free(client->connections);
	free(client);
}

/* An op that the core refuses, since the call is over, counts as one that failed. */
static bool ops_start(struct load_call *call, const grpc_op *ops, size_t n, struct load_op *op)
{
	op->call = call;
	if (grpc_call_start_batch(call->core, ops, n, op, NULL) != GRPC_CALL_OK)
		return false;
	call->n_ops++;
	return true;
}

static void call_end(struct load_call *call)
{
	struct load_client *client = call->client;

	call->events->ended(
		call->owner, (enum status_code)call->code,
		bytes_of(GRPC_SLICE_START_PTR(call->detail), GRPC_SLICE_LENGTH(call->detail)));
	for (size_t i = 0; i < call->n_queued; i++)
		grpc_slice_unref(call->queued[i]);
	if (call->outgoing)
		grpc_byte_buffer_destroy(call->outgoing);
	grpc_slice_unref(call->detail);
	grpc_call_unref(call->core);
	call->next = client->spare;
	client->spare = call;
}

static void op_over(struct load_call *call)
{
	if (--call->n_ops == 0)
		call_end(call);
}

static void end_done(struct load_call *call, bool ok)
{
	(void)ok;
	op_over(call);
}

static void end_start(struct load_call *call)
{
	const grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			    .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
							   .status = &call->code,
							   .status_details = &call->detail}};

	call->over = true;
	ops_start(call, &op, 1, &call->on_end);
}

static void receive_start(struct load_call *call)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
			    .data.recv_message.recv_message = &call->incoming};

	if (!ops_start(call, &op, 1, &call->on_received))
		end_start(call);
}

/* One slice is looked at where it lies; several, of a large message, are put together. */
static bool answer_give(struct load_call *call)
{
	grpc_byte_buffer_reader reader;
	grpc_slice *part, whole;
	bool last;

	if (!grpc_byte_buffer_reader_init(&reader, call->incoming))
		return false;
	if (grpc_byte_buffer_reader_peek(&reader, &part) &&
	    GRPC_SLICE_LENGTH(*part) == grpc_byte_buffer_length(call->incoming)) {
		last = call->events->answered(call->owner, bytes_of(GRPC_SLICE_START_PTR(*part),
								    GRPC_SLICE_LENGTH(*part)));
	} else {
		grpc_byte_buffer_reader_destroy(&reader);
		if (!grpc_byte_buffer_reader_init(&reader, call->incoming))
			return false;
		whole = grpc_byte_buffer_reader_readall(&reader);
		last = call->events->answered(call->owner, bytes_of(GRPC_SLICE_START_PTR(whole),
								    GRPC_SLICE_LENGTH(whole)));
		grpc_slice_unref(whole);
	}
	grpc_byte_buffer_reader_destroy(&reader);
	return last;
}

static void received_done(struct load_call *call, bool ok)
{
	bool last = true;

	if (ok && call->incoming)
		last = answer_give(call);
	if (call->incoming)
		grpc_byte_buffer_destroy(TAKE(call->incoming));
	if (last)
		end_start(call);
	else
		receive_start(call);
	op_over(call);
}

static void send_start(struct load_call *call, grpc_slice slice, bool last)
{
	grpc_op ops[2] = {
		{.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
	};

	if (call->outgoing)
		grpc_byte_buffer_destroy(call->outgoing);
	call->outgoing = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	ops[0].data.send_message.send_message = call->outgoing;
	call->sending = ops_start(call, ops, last ? 2 : 1, &call->on_sent);
}

static void sent_done(struct load_call *call, bool ok)
{
	call->sending = false;
	if (ok && call->n_queued > 0) {
		grpc_slice next = call->queued[0];

		call->n_queued--;
		for (size_t i = 0; i < call->n_queued; i++)
			call->queued[i] = call->queued[i + 1];
		send_start(call, next, call->close_behind && call->n_queued == 0);
	}
	op_over(call);
}

/* The core rounds up to milliseconds: "now" would wait for one. */
static gpr_timespec gpr_time_of(int64_t at_ns)
{
	int64_t left_ns = at_ns - clock_ns();

	if (left_ns <= 0)
		return gpr_inf_past(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			    gpr_time_from_nanos(left_ns, GPR_TIMESPAN));
}

/* The first message goes with the headers: one write. Where no more follow, it all comes back with the
 * first answer. */
static void call_begin(struct load_call *call, grpc_slice message, bool only)
{
	grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA,
		 .data.send_initial_metadata = {.metadata = &call->client->authorization,
						.count = call->client->n_headers}},
		{.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA},
		{.op = GRPC_OP_RECV_MESSAGE},
	};
	const size_t n_sends = 2, receives_at = 3, n = sizeof ops / sizeof *ops;
	bool started;

	call->outgoing = grpc_raw_byte_buffer_create(&message, 1);
	grpc_slice_unref(message);
	ops[1].data.send_message.send_message = call->outgoing;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	ops[4].data.recv_message.recv_message = &call->incoming;
	if (only) {
		started = ops_start(call, ops, n, &call->on_received);
	} else {
		call->sending = ops_start(call, ops, n_sends, &call->on_sent);
		started = ops_start(call, ops + receives_at, n - receives_at, &call->on_received);
	}
	if (!started)
		end_start(call);
}

/* One that has ended, or a new one; NULL without memory. */
static struct load_call *call_take(struct load_client *client)
{
	struct load_call *call = client->spare;

	if (call) {
		client->spare = call->next;
		*call = (struct load_call){.initial = call->initial, .trailing = call->trailing};
		call->initial.count = call->trailing.count = 0;
		return call;
	}
	call = calloc(1, sizeof *call);
	if (call) {
		grpc_metadata_array_init(&call->initial);
		grpc_metadata_array_init(&call->trailing);
	}
	return call;
}

static void *handle_of(struct connection *connection, const char *path)
{
	size_t i = 0;

	while (i < connection->n_paths && connection->paths[i] != path)
		i++;
	assert(i < LOAD_PATHS_MAX);
	if (i == connection->n_paths) {
		connection->paths[i] = path;
		connection->handles[i] =
			grpc_channel_register_call(connection->core, path, NULL, NULL);
		connection->n_paths++;
	}
	return connection->handles[i];
}

static grpc_slice slice_of(struct bytes message, bool lasts)
{
	return lasts ? grpc_slice_from_static_buffer(message.data, message.size)
		     : grpc_slice_from_copied_buffer((const char *)message.data, message.size);
}

status load_client_start(struct load_client *client, const struct load_start *start,
			 struct load_call **ret)
{
	struct load_call *call = call_take(client);
	struct connection *connection =
		&client->connections[start->connection % client->n_connections];

	if (!call)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a call");
	call->client = client;
	call->events = start->events;
	call->owner = start->owner;
	call->on_sent.done = sent_done;
	call->on_received.done = received_done;
	call->on_end.done = end_done;
	call->code = GRPC_STATUS_UNKNOWN;
	call->detail = grpc_empty_slice();
	call->core = grpc_channel_create_registered_call(
		connection->core, NULL, GRPC_PROPAGATE_DEFAULTS, client->queue,
		handle_of(connection, start->path), gpr_time_of(start->deadline_ns), NULL);
	*ret = call;
	call_begin(call, slice_of(start->message, start->lasts), start->only);
	return status_ok();
}

void load_call_send(struct load_call *call, struct bytes message, bool last)
{
	grpc_slice slice;

	if (call->over || call->close_behind || call->n_queued == QUEUED_MAX)
		return;
	slice = slice_of(message, true);
	call->close_behind = last;
	if (call->sending)
		call->queued[call->n_queued++] = slice;
	else
		send_start(call, slice, last);
}

void load_call_cancel(struct load_call *call)
{
	grpc_call_cancel(call->core, NULL);
}

/* --- waiting --- */

static grpc_event next(struct load_client *client, gpr_timespec until)
{
	return grpc_completion_queue_next(client->queue, until, NULL);
}

/* What is on hand, or at a socket. The core does what one socket asks for and no more, which need not be an
 * event: where that took a while, there may be another. */
static grpc_event look(struct load_client *client)
{
	const gpr_timespec at_once = gpr_inf_past(GPR_CLOCK_MONOTONIC);
	int64_t start_ns = clock_ns(), took_ns = EMPTY_LOOK_NS + 1;
	grpc_event event = {.type = GRPC_QUEUE_TIMEOUT};

	for (int i = 0;
	     i < LOOKS_MAX && event.type == GRPC_QUEUE_TIMEOUT && took_ns > EMPTY_LOOK_NS; i++) {
		int64_t now_ns;

		event = next(client, at_once);
		now_ns = clock_ns();
		took_ns = now_ns - start_ns;
		start_ns = now_ns;
	}
	return event;
}

struct load_event load_client_wait(struct load_client *client, int64_t until_ns)
{
	grpc_event event;

	for (;;) {
		int64_t left_ns = until_ns - clock_ns();

		if (left_ns > COARSE_NS) {
			event = next(client, gpr_time_of(until_ns - MS_NS));
		} else {
			event = look(client);
			if (event.type != GRPC_OP_COMPLETE && left_ns > 0)
				load_sleep_until(&client->sleep, until_ns - WAKE_NS);
		}
		if (event.type == GRPC_OP_COMPLETE)
			return (struct load_event){event.tag, event.success};
		if (left_ns <= 0)
			return (struct load_event){0};
	}
}

void load_client_take(struct load_event event)
{
	struct load_op *op = event.tag;

	op->done(op->call, event.ok);
}
