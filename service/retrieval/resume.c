/* resume - tokens of requests. */
#include "service/retrieval/resume.h"

#include "kernels/base/error_info.h"
#include "service/rpc/protobuf_arena.h"

#include <math.h>
#include <stdio.h>

static uint64_t hash_of_u32(const struct resume_key *key, uint32_t number)
{
	uint8_t bytes[sizeof number];

	store_u32(bytes, number);
	return resume_hash(key, bytes_of(bytes, sizeof bytes));
}

static uint32_t bits_of(float value)
{
	uint32_t bits;

	/* -0 is 0. */
	value += 0.0F;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* Packed anew from what was understood: so neither unknown fields nor their order count. A filter
 * that names nothing is as good as none. */
static status hash_of_filter(const struct resume_key *key, const Sluice__V1__Filter *filter,
			     uint64_t *ret)
{
	SCOPED(buffer) packed = &(struct buffer){0};

	if (filter)
		buffer_pack(packed, &filter->base);
	if (packed->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a filter's hash");
	*ret = resume_hash(key, bytes_of(packed->data, packed->size));
	return status_ok();
}

static status hash_of_query(const struct resume_key *key, const struct search_request *request,
			    struct arena *arena, uint64_t *ret)
{
	struct bytes id = request->chunk_id;
	char *text;

	if (request->vector) {
		*ret = resume_hash(
			key, bytes_of(request->vector, request->dim * sizeof *request->vector));
		return status_ok();
	}
	text = arena_printf(arena, "chunk_id %.*s", (int)id.size, (const char *)id.data);
	if (!text)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "the call's memory is used up");
	*ret = resume_hash(key, bytes_of_string(text));
	return status_ok();
}

status resume_asked(const struct resume_key *key, const struct collection *collection,
		    const struct search_request *request, struct arena *arena,
		    struct resume_token *ret)
{
	const struct collection_config *config = collection_config(collection);
	struct resume_token token = {
		.kind = RESUME_SEARCH,
		.metric = hash_of_u32(key, (uint32_t)config->metric),
		.accuracy = hash_of_u32(key, bits_of(search_request_recall(request, config))),
		.query_row = RESUME_NO_ROW,
	};

	memcpy(token.incarnation, collection_incarnation(collection), sizeof token.incarnation);
	if (request->has_min_score)
		token.min_score = hash_of_u32(key, bits_of(request->min_score));
	TRY(hash_of_query(key, request, arena, &token.query));
	TRY(hash_of_filter(key, request->filter, &token.filter));
	*ret = token;
	return status_ok();
}

status resume_asked_list(const struct resume_key *key, const struct collection *collection,
			 const Sluice__V1__Filter *filter, struct resume_token *ret)
{
	struct resume_token token = {.kind = RESUME_LIST, .query_row = RESUME_NO_ROW};

	memcpy(token.incarnation, collection_incarnation(collection), sizeof token.incarnation);
	TRY(hash_of_filter(key, filter, &token.filter));
	*ret = token;
	return status_ok();
}

/* --- the check --- */

struct difference {
	bool is;
	const char *what;
};

static status mismatch(struct arena *arena, const struct difference *differences, size_t n)
{
	char names[96] = "";
	size_t used = 0, first = n;
	status s;

	for (size_t i = 0; i < n; i++) {
		if (!differences[i].is)
			continue;
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
					 used ? ", " : "", differences[i].what);
		if (first == n)
			first = i;
	}
	s = status_format(arena, STATUS_INVALID_ARGUMENT,
			  "resume_token: it belongs to a request with another %s", names);
	s = status_reason(s, arena, REASON_RESUME_TOKEN_MISMATCH, "field", differences[first].what,
			  NULL);
	return status_field(s, arena, differences[first].what);
}

status resume_check(const struct resume_key *key, struct bytes bytes, struct arena *arena,
		    struct resume_token *token)
{
	struct resume_token given = {0};
	status decoded = resume_token_decode(key, bytes, &given);

	if (status_failed(decoded))
		return status_field(decoded, arena, "resume_token");

	bool other_kind = given.kind != token->kind;
	bool other_data =
		memcmp(given.incarnation, token->incarnation, sizeof given.incarnation) != 0;
	const struct difference differences[] = {
		{other_kind, "method"},
		/* Another one, or an earlier one of the same name. */
		{other_data, "collection"},
		{!other_kind && given.metric != token->metric, "metric"},
		{!other_kind && given.query != token->query, "query"},
		{given.filter != token->filter, "filter"},
		{!other_kind && given.accuracy != token->accuracy, "accuracy"},
		{!other_kind && given.min_score != token->min_score, "min_score"},
	};
	const size_t n = sizeof differences / sizeof *differences;

	for (size_t i = 0; i < n; i++)
		if (differences[i].is)
			return mismatch(arena, differences, n);
	*token = given;
	return status_ok();
}

/* --- the place --- */

status resume_snapshot(struct collection *collection, const struct resume_token *token,
		       bool on_newest, struct arena *arena, struct snapshot **ret)
{
	status s = snapshot_acquire_at(collection, token->generation, token->row_limit, arena, ret);

	if (on_newest && status_failed(s) && s.info && s.info->reason == REASON_SNAPSHOT_GONE)
		return snapshot_acquire(collection, ret);
	return s;
}

status resume_released(const struct snapshot *snapshot, const char *setting, struct arena *arena)
{
	const char *name = collection_config(snapshot_collection(snapshot))->name;
	uint64_t generation = snapshot_generation(snapshot);
	status s = status_format(arena, STATUS_ABORTED,
				 "the stream may not hold generation %llu of collection %s any "
				 "longer: %s",
				 (unsigned long long)generation, name, setting);

	return status_reason(s, arena, REASON_PIN_RELEASED, "collection", name, "generation",
			     ERROR_NUMBER(generation), NULL);
}

void resume_token_append(struct buffer *page, uint32_t field,
			 const uint8_t token[RESUME_TOKEN_BYTES])
{
	/* The wire type of what has a length. */
	buffer_append_varint(page, field << 3 | 2);
	buffer_append_varint(page, RESUME_TOKEN_BYTES);
	buffer_append(page, token, RESUME_TOKEN_BYTES);
}

bool resume_key_behind(const struct snapshot *snapshot, const struct resume_token *token,
		       struct key *ret)
{
	uint64_t place;

	if (!token->has_last)
		return false;
	place = snapshot_seek(snapshot, token->last_row);
	if (place < snapshot_places(snapshot) && snapshot_row(snapshot, place) == token->last_row)
		*ret = (struct key){token->last_score, place};
	else if (place > 0)
		*ret = (struct key){token->last_score, place - 1};
	else if (isinf(token->last_score) && token->last_score > 0)
		return false;
	else
		/* Every row comes behind that one: behind all of a score just above. */
		*ret = (struct key){nextafterf(token->last_score, INFINITY), UINT64_MAX};
	return true;
}
