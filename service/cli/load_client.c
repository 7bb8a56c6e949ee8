/* load_client - gRPC's C core, as it is: a tag is the address of an op in its call, which says what to
 * do when it is done. A call ends with its last op.
 */
#include "service/cli/load_client.h"

#include "kernels/base/deadline.h"
#include "service/cli/channel.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/time.h>

#include <stdlib.h>

#define QUEUED_MAX 4

struct load_client {
	grpc_completion_queue *queue;
	grpc_channel **channels; /* [n_channels] */
	size_t n_channels;
	grpc_metadata authorization;
	size_t n_headers;
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
	struct load_op on_begin, on_headers, on_sent, on_received, on_end;
	unsigned n_ops;
	bool sending, over;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *outgoing, *incoming;
	grpc_slice queued[QUEUED_MAX]; /* [n_queued] behind the one that is being sent */
	size_t n_queued;
	bool close_behind; /* and then no more */
	grpc_status_code code;
	grpc_slice detail;
};

status load_client_open(const struct client_options *options, size_t connections,
			struct load_client **ret)
{
	SCOPED(load_client) client = calloc(1, sizeof *client);

	if (!client || !(client->channels = calloc(connections, sizeof *client->channels)))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for connections");
	for (; client->n_channels < connections; client->n_channels++)
		TRY(channel_open(options, true, &client->channels[client->n_channels]));
	client->n_headers = channel_headers(options, &client->authorization);
	client->queue = grpc_completion_queue_create_for_next(NULL);
	*ret = TAKE(client);
	return status_ok();
}

void load_client_close(struct load_client *client)
{
	if (!client)
		return;
	for (size_t i = 0; i < client->n_channels; i++)
		grpc_channel_destroy(client->channels[i]);
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
	free(client->channels);
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

static void op_over(struct load_call *call)
{
	if (--call->n_ops > 0)
		return;
	call->events->ended(
		call->owner, (enum status_code)call->code,
		bytes_of(GRPC_SLICE_START_PTR(call->detail), GRPC_SLICE_LENGTH(call->detail)));
	for (size_t i = 0; i < call->n_queued; i++)
		grpc_slice_unref(call->queued[i]);
	if (call->outgoing)
		grpc_byte_buffer_destroy(call->outgoing);
	grpc_slice_unref(call->detail);
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_call_unref(call->core);
	free(call);
}

static void plain_done(struct load_call *call, bool ok)
{
	(void)ok;
	op_over(call);
}

static void end_done(struct load_call *call, bool ok)
{
	(void)ok;
	call->over = true;
	op_over(call);
}

static void receive_start(struct load_call *call)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
			    .data.recv_message.recv_message = &call->incoming};

	ops_start(call, &op, 1, &call->on_received);
}

/* One slice is looked at where it lies; several, of a large message, are put together. */
static void answer_give(struct load_call *call)
{
	grpc_byte_buffer_reader reader;
	grpc_slice *part, whole;

	if (!grpc_byte_buffer_reader_init(&reader, call->incoming))
		return;
	if (grpc_byte_buffer_reader_peek(&reader, &part) &&
	    GRPC_SLICE_LENGTH(*part) == grpc_byte_buffer_length(call->incoming)) {
		call->events->answered(call->owner, bytes_of(GRPC_SLICE_START_PTR(*part),
							     GRPC_SLICE_LENGTH(*part)));
	} else {
		grpc_byte_buffer_reader_destroy(&reader);
		if (!grpc_byte_buffer_reader_init(&reader, call->incoming))
			return;
		whole = grpc_byte_buffer_reader_readall(&reader);
		call->events->answered(call->owner, bytes_of(GRPC_SLICE_START_PTR(whole),
							     GRPC_SLICE_LENGTH(whole)));
		grpc_slice_unref(whole);
	}
	grpc_byte_buffer_reader_destroy(&reader);
}

static void received_done(struct load_call *call, bool ok)
{
	if (ok && call->incoming) {
		answer_give(call);
		grpc_byte_buffer_destroy(TAKE(call->incoming));
		receive_start(call);
	}
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

/* The first message goes with the headers: one write. An only call has one op less to wait for. */
static void call_begin(struct load_call *call, struct bytes message, bool only)
{
	grpc_slice slice = grpc_slice_from_copied_buffer((const char *)message.data, message.size);
	grpc_op begin[4] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA,
		 .data.send_initial_metadata = {.metadata = &call->client->authorization,
						.count = call->client->n_headers}},
		{.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA},
	};
	grpc_op headers = {.op = GRPC_OP_RECV_INITIAL_METADATA};
	grpc_op end = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		       .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
						      .status = &call->code,
						      .status_details = &call->detail}};

	call->outgoing = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	begin[1].data.send_message.send_message = call->outgoing;
	begin[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	headers.data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	if (only) {
		ops_start(call, begin, 4, &call->on_begin);
	} else {
		call->sending = ops_start(call, begin, 2, &call->on_sent);
		ops_start(call, &headers, 1, &call->on_headers);
	}
	ops_start(call, &end, 1, &call->on_end);
	receive_start(call);
}

status load_client_start(struct load_client *client, const struct load_start *start,
			 struct load_call **ret)
{
	struct load_call *call = calloc(1, sizeof *call);

	if (!call)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a call");
	call->client = client;
	call->events = start->events;
	call->owner = start->owner;
	call->on_begin.done = plain_done;
	call->on_headers.done = plain_done;
	call->on_sent.done = sent_done;
	call->on_received.done = received_done;
	call->on_end.done = end_done;
	call->detail = grpc_empty_slice();
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	call->core = grpc_channel_create_call(
		client->channels[start->connection % client->n_channels], NULL,
		GRPC_PROPAGATE_DEFAULTS, client->queue, grpc_slice_from_static_string(start->path),
		NULL, gpr_time_of(start->deadline_ns), NULL);
	*ret = call;
	call_begin(call, start->message, start->only);
	return status_ok();
}

void load_call_send(struct load_call *call, struct bytes message, bool last)
{
	grpc_slice slice;

	if (call->over || call->close_behind || call->n_queued == QUEUED_MAX)
		return;
	slice = grpc_slice_from_copied_buffer((const char *)message.data, message.size);
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

struct load_event load_client_wait(struct load_client *client, int64_t until_ns)
{
	grpc_event event = grpc_completion_queue_next(client->queue, gpr_time_of(until_ns), NULL);

	if (event.type != GRPC_OP_COMPLETE)
		return (struct load_event){0};
	return (struct load_event){event.tag, event.success};
}

void load_client_take(struct load_event event)
{
	struct load_op *op = event.tag;

	op->done(op->call, event.ok);
}
