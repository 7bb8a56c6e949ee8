/* client - gRPC's C core, made blocking.
 *
 * A tag is the address of a client_op in its call. A call has four of them: its beginning and end,
 * the server's headers, the message being sent and the one being received. It is freed when none of
 * them is pending.
 */
#include "service/cli/client.h"

#include "service/cli/channel.h"
#include "service/cli/failure.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include <stdlib.h>

#define UNARY_TIMEOUT_SECONDS 30.0

struct client {
	struct client_options options;
	grpc_channel *channel;
	grpc_completion_queue *queue;
	grpc_metadata authorization;
	size_t n_headers; /* 1: it is sent */
};

struct client_op {
	bool pending, ok;
};

struct client_call {
	struct client *client;
	const struct method *method;
	double timeout_seconds; /* 0: none */
	grpc_call *call;
	struct client_op life, headers, sending, receiving;
	bool asked; /* for an answer that was not taken yet */
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *sent, *received;
	grpc_status_code code;
	grpc_slice details;
	size_t received_bytes;
};

status client_open(const struct client_options *options, struct client **ret)
{
	struct client *client = calloc(1, sizeof *client);
	status opened;

	if (!client)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a client");
	client->options = *options;
	opened = channel_open(options, false, &client->channel);
	if (status_failed(opened)) {
		free(client);
		return opened;
	}
	client->n_headers = channel_headers(options, &client->authorization);
	client->queue = grpc_completion_queue_create_for_next(NULL);
	*ret = client;
	return status_ok();
}

const struct client_options *client_options_of(const struct client *client)
{
	return &client->options;
}

static gpr_timespec never(void)
{
	return gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

/* Waits for the next event, whichever call it belongs to. */
static void client_turn(struct client *client)
{
	grpc_event event = grpc_completion_queue_next(client->queue, never(), NULL);
	struct client_op *op = event.tag;

	if (event.type != GRPC_OP_COMPLETE)
		return;
	op->ok = event.success;
	op->pending = false;
}

static void client_wait(struct client *client, const struct client_op *op)
{
	while (op->pending)
		client_turn(client);
}

void client_close(struct client *client)
{
	if (!client)
		return;
	grpc_channel_destroy(client->channel);
	grpc_completion_queue_shutdown(client->queue);
	while (grpc_completion_queue_next(client->queue, never(), NULL).type != GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(client->queue);
	if (client->n_headers)
		grpc_slice_unref(client->authorization.value);
	free(client);
}

/* A batch that the library refuses counts as one that failed. */
static void call_start(struct client_call *call, const grpc_op *ops, size_t n, struct client_op *op)
{
	op->ok = false;
	op->pending = grpc_call_start_batch(call->call, ops, n, op, NULL) == GRPC_CALL_OK;
}

static void call_begin(struct client_call *call)
{
	const grpc_op life[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA,
		 .data.send_initial_metadata = {.metadata = &call->client->authorization,
						.count = call->client->n_headers}},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		 .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
						.status = &call->code,
						.status_details = &call->details}},
	};
	const grpc_op headers = {
		.op = GRPC_OP_RECV_INITIAL_METADATA,
		.data.recv_initial_metadata.recv_initial_metadata = &call->initial,
	};

	call_start(call, life, 2, &call->life);
	call_start(call, &headers, 1, &call->headers);
}

static status call_open_within(struct client *client, const struct method *method,
			       double timeout_seconds, struct client_call **ret)
{
	struct client_call *call = calloc(1, sizeof *call);
	gpr_timespec deadline = never();

	if (!call)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a call");
	if (timeout_seconds > 0)
		deadline = gpr_time_add(
			gpr_now(GPR_CLOCK_MONOTONIC),
			gpr_time_from_nanos((int64_t)(timeout_seconds * 1e9), GPR_TIMESPAN));
	call->client = client;
	call->method = method;
	call->timeout_seconds = timeout_seconds;
	call->details = grpc_empty_slice();
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	call->call = grpc_channel_create_call(
		client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, client->queue,
		grpc_slice_from_static_string(method->path), NULL, deadline, NULL);
	call_begin(call);
	*ret = call;
	return status_ok();
}

status client_call_open(struct client *client, const struct method *method,
			struct client_call **ret)
{
	return call_open_within(client, method, client->options.timeout_seconds, ret);
}

static void buffer_drop(grpc_byte_buffer **buffer)
{
	if (*buffer)
		grpc_byte_buffer_destroy(*buffer);
	*buffer = NULL;
}

void client_call_close(struct client_call *call)
{
	if (!call)
		return;
	if (call->life.pending)
		grpc_call_cancel(call->call, NULL);
	client_wait(call->client, &call->life);
	client_wait(call->client, &call->headers);
	client_wait(call->client, &call->sending);
	client_wait(call->client, &call->receiving);
	grpc_call_unref(call->call);
	buffer_drop(&call->sent);
	buffer_drop(&call->received);
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_slice_unref(call->details);
	free(call);
}

/* Waits until the message before is sent. */
static status call_sent(struct client_call *call)
{
	client_wait(call->client, &call->sending);
	if (call->sent && !call->sending.ok)
		return status_make(STATUS_INTERNAL, "the call has ended");
	buffer_drop(&call->sent);
	return status_ok();
}

/* Takes the slice. last  no more messages follow. */
static void call_send_slice(struct client_call *call, grpc_slice slice, bool last)
{
	grpc_byte_buffer *sent = grpc_raw_byte_buffer_create(&slice, 1);
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = sent},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
	};

	grpc_slice_unref(slice);
	call->sent = sent;
	call_start(call, ops, last ? 2 : 1, &call->sending);
}

status client_call_send(struct client_call *call, struct bytes message)
{
	TRY(call_sent(call));
	call_send_slice(call,
			grpc_slice_from_copied_buffer((const char *)message.data, message.size),
			false);
	return status_ok();
}

