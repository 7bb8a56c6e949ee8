/* grpc_client - a queue for each call, plucked for whatever is waited for. */
#include "tests/support/grpc_client.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>

struct grpc_client {
	grpc_channel *channel;
	grpc_metadata headers[2];
	size_t n_headers;
};

/* Which op waits; their addresses are the tags. */
enum stream_tag { TAG_START, TAG_END, TAG_SEND, TAG_RECEIVE, TAG_HALF_CLOSE, N_TAGS };

struct grpc_stream {
	grpc_call *call;
	grpc_completion_queue *queue;
	grpc_metadata_array initial, trailing;
	grpc_status_code code;
	grpc_slice detail_slice;
	char *detail;
	grpc_byte_buffer *incoming, *outgoing;
	bool out[N_TAGS]; /* asked for and not plucked yet */
	char tags[N_TAGS];
};

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "grpc_client: %s\n", what);
	abort();
}

static gpr_timespec in_seconds(double seconds)
{
	if (seconds <= 0)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			    gpr_time_from_nanos((int64_t)(seconds * 1e9), GPR_TIMESPAN));
}

/* To be freed. */
static char *file_text(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = calloc(1, 65536);

	check(in && text, path);
	check(fread(text, 1, 65535, in) > 0, path);
	fclose(in);
	return text;
}

static grpc_channel_credentials *make_credentials(const struct grpc_client_options *options)
{
	bool shows = options && options->certificate_file;
	grpc_ssl_pem_key_cert_pair pair = {NULL, NULL};
	grpc_channel_credentials *credentials;
	char *ca, *key = NULL, *certificate = NULL;

	if (!options || !options->ca_file)
		return grpc_insecure_credentials_create();
	ca = file_text(options->ca_file);
	if (shows) {
		key = file_text(options->key_file);
		certificate = file_text(options->certificate_file);
		pair = (grpc_ssl_pem_key_cert_pair){key, certificate};
	}
	credentials = grpc_ssl_credentials_create_ex(ca, shows ? &pair : NULL, NULL, NULL);
	free(ca);
	free(key);
	free(certificate);
	return credentials;
}

static void add_header(struct grpc_client *client, const char *name, const char *value)
{
	if (value)
		client->headers[client->n_headers++] = (grpc_metadata){
			.key = grpc_slice_from_static_string(name),
			.value = grpc_slice_from_copied_string(value),
		};
}

struct grpc_client *grpc_client_open(const char *address, const struct grpc_client_options *options)
{
	struct grpc_client *client = calloc(1, sizeof *client);
	grpc_channel_credentials *credentials;
	grpc_arg args[] = {
		{.type = GRPC_ARG_INTEGER,
		 .key = (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
		 .value.integer = 1},
		{.type = GRPC_ARG_INTEGER,
		 .key = (char *)GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM,
		 .value.integer = GRPC_COMPRESS_GZIP},
	};
	grpc_channel_args all = {options && options->gzip ? 2 : 1, args};

	check(client != NULL, "memory");
	grpc_init(); /* up until the process ends: see rpc_server_open */
	if (options) {
		add_header(client, "authorization", options->authorization);
		add_header(client, "traceparent", options->traceparent);
	}
	credentials = make_credentials(options);
	client->channel = grpc_channel_create(address, credentials, &all);
	grpc_channel_credentials_release(credentials);
	return client;
}

void grpc_client_close(struct grpc_client *client)
{
	if (!client)
		return;
	grpc_channel_destroy(client->channel);
	for (size_t i = 0; i < client->n_headers; i++)
		grpc_slice_unref(client->headers[i].value);
	free(client);
}

static bool stream_ask(struct grpc_stream *stream, enum stream_tag tag, const grpc_op *ops,
		       size_t n)
{
	check(!stream->out[tag], "asked for twice");
	stream->out[tag] = grpc_call_start_batch(stream->call, ops, n, &stream->tags[tag], NULL) ==
			   GRPC_CALL_OK;
	return stream->out[tag];
}

/* False: until has come first, or the op has failed. */
static bool stream_pluck(struct grpc_stream *stream, enum stream_tag tag, gpr_timespec until)
{
	grpc_event event;

	if (!stream->out[tag])
		return true;
	event = grpc_completion_queue_pluck(stream->queue, &stream->tags[tag], until, NULL);
	if (event.type != GRPC_OP_COMPLETE)
		return false;
	stream->out[tag] = false;
	return event.success != 0;
}

static gpr_timespec never(void)
{
	return gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

struct grpc_stream *grpc_stream_open(struct grpc_client *client, const char *path,
				     double timeout_seconds)
{
	struct grpc_stream *stream = calloc(1, sizeof *stream);
	grpc_slice method = grpc_slice_from_copied_string(path);
	grpc_op start[2] = {0}, end = {0};

	check(stream != NULL, "memory");
	stream->queue = grpc_completion_queue_create_for_pluck(NULL);
	stream->call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
						stream->queue, method, NULL,
						in_seconds(timeout_seconds), NULL);
	grpc_slice_unref(method);
	grpc_metadata_array_init(&stream->initial);
	grpc_metadata_array_init(&stream->trailing);
	stream->detail_slice = grpc_empty_slice();

	start[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	start[0].data.send_initial_metadata.metadata = client->headers;
	start[0].data.send_initial_metadata.count = client->n_headers;
	start[1].op = GRPC_OP_RECV_INITIAL_METADATA;
	start[1].data.recv_initial_metadata.recv_initial_metadata = &stream->initial;
	check(stream_ask(stream, TAG_START, start, 2), "start");
	end.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	end.data.recv_status_on_client.trailing_metadata = &stream->trailing;
	end.data.recv_status_on_client.status = &stream->code;
	end.data.recv_status_on_client.status_details = &stream->detail_slice;
	check(stream_ask(stream, TAG_END, &end, 1), "end");
	return stream;
}

struct grpc_stream *grpc_stream_open_server(struct grpc_client *client, const char *path,
					    struct bytes request, double timeout_seconds)
{
	struct grpc_stream *stream = grpc_stream_open(client, path, timeout_seconds);

	/* A call that is over already says so in its status. */
	if (grpc_stream_send(stream, request))
		grpc_stream_half_close(stream);
	return stream;
}

void grpc_stream_close(struct grpc_stream *stream)
{
	if (!stream)
		return;
	grpc_call_cancel(stream->call, NULL);
	for (int tag = 0; tag < N_TAGS; tag++)
		stream_pluck(stream, (enum stream_tag)tag, never());
	if (stream->incoming)
		grpc_byte_buffer_destroy(stream->incoming);
	if (stream->outgoing)
		grpc_byte_buffer_destroy(stream->outgoing);
	grpc_metadata_array_destroy(&stream->initial);
	grpc_metadata_array_destroy(&stream->trailing);
	grpc_slice_unref(stream->detail_slice);
	gpr_free(stream->detail);
	grpc_call_unref(stream->call);
	grpc_completion_queue_shutdown(stream->queue);
	grpc_completion_queue_destroy(stream->queue);
	free(stream);
}

void grpc_stream_begin_send(struct grpc_stream *stream, struct bytes message)
{
	grpc_slice slice = grpc_slice_from_copied_buffer((const char *)message.data, message.size);
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};

	if (stream->outgoing)
		grpc_byte_buffer_destroy(stream->outgoing);
	stream->outgoing = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	op.data.send_message.send_message = stream->outgoing;
	stream_ask(stream, TAG_SEND, &op, 1);
}

bool grpc_stream_await_send(struct grpc_stream *stream, double seconds)
{
	return stream_pluck(stream, TAG_SEND, in_seconds(seconds));
}

bool grpc_stream_send(struct grpc_stream *stream, struct bytes message)
{
	grpc_stream_begin_send(stream, message);
	return stream_pluck(stream, TAG_SEND, never());
}

bool grpc_stream_half_close(struct grpc_stream *stream)
{
	grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	return stream_ask(stream, TAG_HALF_CLOSE, &op, 1) &&
	       stream_pluck(stream, TAG_HALF_CLOSE, never());
}

static bool take_incoming(struct grpc_stream *stream, struct buffer *ret)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;

