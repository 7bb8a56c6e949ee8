/* wire - a call's ops: each is counted before it is asked for, and uncounted in its done.
 *
 * The core refuses an op only where we misuse it or the queue is gone; then the call is treated as
 * one whose client went away.
 */
#include "service/rpc/call.h"
#include "service/rpc/status.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdio.h>
#include <stdlib.h>

/* Below this a message is copied; above, its memory is handed to the core. */
#define COPY_MAX ((size_t)1024)

/* running_flag  of the op, or NULL. */
static void wire_start(struct rpc_call *call, const grpc_op *ops, size_t n_ops, struct rpc_op *tag,
		       bool *running_flag)
{
	pthread_mutex_lock(&call->lock);
	call->n_ops++;
	if (running_flag)
		*running_flag = true;
	if (running_flag == &call->sending)
		call->send_start_ns = clock_ns();
	if (running_flag == &call->receiving)
		call->silent_since_ns = clock_ns();
	pthread_mutex_unlock(&call->lock);

	if (grpc_call_start_batch(call->core, ops, n_ops, op_tag(tag), NULL) == GRPC_CALL_OK)
		return;

	deadline_cancel(&call->deadline);
	grpc_call_cancel(call->core, NULL);
	pthread_mutex_lock(&call->lock);
	call->n_ops--;
	call->aborted = true;
	if (running_flag)
		*running_flag = false;
	pthread_mutex_unlock(&call->lock);
}

void wire_await_end(struct rpc_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	op.data.recv_close_on_server.cancelled = &call->core_cancelled;
	wire_start(call, &op, 1, &call->on_end, NULL);
}

void wire_receive(struct rpc_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

	op.data.recv_message.recv_message = &call->incoming;
	wire_start(call, &op, 1, &call->on_receive, &call->receiving);
}

static grpc_byte_buffer *wire_message(struct buffer *message)
{
	grpc_byte_buffer *outgoing;
	grpc_slice slice;

	if (message->size <= COPY_MAX) {
		slice = grpc_slice_from_copied_buffer((const char *)message->data, message->size);
	} else {
		slice = grpc_slice_new(message->data, message->size, free);
		*message = (struct buffer){0};
	}
	outgoing = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return outgoing;
}

/* Copied: core may keep a slice beyond the call. */
static void add_trailer(struct rpc_call *call, const char *key, const void *value, size_t size)
{
	call->trailers[call->n_trailers++] = (grpc_metadata){
		.key = grpc_slice_from_static_string(key),
		.value = grpc_slice_from_copied_buffer(value, size),
	};
}

/* What went wrong, for programs, and when a client that retries by itself is to do so. */
static void add_trailers(struct rpc_call *call, grpc_op *op)
{
	char text[16];

	if (call->details.size)
		add_trailer(call, "grpc-status-details-bin", call->details.data,
			    call->details.size);
	if (call->retry_ms)
		add_trailer(call, "grpc-retry-pushback-ms", text,
			    (size_t)snprintf(text, sizeof text, "%u", call->retry_ms));
	op->data.send_status_from_server.trailing_metadata = call->trailers;
	op->data.send_status_from_server.trailing_metadata_count = call->n_trailers;
}

static void note_sent(struct rpc_call *call, size_t size_bytes)
{
	call->n_sent++;
	call->sent_bytes += size_bytes;
	traffic_sent(call->traffic);
}

void wire_send(struct rpc_call *call, struct buffer *message)
{
	struct bytes detail = status_detail(call->status);
	grpc_slice detail_slice =
		grpc_slice_from_copied_buffer((const char *)detail.data, detail.size);
	grpc_op ops[3] = {0};
	size_t n = 0;

	if (!call->sent_metadata) {
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
		call->sent_metadata = true;
	}
	if (message) {
		note_sent(call, message->size);
		call->outgoing = wire_message(message);
		ops[n].data.send_message.send_message = call->outgoing;
		ops[n++].op = GRPC_OP_SEND_MESSAGE;
	}
	if (call->ended) {
		ops[n].data.send_status_from_server.status = status_to_grpc(call->status.code);
		ops[n].data.send_status_from_server.status_details = &detail_slice;
		add_trailers(call, &ops[n]);
		ops[n++].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
		call->sent_status = true;
	}
	wire_start(call, ops, n, &call->on_send, &call->sending);
	grpc_slice_unref(detail_slice);
	for (size_t i = 0; i < call->n_trailers; i++)
		grpc_slice_unref(call->trailers[i].value);
}

void wire_wake(struct rpc_call *call)
{
	/* A batch without ops comes straight back through the queue, and may be asked for from any
	 * thread beside others. */
	grpc_call_error error =
		grpc_call_start_batch(call->core, NULL, 0, op_tag(&call->on_wake), NULL);

	assert(error == GRPC_CALL_OK); /* the queue outlives its calls */
	(void)error;
}
