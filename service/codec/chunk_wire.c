/* chunk_wire - chunks and hits as the bytes of their messages.
 *
 * The size of a part is worked out where it is needed, on the way to the sum and again when it stands
 * in front of the part: a metadata value is small, and its size is a few additions.
 */
#include "service/codec/chunk_wire.h"

#include "service/codec/chunk_codec.h"

/* Numbers of fields, as the .proto has them. */
enum {
	CHUNK_ID = 1,
	CHUNK_DOCUMENT_ID = 2,
	CHUNK_ORDINAL = 3,
	CHUNK_TEXT = 4,
	CHUNK_TOKEN_COUNT = 5,
	CHUNK_METADATA = 6,
	CHUNK_VECTOR = 7,
};
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { LIST_VALUES = 1 };
enum { VECTOR_VALUES = 1 };
enum { HIT_CHUNK = 1, HIT_SCORE = 2, HIT_RANK = 3, HIT_NEIGHBORS = 4 };

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* A tag of a field below 16. */
#define TAG_BYTES ((size_t)1)

/* --- sizes --- */

static size_t varint_size(uint64_t number)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);

	return number < 0x80 ? 1 : (bits + 6) / 7;
}

/* Of a length-delimited field: its head and what it holds. */
static size_t run_size(size_t size)
{
	return TAG_BYTES + varint_size(size) + size;
}

/* Fields that are left out at their default. */
static size_t string_size(struct bytes string)
{
	return string.size ? run_size(string.size) : 0;
}

static size_t number_size(uint64_t number)
{
	return number ? TAG_BYTES + varint_size(number) : 0;
}

static size_t list_size(const struct value *value)
{
	size_t size = 0;

	for (size_t i = 0; i < value->list.n; i++)
		size += run_size(value->list.items[i].size);
	return size;
}

/* Of a MetadataValue: a member of a oneof is there whatever its value. */
static size_t value_size(const struct value *value)
{
	switch (value->kind) {
	case VALUE_STRING:
		return run_size(value->string.size);
	case VALUE_INT:
		return TAG_BYTES + varint_size((uint64_t)value->integer);
	case VALUE_DOUBLE:
		return TAG_BYTES + sizeof value->number;
	case VALUE_BOOL:
		return TAG_BYTES + 1;
	case VALUE_STRING_LIST:
		return run_size(list_size(value));
	}
	return 0;
}

static size_t entry_size(const struct metadata *entry, size_t value_bytes)
{
	return string_size(entry->key) + run_size(value_bytes);
}

static size_t metadata_size(const struct chunk *chunk)
{
	size_t size = 0;

	for (size_t i = 0; i < chunk->n_metadata; i++)
		size += run_size(
			entry_size(&chunk->metadata[i], value_size(&chunk->metadata[i].value)));
	return size;
}

/* Of a Vector, which packs its values. */
static size_t vector_size(uint32_t dim)
{
	return dim ? run_size(dim * sizeof(float)) : 0;
}

struct chunk_wire chunk_wire_of(const struct chunk *chunk, unsigned fields, uint32_t dim)
{
	size_t size = 0;

	if (fields & READ_ID)
		size += string_size(chunk->id);
	if (fields & READ_DOCUMENT_ID)
		size += string_size(chunk->document_id);
	if (fields & READ_ORDINAL)
		size += number_size(chunk->ordinal);
	if (fields & READ_TEXT)
		size += string_size(chunk->text);
	if (fields & READ_TOKEN_COUNT)
		size += number_size(chunk->token_count);
	if (fields & READ_METADATA)
		size += metadata_size(chunk);
	if (fields & READ_VECTOR && chunk->vector)
		size += run_size(vector_size(dim));
	return (struct chunk_wire){chunk, fields, dim, size};
}

/* -0 is 0, as it is to protobuf-c. */
static bool has_score(const struct hit_wire *hit)
{
	return hit->score < 0 || hit->score > 0;
}

size_t hit_wire_size(const struct hit_wire *hit)
{
	size_t size = run_size(hit->chunk.size_bytes) + number_size(hit->rank);

	if (has_score(hit))
		size += TAG_BYTES + sizeof hit->score;
	for (size_t i = 0; i < hit->n_neighbors; i++)
		size += run_size(hit->neighbors[i].size_bytes);
	return size;
}

/* --- bytes: each put_ gives the place behind what it wrote --- */

static uint8_t *put_tag(uint8_t *at, uint32_t field, enum wire_type type)
{
	*at++ = (uint8_t)(field << 3 | type);
	return at;
}

static uint8_t *put_varint(uint8_t *at, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*at++ = (uint8_t)(number | 0x80);
	*at++ = (uint8_t)number;
	return at;
}

static uint8_t *put_fixed(uint8_t *at, const void *number, size_t size)
{
	memcpy(at, number, size);
	return at + size;
}

