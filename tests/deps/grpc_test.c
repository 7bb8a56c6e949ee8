/* gRPC's C core - a completion queue ends, and a call goes once around over loopback. */
#include <criterion/criterion.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include <stdint.h>
#include <stdio.h>

static gpr_timespec soon(void)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(30, GPR_TIMESPAN));
}

static void *tag_of(intptr_t number)
{
	return (void *)number;
}

/* Waits for the events of the tags 0..63 in the mask, in whatever order they come. */
static void events_await(grpc_completion_queue *queue, uint64_t mask)
{
	while (mask) {
		grpc_event event = grpc_completion_queue_next(queue, soon(), NULL);

		cr_assert_eq(event.type, GRPC_OP_COMPLETE);
		cr_assert(event.success, "tag %d", (int)(intptr_t)event.tag);
		cr_assert(mask >> (intptr_t)event.tag & 1);
		mask &= ~(UINT64_C(1) << (intptr_t)event.tag);
	}
}

static void queue_end(grpc_completion_queue *queue)
{
	grpc_completion_queue_shutdown(queue);
	cr_assert_eq(grpc_completion_queue_next(queue, soon(), NULL).type, GRPC_QUEUE_SHUTDOWN);
	grpc_completion_queue_destroy(queue);
}

static grpc_byte_buffer *buffer_of(const char *text)
{
	grpc_slice slice = grpc_slice_from_copied_string(text);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

	grpc_slice_unref(slice);
	return buffer;
}

static void buffer_want(grpc_byte_buffer *buffer, const char *text)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;

	cr_assert_not_null(buffer);
	cr_assert(grpc_byte_buffer_reader_init(&reader, buffer));
	slice = grpc_byte_buffer_reader_readall(&reader);
	cr_assert_eq(grpc_slice_str_cmp(slice, text), 0);
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(buffer);
}

Test(grpc, ends_an_empty_completion_queue)
{
	grpc_init();
	queue_end(grpc_completion_queue_create_for_next(NULL));
	grpc_shutdown();
}

enum tags { CLIENT = 1, CALL, RECEIVED, ANSWERED, STOPPED };

/* What one side of a call takes in. */
struct side {
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *sent, *received;
	grpc_slice details;
	grpc_status_code code;
	int cancelled;
};

static void client_ask(struct side *client)
{
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = client->sent},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
		 .data.recv_initial_metadata.recv_initial_metadata = &client->initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &client->received},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		 .data.recv_status_on_client = {.trailing_metadata = &client->trailing,
						.status = &client->code,
						.status_details = &client->details}},
	};

	cr_assert_eq(grpc_call_start_batch(client->call, ops, 6, tag_of(CLIENT), NULL),
		     GRPC_CALL_OK);
}

static void server_read(struct side *server)
{
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &server->received},
	};

	cr_assert_eq(grpc_call_start_batch(server->call, ops, 2, tag_of(RECEIVED), NULL),
		     GRPC_CALL_OK);
}

static void server_answer(struct side *server)
{
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = server->sent},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
		 .data.send_status_from_server = {.status = GRPC_STATUS_OK}},
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
		 .data.recv_close_on_server.cancelled = &server->cancelled},
	};

	cr_assert_eq(grpc_call_start_batch(server->call, ops, 3, tag_of(ANSWERED), NULL),
		     GRPC_CALL_OK);
}

Test(grpc, answers_a_call_over_loopback)
{
	struct side client = {.sent = buffer_of("ping")}, server = {.sent = buffer_of("pong")};
	grpc_completion_queue *queue;
	grpc_server_credentials *open;
	grpc_channel_credentials *plain;
	grpc_call_details details;
	grpc_server *listener;
	grpc_channel *channel;
	char address[32];
	int port;

	grpc_init();
	queue = grpc_completion_queue_create_for_next(NULL);
	listener = grpc_server_create(NULL, NULL);
	grpc_server_register_completion_queue(listener, queue, NULL);
	open = grpc_insecure_server_credentials_create();
	port = grpc_server_add_http2_port(listener, "127.0.0.1:0", open);
	cr_assert_gt(port, 0);
	grpc_server_start(listener);
	grpc_call_details_init(&details);
	cr_assert_eq(grpc_server_request_call(listener, &server.call, &details, &server.initial,
					      queue, queue, tag_of(CALL)),
		     GRPC_CALL_OK);

	snprintf(address, sizeof address, "127.0.0.1:%d", port);
	plain = grpc_insecure_credentials_create();
	channel = grpc_channel_create(address, plain, NULL);
	client.call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
					       grpc_slice_from_static_string("/sluice.v1.Echo/Say"),
					       NULL, soon(), NULL);
	client_ask(&client);
	events_await(queue, 1 << CALL);
	cr_assert_eq(grpc_slice_str_cmp(details.method, "/sluice.v1.Echo/Say"), 0);
	server_read(&server);
	events_await(queue, 1 << RECEIVED);
	server_answer(&server);
	events_await(queue, 1 << CLIENT | 1 << ANSWERED);

	cr_assert_eq(client.code, GRPC_STATUS_OK);
	cr_assert_eq(server.cancelled, 0);
	buffer_want(server.received, "ping");
	buffer_want(client.received, "pong");

	grpc_server_shutdown_and_notify(listener, queue, tag_of(STOPPED));
	events_await(queue, 1 << STOPPED);
	grpc_call_unref(client.call);
	grpc_call_unref(server.call);
	grpc_channel_destroy(channel);
	grpc_server_destroy(listener);
	queue_end(queue);
	grpc_call_details_destroy(&details);
	grpc_metadata_array_destroy(&client.initial);
	grpc_metadata_array_destroy(&client.trailing);
	grpc_metadata_array_destroy(&server.initial);
	grpc_slice_unref(client.details);
	grpc_byte_buffer_destroy(client.sent);
	grpc_byte_buffer_destroy(server.sent);
	grpc_channel_credentials_release(plain);
	grpc_server_credentials_release(open);
	grpc_shutdown();
}