status client_call_send_end(struct client_call *call)
{
	const grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	TRY(call_sent(call));
	call_start(call, &op, 1, &call->sending);
	return status_ok();
}

/* Sends the only message. Whether it went through, client_call_receive says. */
static void call_ask(struct client_call *call, const ProtobufCMessage *request)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(request));

	protobuf_c_message_pack(request, GRPC_SLICE_START_PTR(slice));
	call_send_slice(call, slice, true);
}

status client_call_open_with(struct client *client, const struct method *method,
			     const ProtobufCMessage *request, struct client_call **ret)
{
	SCOPED(client_call) call = NULL;

	TRY(client_call_open(client, method, &call));
	call_ask(call, request);
	*ret = TAKE(call);
	return status_ok();
}

void client_call_receive_start(struct client_call *call)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
			    .data.recv_message.recv_message = &call->received};

	if (call->asked)
		return;
	call->asked = true;
	call_start(call, &op, 1, &call->receiving);
}

size_t client_wait_any(struct client *client, struct client_call *const *calls, size_t n)
{
	for (;;) {
		for (size_t i = 0; i < n; i++)
			if (calls[i] && !calls[i]->receiving.pending)
				return i;
		client_turn(client);
	}
}

size_t client_call_received_bytes(const struct client_call *call)
{
	return call->received_bytes;
}

/* What the trailer says for programs. */
static const struct error_info *call_info(const struct client_call *call)
{
	for (size_t i = 0; i < call->trailing.count; i++) {
		const grpc_metadata *entry = &call->trailing.metadata[i];

		if (grpc_slice_str_cmp(entry->key, "grpc-status-details-bin") == 0)
			return failure_decode(call->client->options.arena,
					      bytes_of(GRPC_SLICE_START_PTR(entry->value),
						       GRPC_SLICE_LENGTH(entry->value)));
	}
	return NULL;
}

/* What the server said, or why it could not be asked. */
static status call_status(struct client_call *call)
{
	struct client *client = call->client;
	struct arena *arena = client->options.arena;
	enum status_code code = (enum status_code)call->code;
	const char *address = client->options.address, *reason;
	char *details;

	if (call->code == GRPC_STATUS_OK)
		return status_ok();
	details = arena_copy(arena, GRPC_SLICE_START_PTR(call->details),
			     GRPC_SLICE_LENGTH(call->details));
	if (!details)
		return status_make(code, status_code_name(code));
	if (code == STATUS_UNAVAILABLE &&
	    grpc_channel_check_connectivity_state(client->channel, 0) ==
		    GRPC_CHANNEL_TRANSIENT_FAILURE) {
		/* "failed to connect to all addresses; last error: UNKNOWN: ADDRESS: why" */
		reason = strrchr(details, ':');
		reason = reason && reason[1] == ' ' ? reason + 2 : details;
		return status_format(arena, code, "cannot reach %s: %s", address, reason);
	}
	if (code == STATUS_DEADLINE_EXCEEDED && call->timeout_seconds > 0)
		return status_format(arena, code, "%s: %s did not finish within %g s",
				     status_code_name(code), address, call->timeout_seconds);
	return status_with(status_format(arena, code, "%s: %s", status_code_name(code), details),
			   call_info(call));
}

static status message_unpack(struct client_call *call, ProtobufCMessage **ret)
{
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *message;
	grpc_slice slice;

	if (!grpc_byte_buffer_reader_init(&reader, call->received))
		return status_make(STATUS_INTERNAL, "the server's answer cannot be read");
	slice = grpc_byte_buffer_reader_readall(&reader);
	call->received_bytes += GRPC_SLICE_LENGTH(slice);
	message = protobuf_c_message_unpack(call->method->answer, NULL, GRPC_SLICE_LENGTH(slice),
					    GRPC_SLICE_START_PTR(slice));
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
	if (!message)
		return status_format(call->client->options.arena, STATUS_INTERNAL,
				     "the server's answer to %s does not parse as %s",
				     call->method->path, call->method->answer->name);
	*ret = message;
	return status_ok();
}

status client_call_receive(struct client_call *call, ProtobufCMessage **ret)
{
	status parsed;

	client_call_receive_start(call);
	client_wait(call->client, &call->receiving);
	call->asked = false;
	if (!call->received) {
		client_wait(call->client, &call->life);
		TRY(call_status(call));
		*ret = NULL;
		return status_ok();
	}
	parsed = message_unpack(call, ret);
	buffer_drop(&call->received);
	return parsed;
}

/* The end of a unary call, where no more answers may come. */
static status call_finish(struct client_call *call)
{
	ProtobufCMessage *more = NULL;

	TRY(client_call_receive(call, &more));
	if (!more)
		return status_ok();
	protobuf_c_message_free_unpacked(more, NULL);
	return status_make(STATUS_INTERNAL, "the server sent two answers where one is due");
}

status client_unary(struct client *client, const struct method *method,
		    const ProtobufCMessage *request, ProtobufCMessage **ret)
{
	SCOPED(client_call) call = NULL;
	double timeout_seconds = client->options.timeout_seconds;
	ProtobufCMessage *answer = NULL;
	status finished;

	TRY(call_open_within(client, method,
			     timeout_seconds > 0 ? timeout_seconds : UNARY_TIMEOUT_SECONDS, &call));
	call_ask(call, request);
	TRY(client_call_receive(call, &answer));
	if (!answer)
		return status_make(STATUS_INTERNAL, "the server sent no answer");
	finished = call_finish(call);
	if (status_failed(finished)) {
		protobuf_c_message_free_unpacked(answer, NULL);
		return finished;
	}
	*ret = answer;
	return status_ok();
}
