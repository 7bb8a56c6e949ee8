/* peer - a channel, a completion queue, and one batch for a call. */
#include "service/rpc/peer.h"

#include "kernels/base/deadline.h"
#include "service/rpc/status.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdlib.h>

struct peer {
	grpc_channel *channel;
	grpc_completion_queue *queue;
	grpc_metadata *headers; /* [n_headers] */
	size_t n_headers;
	pthread_mutex_t lock;
	/* Under the lock. */
	grpc_call *call; /* under way; NULL: none is */
	bool gave_up;
};

/* What one call owns. */
struct exchange {
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *sent, *received;
	grpc_status_code code;
	grpc_slice details;
};

static grpc_channel_credentials *make_credentials(const struct peer_options *options)
{
	grpc_ssl_pem_key_cert_pair pair = {options->key, options->certificate};

	if (!options->tls)
		return grpc_insecure_credentials_create();
	return grpc_ssl_credentials_create_ex(
		options->ca, options->certificate && options->key ? &pair : NULL, NULL, NULL);
}

/* The core refuses to send what HTTP/2 does not allow, and binary headers are not text. */
static status copy_headers(struct peer *peer, const struct peer_options *options)
{
	peer->headers = calloc(options->n_headers + 1, sizeof *peer->headers);
	if (!peer->headers)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for headers");
	for (size_t i = 0; i < options->n_headers; i++) {
		grpc_metadata header = {
			.key = grpc_slice_from_copied_string(options->headers[i].name),
			.value = grpc_slice_from_copied_string(options->headers[i].value),
		};

		if (grpc_header_key_is_legal(header.key) &&
		    grpc_header_nonbin_value_is_legal(header.value) &&
		    !grpc_is_binary_header(header.key)) {
			peer->headers[peer->n_headers++] = header;
			continue;
		}
		grpc_slice_unref(header.key);
		grpc_slice_unref(header.value);
	}
	return status_ok();
}

static grpc_arg number(const char *key, int value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER,
		.key = (char *)(uintptr_t)key, /* only read */
		.value.integer = value,
	};
}

status peer_open(const struct peer_options *options, struct peer **ret)
{
	grpc_arg settings[] = {
		/* Whoever calls knows when to try again, and what that costs. */
		number(GRPC_ARG_ENABLE_RETRIES, 0),
		/* A proxy of the environment is for other things. */
		number(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
		/* Instead of two minutes: so long one that came back stays unnoticed. */
		number(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000),
		number(GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM,
		       options->gzip ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE),
	};
	const grpc_channel_args args = {sizeof settings / sizeof *settings, settings};
	grpc_channel_credentials *credentials;
	SCOPED(peer) peer = calloc(1, sizeof *peer);

	if (!peer)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a peer");
	/* As for a server: up until the process ends. */
	grpc_init();
	pthread_mutex_init(&peer->lock, NULL);
	TRY(copy_headers(peer, options));
	credentials = make_credentials(options);
	if (!credentials)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "the CA, certificate or key of TLS cannot be used");
	peer->channel = grpc_channel_create(options->target, credentials, &args);
	grpc_channel_credentials_release(credentials);
	peer->queue = grpc_completion_queue_create_for_pluck(NULL);
	if (!peer->channel)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a channel");
	*ret = TAKE(peer);
	return status_ok();
}

void peer_close(struct peer *peer)
{
	if (!peer)
		return;
	if (peer->queue) {
		grpc_completion_queue_shutdown(peer->queue);
		grpc_completion_queue_destroy(peer->queue);
	}
	if (peer->channel)
		grpc_channel_destroy(peer->channel);
	for (size_t i = 0; i < peer->n_headers; i++) {
		grpc_slice_unref(peer->headers[i].key);
		grpc_slice_unref(peer->headers[i].value);
	}
	free(peer->headers);
	pthread_mutex_destroy(&peer->lock);
	free(peer);
}

static grpc_call *begin(struct peer *peer, const char *path, int64_t timeout_ns)
{
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					     gpr_time_from_nanos(timeout_ns, GPR_TIMESPAN));
	grpc_call *call = NULL;

	pthread_mutex_lock(&peer->lock);
	if (!peer->gave_up)
		call = grpc_channel_create_call(peer->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
						peer->queue, grpc_slice_from_static_string(path),
						NULL, deadline, NULL);
	peer->call = call;
	pthread_mutex_unlock(&peer->lock);
	return call;
}

static void end(struct peer *peer, grpc_call *call)
{
	pthread_mutex_lock(&peer->lock);
	peer->call = NULL;
	pthread_mutex_unlock(&peer->lock);
	grpc_call_unref(call);
}

void peer_give_up(struct peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->gave_up = true;
	if (peer->call)
		grpc_call_cancel(peer->call, NULL);
	pthread_mutex_unlock(&peer->lock);
}

/* All of a unary call at once: it is done when its status has come. False: we misused the core. */
static bool converse(struct peer *peer, grpc_call *call, struct exchange *exchange)
{
	grpc_op ops[6] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
		{.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
	};

	ops[0].data.send_initial_metadata.metadata = peer->headers;
	ops[0].data.send_initial_metadata.count = peer->n_headers;
	ops[1].data.send_message.send_message = exchange->sent;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &exchange->initial;
	ops[4].data.recv_message.recv_message = &exchange->received;
	ops[5].data.recv_status_on_client.trailing_metadata = &exchange->trailing;
	ops[5].data.recv_status_on_client.status = &exchange->code;
	ops[5].data.recv_status_on_client.status_details = &exchange->details;
	if (grpc_call_start_batch(call, ops, 6, exchange, NULL) != GRPC_CALL_OK)
		return false;
	grpc_completion_queue_pluck(peer->queue, exchange, gpr_inf_future(GPR_CLOCK_MONOTONIC),
				    NULL);
	return true;
}

static void take_answer(grpc_byte_buffer *received, struct buffer *ret)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;

	if (!received || !grpc_byte_buffer_reader_init(&reader, received))
		return;
	slice = grpc_byte_buffer_reader_readall(&reader);
	buffer_append(ret, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
}

static grpc_byte_buffer *to_core(struct buffer *request)
{
	grpc_slice slice = request->size ? grpc_slice_new(request->data, request->size, free)
					 : grpc_empty_slice();
	grpc_byte_buffer *buffer;

	if (request->size)
		*request = (struct buffer){0};
	buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

status peer_call(struct peer *peer, const char *path, struct buffer *request, int64_t timeout_ns,
		 struct buffer *ret)
{
	struct exchange exchange = {.code = GRPC_STATUS_INTERNAL, .details = grpc_empty_slice()};
	grpc_call *call = begin(peer, path, timeout_ns);
	enum status_code code;

	if (!call)
		return status_make(STATUS_CANCELLED, "given up");
	grpc_metadata_array_init(&exchange.initial);
	grpc_metadata_array_init(&exchange.trailing);
	exchange.sent = to_core(request);
	if (converse(peer, call, &exchange) && exchange.code == GRPC_STATUS_OK)
		take_answer(exchange.received, ret);
	end(peer, call);
	grpc_byte_buffer_destroy(exchange.sent);
	if (exchange.received)
		grpc_byte_buffer_destroy(exchange.received);
	grpc_metadata_array_destroy(&exchange.initial);
	grpc_metadata_array_destroy(&exchange.trailing);
	grpc_slice_unref(exchange.details);
	code = status_from_grpc(exchange.code);
	return code == STATUS_OK ? status_ok() : status_make(code, status_code_name(code));
}
