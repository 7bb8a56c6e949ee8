/* session - messages packed, calls made, messages unpacked. */
#include "tests/e2e/session.h"

#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/admin_service.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define ARENA_BYTES ((size_t)4 << 30)

#define METHOD(name, service_name, method_name, response_type)                                     \
	const struct method name = {"/sluice.v1." #service_name "/" #method_name,                  \
				    &sluice__v1__##response_type##__descriptor}

METHOD(create_collection, CollectionService, CreateCollection, create_collection_response);
METHOD(get_collection, CollectionService, GetCollection, get_collection_response);
METHOD(list_collections, CollectionService, ListCollections, list_collections_response);
METHOD(delete_collection, CollectionService, DeleteCollection, delete_collection_response);
METHOD(optimize_collection, CollectionService, OptimizeCollection, optimize_collection_response);
METHOD(upsert_chunks, IngestService, UpsertChunks, upsert_chunks_response);
METHOD(delete_chunks, IngestService, DeleteChunks, delete_chunks_response);
METHOD(search, RetrievalService, Search, search_response);
METHOD(get_chunks, RetrievalService, GetChunks, get_chunks_response);
METHOD(list_chunks, RetrievalService, ListChunks, list_chunks_response);
METHOD(count_chunks, RetrievalService, CountChunks, count_chunks_response);
METHOD(iterate, RetrievalService, Iterate, iterate_response);
METHOD(list_cursors, AdminService, ListCursors, list_cursors_response);
METHOD(cancel_cursor, AdminService, CancelCursor, cancel_cursor_response);
METHOD(get_server_info, AdminService, GetServerInfo, get_server_info_response);

void session_open_with(struct session *session, const char *address,
		       const struct grpc_client_options *options)
{
	*session = (struct session){.client = grpc_client_open(address, options)};
	arena_init(&session->arena, ARENA_BYTES);
}

void session_open(struct session *session, const char *address)
{
	session_open_with(session, address, NULL);
}

void session_close(struct session *session)
{
	grpc_client_close(session->client);
	arena_finish(&session->arena);
	*session = (struct session){0};
}

static const void *unpack(struct session *session, const struct method *method,
			  const struct buffer *message)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(&session->arena);

	return protobuf_c_message_unpack(method->response, &allocator, message->size,
					 message->data);
}

static struct bytes keep(struct session *session, struct bytes bytes)
{
	return bytes_of(arena_copy(&session->arena, bytes.data, bytes.size), bytes.size);
}

struct answer session_call_bytes(struct session *session, const struct method *method,
				 struct bytes request)
{
	struct grpc_reply reply;
	struct answer answer = {0};

	answer.code =
		grpc_client_unary(session->client, method->path, request, CALL_SECONDS, &reply);
	answer.detail = arena_printf(&session->arena, "%s", reply.detail);
	answer.details = keep(session, bytes_of(reply.details.data, reply.details.size));
	if (answer.code == 0)
		answer.message = unpack(session, method, &reply.message);
	grpc_reply_finish(&reply);
	return answer;
}

struct answer session_call(struct session *session, const struct method *method,
			   const ProtobufCMessage *request)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	buffer_pack(bytes, request);
	return session_call_bytes(session, method, bytes_of(bytes->data, bytes->size));
}

struct grpc_stream *session_stream(struct session *session, const struct method *method,
				   const ProtobufCMessage *request)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	if (!request)
		return grpc_stream_open(session->client, method->path, CALL_SECONDS);
	buffer_pack(bytes, request);
	return grpc_stream_open_server(session->client, method->path,
				       bytes_of(bytes->data, bytes->size), CALL_SECONDS);
}

bool stream_send(struct grpc_stream *stream, const ProtobufCMessage *request)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	buffer_pack(bytes, request);
	return grpc_stream_send(stream, bytes_of(bytes->data, bytes->size));
}

const void *session_next(struct session *session, const struct method *method,
			 struct grpc_stream *stream, size_t *ret_size)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	if (!grpc_stream_next(stream, bytes))
		return NULL;
	if (ret_size)
		*ret_size = bytes->size;
	return unpack(session, method, bytes);
}

struct answer session_finish(struct session *session, struct grpc_stream *stream)
{
	const char *detail = "";
	int code = grpc_stream_finish(stream, &detail);

	return (struct answer){
		.code = code,
		.detail = arena_printf(&session->arena, "%s", detail),
		.details = keep(session, grpc_stream_details(stream)),
	};
}
