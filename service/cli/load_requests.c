/* load_requests - packed by protobuf-c. */
#include "service/cli/load_requests.h"

#include "service/cli/filter_option.h"
#include "service/cli/npy.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <stdio.h>

#define DIM_MAX 8192

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for requests: use fewer queries");
}

static status pack(struct arena *arena, const ProtobufCMessage *message, struct bytes *ret)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *data = arena_alloc(arena, size);

	if (!data)
		return no_memory();
	*ret = bytes_of(data, protobuf_c_message_pack(message, data));
	return status_ok();
}

static status action_pack(struct arena *arena, Sluice__V1__SearchRequest *open, uint64_t credit,
			  struct bytes *ret)
{
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;
	Sluice__V1__Credit grant = SLUICE__V1__CREDIT__INIT;
	Sluice__V1__CloseCursor close = SLUICE__V1__CLOSE_CURSOR__INIT;

	if (open) {
		request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN;
		request.open = open;
	} else if (credit) {
		grant.hits = (uint32_t)credit;
		request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT;
		request.credit = &grant;
	} else {
		request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CLOSE;
		request.close = &close;
	}
	return pack(arena, &request.base, ret);
}

/* A walk has no limit: it ends at its depth. */
static status query_pack(struct load_requests *requests, Sluice__V1__SearchRequest *request,
			 size_t i)
{
	const struct load_plan *plan = requests->plan;
	struct arena *arena = plan->cli->arena;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;

	vector.n_values = requests->dim;
	vector.values = requests->vectors + i * requests->dim;
	request->query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request->vector = &vector;
	if (plan->weights[LOAD_ITERATE] > 0 || plan->mode == LOAD_PAGES)
		TRY(action_pack(arena, request, 0, &requests->opens[i]));
	request->_limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request->limit = plan->limit;
	TRY(pack(arena, &request->base, &requests->searches[i]));
	request->_limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT__NOT_SET;
	return status_ok();
}

static status queries_pack(struct load_requests *requests)
{
	const struct load_plan *plan = requests->plan;
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__Exact exact = SLUICE__V1__EXACT__INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)"id"};

	TRY(filter_option_read(plan->cli, &request.filter));
	request.collection = plan->collection;
	mask.n_paths = 1;
	mask.paths = paths;
	request.read_mask = plan->ids_only ? &mask : NULL;
	if (plan->exact) {
		accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_EXACT;
		accuracy.exact = &exact;
		request.accuracy = &accuracy;
	} else if (plan->recall > 0) {
		accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_RECALL_TARGET;
		accuracy.recall_target = (float)plan->recall;
		request.accuracy = &accuracy;
	}
	for (size_t i = 0; i < requests->n; i++)
		TRY(query_pack(requests, &request, i));
	return status_ok();
}

static status vectors_read(struct load_requests *requests)
{
	struct cli *cli = requests->plan->cli;
	const char *path = arguments_value(cli->arguments, "queries");
	SCOPED(npy) npy = NULL;

	if (!path)
		return arguments_misuse(cli->arguments, "bench load needs --queries");
	TRY(npy_open_vectors(cli->arena, path, &npy));
	requests->n = npy_header_of(npy)->rows;
	requests->dim = npy_header_of(npy)->columns;
	if (requests->n == 0 || requests->dim > DIM_MAX)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "there must be queries, of at most 8192 numbers");
	requests->vectors = ARENA_ARRAY(cli->arena, float, requests->n * requests->dim);
	requests->searches = ARENA_ARRAY(cli->arena, struct bytes, requests->n);
	requests->opens = ARENA_ARRAY(cli->arena, struct bytes, requests->n);
	if (!requests->vectors || !requests->searches || !requests->opens)
		return no_memory();
	for (size_t i = 0; i < requests->n; i++)
		TRY(npy_read_floats(npy, i, requests->vectors + i * requests->dim));
	return status_ok();
}

status load_requests_make(const struct load_plan *plan, struct load_requests *ret)
{
	struct arena *arena = plan->cli->arena;

	*ret = (struct load_requests){.plan = plan};
	TRY(vectors_read(ret));
	TRY(queries_pack(ret));
	TRY(action_pack(arena, NULL, plan->page, &ret->credit));
	TRY(action_pack(arena, NULL, 0, &ret->close));
	if (plan->skip)
		TRY(action_pack(arena, NULL, plan->skip, &ret->skip));
	ret->text = arena_alloc(arena, plan->text_bytes + 1);
	if (!ret->text)
		return no_memory();
	for (uint64_t i = 0; i < plan->text_bytes; i++)
		ret->text[i] = i % 8 == 7 ? ' ' : (char)('a' + i % 26);
	ret->text[plan->text_bytes] = '\0';
	/* Shards begin at other queries. */
	ret->next = (size_t)(ret->n * plan->shard / plan->shards);
	return status_ok();
}

void load_requests_finish(struct load_requests *requests)
{
	buffer_finish(&requests->upsert);
}

static void chunk_append(struct load_requests *requests, size_t query)
{
	const struct load_plan *plan = requests->plan;
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT, *chunks[] = {&chunk};
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	Sluice__V1__UpsertChunksRequest request = SLUICE__V1__UPSERT_CHUNKS_REQUEST__INIT;
	char id[48];
	uint8_t *room;

	snprintf(id, sizeof id, "load-%llu-%llu", (unsigned long long)plan->shard,
		 (unsigned long long)(requests->next_id++ % plan->upsert_ids));
	vector.n_values = requests->dim;
	vector.values = requests->vectors + query * requests->dim;
	chunk.id = id;
	chunk.text = requests->text;
	chunk.vector = &vector;
	/* Messages behind each other are one with the sum of their repeated fields. */
	if (requests->upsert.size == 0)
		request.collection = plan->collection;
	request.n_chunks = 1;
	request.chunks = chunks;
	room = buffer_reserve(&requests->upsert, protobuf_c_message_get_packed_size(&request.base));
	if (room)
		requests->upsert.size += protobuf_c_message_pack(&request.base, room);
}

struct bytes load_requests_next(struct load_requests *requests, enum load_kind kind)
{
	size_t query = requests->next;

	requests->next = (requests->next + 1) % requests->n;
	if (kind == LOAD_SEARCH)
		return requests->searches[query];
	if (kind == LOAD_ITERATE)
		return requests->opens[query];
	requests->upsert.size = 0;
	for (uint64_t i = 0; i < requests->plan->batch; i++)
		chunk_append(requests, (query + i) % requests->n);
	return bytes_of(requests->upsert.data, requests->upsert.size);
}
