/* queries - one vector at a time, read when it is asked for. */
#include "tests/bench/queries.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s\n", what, detail);
	exit(1);
}

void queries_open(struct queries *queries, const char *path, const char *collection)
{
	status opened;

	*queries = (struct queries){.collection = collection};
	arena_init(&queries->arena, (size_t)1 << 20);
	opened = npy_open_vectors(&queries->arena, path, &queries->file);
	if (status_failed(opened))
		fail(path, opened.detail);
	if (npy_header_of(queries->file)->rows == 0)
		fail(path, "it has no rows");
	queries->values = calloc(npy_header_of(queries->file)->columns, sizeof(float));
	if (!queries->values)
		fail(path, "memory for a row");
}

void queries_close(struct queries *queries)
{
	free(queries->values);
	npy_close(queries->file);
	arena_finish(&queries->arena);
}

Sluice__V1__SearchRequest queries_request(struct queries *queries, size_t i)
{
	const struct npy_header *header = npy_header_of(queries->file);
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	status read = npy_read_floats(queries->file, i % header->rows, queries->values);

	if (status_failed(read))
		fail(npy_path(queries->file), read.detail);
	sluice__v1__vector__init(&queries->vector);
	queries->vector.values = queries->values;
	queries->vector.n_values = header->columns;
	request.collection = (char *)(size_t)queries->collection; /* protobuf-c takes no const */
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = &queries->vector;
	return request;
}

void message_write(const ProtobufCMessage *message, struct buffer *ret)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	void *bytes;

	ret->size = 0;
	bytes = buffer_reserve(ret, size);
	if (!bytes)
		fail("message", "memory");
	ret->size = protobuf_c_message_pack(message, bytes);
}