	if (!stream->incoming)
		return false;
	check(grpc_byte_buffer_reader_init(&reader, stream->incoming), "a message to read");
	slice = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(TAKE(stream->incoming));
	ret->size = 0;
	buffer_append(ret, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
	grpc_slice_unref(slice);
	return true;
}

static bool next_until(struct grpc_stream *stream, gpr_timespec until, struct buffer *ret,
		       bool *ret_late)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	bool came;

	op.data.recv_message.recv_message = &stream->incoming;
	if (!stream->out[TAG_RECEIVE] && !stream_ask(stream, TAG_RECEIVE, &op, 1))
		return false;
	came = stream_pluck(stream, TAG_RECEIVE, until);
	*ret_late = !came && stream->out[TAG_RECEIVE];
	return came && take_incoming(stream, ret);
}

bool grpc_stream_next(struct grpc_stream *stream, struct buffer *ret)
{
	bool late;

	return next_until(stream, never(), ret, &late);
}

bool grpc_stream_next_within(struct grpc_stream *stream, double seconds, struct buffer *ret,
			     bool *ret_late)
{
	return next_until(stream, in_seconds(seconds), ret, ret_late);
}

void grpc_stream_cancel(struct grpc_stream *stream)
{
	grpc_call_cancel(stream->call, NULL);
}

int grpc_stream_finish(struct grpc_stream *stream, const char **ret_detail)
{
	stream_pluck(stream, TAG_END, never());
	if (!stream->detail)
		stream->detail = grpc_slice_to_c_string(stream->detail_slice);
	if (ret_detail)
		*ret_detail = stream->detail;
	return (int)stream->code;
}

struct bytes grpc_stream_trailer(const struct grpc_stream *stream, const char *key)
{
	for (size_t i = 0; i < stream->trailing.count; i++) {
		const grpc_metadata *entry = &stream->trailing.metadata[i];

		if (grpc_slice_str_cmp(entry->key, key) == 0)
			return bytes_of(GRPC_SLICE_START_PTR(entry->value),
					GRPC_SLICE_LENGTH(entry->value));
	}
	return bytes_of(NULL, 0);
}

struct bytes grpc_stream_details(const struct grpc_stream *stream)
{
	return grpc_stream_trailer(stream, "grpc-status-details-bin");
}

int grpc_client_unary(struct grpc_client *client, const char *path, struct bytes request,
		      double timeout_seconds, struct grpc_reply *ret)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, path, request, timeout_seconds);
	const char *detail;
	struct bytes details;

	*ret = (struct grpc_reply){0};
	grpc_stream_next(stream, &ret->message);
	ret->code = grpc_stream_finish(stream, &detail);
	snprintf(ret->detail, sizeof ret->detail, "%s", detail);
	details = grpc_stream_details(stream);
	buffer_append(&ret->details, details.data, details.size);
	return ret->code;
}

void grpc_reply_finish(struct grpc_reply *reply)
{
	buffer_finish(&reply->message);
	buffer_finish(&reply->details);
}