/* The head of a length-delimited field. */
static uint8_t *put_head(uint8_t *at, uint32_t field, size_t size)
{
	return put_varint(put_tag(at, field, WIRE_BYTES), size);
}

static uint8_t *put_run(uint8_t *at, uint32_t field, struct bytes run)
{
	at = put_head(at, field, run.size);
	if (run.size)
		memcpy(at, run.data, run.size);
	return at + run.size;
}

static uint8_t *put_string(uint8_t *at, uint32_t field, struct bytes string)
{
	return string.size ? put_run(at, field, string) : at;
}

static uint8_t *put_number(uint8_t *at, uint32_t field, uint64_t number)
{
	return number ? put_varint(put_tag(at, field, WIRE_VARINT), number) : at;
}

/* The numbers of value_kind are the field numbers of the oneof. */
static uint8_t *put_value(uint8_t *at, const struct value *value)
{
	uint32_t field = value->kind;

	switch (value->kind) {
	case VALUE_STRING:
		return put_run(at, field, value->string);
	case VALUE_INT:
		return put_varint(put_tag(at, field, WIRE_VARINT), (uint64_t)value->integer);
	case VALUE_DOUBLE:
		return put_fixed(put_tag(at, field, WIRE_FIXED64), &value->number,
				 sizeof value->number);
	case VALUE_BOOL:
		return put_varint(put_tag(at, field, WIRE_VARINT), value->boolean);
	case VALUE_STRING_LIST:
		at = put_head(at, field, list_size(value));
		for (size_t i = 0; i < value->list.n; i++)
			at = put_run(at, LIST_VALUES, value->list.items[i]);
		return at;
	}
	return at;
}

static uint8_t *put_metadata(uint8_t *at, const struct chunk *chunk)
{
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		const struct metadata *entry = &chunk->metadata[i];
		size_t value_bytes = value_size(&entry->value);

		at = put_head(at, CHUNK_METADATA, entry_size(entry, value_bytes));
		at = put_string(at, ENTRY_KEY, entry->key);
		at = put_head(at, ENTRY_VALUE, value_bytes);
		at = put_value(at, &entry->value);
	}
	return at;
}

static uint8_t *put_vector(uint8_t *at, const float *vector, uint32_t dim)
{
	at = put_head(at, CHUNK_VECTOR, vector_size(dim));
	return dim ? put_run(at, VECTOR_VALUES, bytes_of(vector, dim * sizeof *vector)) : at;
}

static uint8_t *put_chunk(uint8_t *at, const struct chunk_wire *wire)
{
	const struct chunk *chunk = wire->chunk;

	if (wire->fields & READ_ID)
		at = put_string(at, CHUNK_ID, chunk->id);
	if (wire->fields & READ_DOCUMENT_ID)
		at = put_string(at, CHUNK_DOCUMENT_ID, chunk->document_id);
	if (wire->fields & READ_ORDINAL)
		at = put_number(at, CHUNK_ORDINAL, chunk->ordinal);
	if (wire->fields & READ_TEXT)
		at = put_string(at, CHUNK_TEXT, chunk->text);
	if (wire->fields & READ_TOKEN_COUNT)
		at = put_number(at, CHUNK_TOKEN_COUNT, chunk->token_count);
	if (wire->fields & READ_METADATA)
		at = put_metadata(at, chunk);
	if (wire->fields & READ_VECTOR && chunk->vector)
		at = put_vector(at, chunk->vector, wire->dim);
	return at;
}

static uint8_t *put_hit(uint8_t *at, const struct hit_wire *hit)
{
	at = put_head(at, HIT_CHUNK, hit->chunk.size_bytes);
	at = put_chunk(at, &hit->chunk);
	if (has_score(hit))
		at = put_fixed(put_tag(at, HIT_SCORE, WIRE_FIXED32), &hit->score,
			       sizeof hit->score);
	at = put_number(at, HIT_RANK, hit->rank);
	for (size_t i = 0; i < hit->n_neighbors; i++) {
		at = put_head(at, HIT_NEIGHBORS, hit->neighbors[i].size_bytes);
		at = put_chunk(at, &hit->neighbors[i]);
	}
	return at;
}

void chunk_wire_append(const struct chunk_wire *chunk, uint32_t field, struct buffer *page)
{
	uint8_t *at = buffer_reserve(page, run_size(chunk->size_bytes)), *end;

	if (!at)
		return;
	end = put_chunk(put_head(at, field, chunk->size_bytes), chunk);
	page->size += (size_t)(end - at);
}

void hit_wire_append(const struct hit_wire *hit, uint32_t field, struct buffer *page)
{
	size_t size = hit_wire_size(hit);
	uint8_t *at = buffer_reserve(page, run_size(size)), *end;

	if (!at)
		return;
	end = put_hit(put_head(at, field, size), hit);
	page->size += (size_t)(end - at);
}
