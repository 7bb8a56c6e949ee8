/* record - a chunk without its vector, as bytes.
 *
 * A checksum stands before the decoder, yet it trusts nothing: every size is held against the bytes
 * that are left, and a count against the least that so many items would take, before memory is
 * asked for.
 */
#include "index/store/record.h"

#define STRING_BYTES_MIN 2                        /* size, NUL */
#define METADATA_BYTES_MIN (STRING_BYTES_MIN + 2) /* key, kind, the shortest value */

static void put_string(struct buffer *out, struct bytes string)
{
	buffer_append_varint(out, string.size);
	if (string.size > 0)
		buffer_append(out, string.data, string.size);
	buffer_append_u8(out, 0);
}

static void put_value(struct buffer *out, const struct value *value)
{
	uint64_t bits;

	buffer_append_u8(out, (uint8_t)value->kind);
	switch (value->kind) {
	case VALUE_STRING:
		put_string(out, value->string);
		return;
	case VALUE_INT:
		buffer_append_u64(out, (uint64_t)value->integer);
		return;
	case VALUE_DOUBLE:
		memcpy(&bits, &value->number, sizeof bits);
		buffer_append_u64(out, bits);
		return;
	case VALUE_BOOL:
		buffer_append_u8(out, value->boolean);
		return;
	case VALUE_STRING_LIST:
		buffer_append_varint(out, value->list.n);
		for (size_t i = 0; i < value->list.n; i++)
			put_string(out, value->list.items[i]);
		return;
	}
}

void record_encode(const struct chunk *chunk, struct buffer *out)
{
	put_string(out, chunk->id);
	put_string(out, chunk->text);
	put_string(out, chunk->document_id);
	buffer_append_varint(out, chunk->ordinal);
	buffer_append_varint(out, chunk->token_count);
	buffer_append_varint(out, chunk->n_metadata);
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		put_string(out, chunk->metadata[i].key);
		put_value(out, &chunk->metadata[i].value);
	}
}

/* Each get_ sets failed at what cannot be and then gives something harmless. Almost every number of a
 * record is below 128 and so one byte: it is taken here, without a call. */

static inline uint8_t get_u8(struct reader *in)
{
	if (in->at == in->end) {
		in->failed = true;
		return 0;
	}
	return *in->at++;
}

static inline uint64_t get_varint(struct reader *in)
{
	return in->at < in->end && *in->at < 0x80 ? *in->at++ : reader_varint(in);
}

/* Behind the string stands its NUL. */
static inline struct bytes get_string(struct reader *in)
{
	uint64_t size = get_varint(in);
	struct bytes string = {in->at, (size_t)size};

	if (in->failed || size >= (size_t)(in->end - in->at) || in->at[size] != 0) {
		in->failed = true;
		return (struct bytes){0};
	}
	in->at += size + 1;
	return string;
}

static uint32_t get_varint_u32(struct reader *in)
{
	uint64_t number = get_varint(in);

	if (number > UINT32_MAX)
		in->failed = true;
	return (uint32_t)number;
}

/* A count of items of which each takes at least item_bytes_min. */
static size_t get_count(struct reader *in, size_t item_bytes_min)
{
	uint64_t count = get_varint(in);

	if (count > (size_t)(in->end - in->at) / item_bytes_min)
		in->failed = true;
	return in->failed ? 0 : (size_t)count;
}

static bool get_bool(struct reader *in)
{
	uint8_t byte = get_u8(in);

	if (byte > 1)
		in->failed = true;
	return byte == 1;
}

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a record");
}

static status get_list(struct reader *in, struct arena *arena, struct value *ret)
{
	size_t n = get_count(in, STRING_BYTES_MIN);
	struct bytes *items = ARENA_ARRAY(arena, struct bytes, n);

	if (!items)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		items[i] = get_string(in);
	ret->list.items = items;
	ret->list.n = n;
	return status_ok();
}

static status get_value(struct reader *in, struct arena *arena, struct value *ret)
{
	uint8_t kind = get_u8(in);
	uint64_t bits;

	ret->kind = (enum value_kind)kind;
	switch (kind) {
	case VALUE_STRING:
		ret->string = get_string(in);
		return status_ok();
	case VALUE_INT:
		ret->integer = (int64_t)reader_u64(in);
		return status_ok();
	case VALUE_DOUBLE:
		bits = reader_u64(in);
		memcpy(&ret->number, &bits, sizeof bits);
		return status_ok();
	case VALUE_BOOL:
		ret->boolean = get_bool(in);
		return status_ok();
	case VALUE_STRING_LIST:
		return get_list(in, arena, ret);
	default:
		in->failed = true;
		return status_ok();
	}
}

static status damaged(void)
{
	return status_make(STATUS_DATA_LOSS, "the record cannot be read");
}

status record_decode(struct bytes record, struct arena *arena, struct chunk *ret)
{
	struct reader in = reader_of(record);
	struct chunk chunk = {0};
	struct metadata *metadata;

	chunk.id = get_string(&in);
	chunk.text = get_string(&in);
	chunk.document_id = get_string(&in);
	chunk.ordinal = get_varint_u32(&in);
	chunk.token_count = get_varint_u32(&in);
	chunk.n_metadata = get_count(&in, METADATA_BYTES_MIN);
	if (in.failed)
		return damaged();
	metadata = ARENA_ARRAY(arena, struct metadata, chunk.n_metadata);
	if (!metadata)
		return no_memory();
	for (size_t i = 0; i < chunk.n_metadata && !in.failed; i++) {
		metadata[i].key = get_string(&in);
		TRY(get_value(&in, arena, &metadata[i].value));
	}
	if (in.failed || in.at != in.end)
		return damaged();
	chunk.metadata = metadata;
	*ret = chunk;
	return status_ok();
}

status record_id(struct bytes record, struct bytes *ret)
{
	struct reader in = reader_of(record);
	struct bytes id = get_string(&in);

	if (in.failed)
		return damaged();
	*ret = id;
	return status_ok();
}
