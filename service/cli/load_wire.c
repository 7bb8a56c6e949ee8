/* load_wire - a walk over the fields of a message, by their numbers in proto/sluice/v1. */
#include "service/cli/load_wire.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum {
	SEARCH_RESPONSE_HITS = 1,
	ITERATE_RESPONSE_BATCH = 2,
	HIT_BATCH_HITS = 1,
	UPSERT_RESPONSE_INSERTED = 2,
	UPSERT_RESPONSE_REPLACED = 3,
};

struct field {
	uint64_t number;
	unsigned wire;
	uint64_t value;     /* of a varint */
	struct bytes bytes; /* of a length and bytes */
};

static bool field_next(struct reader *reader, struct field *ret)
{
	uint64_t tag;

	if (reader->at == reader->end)
		return false;
	tag = reader_varint(reader);
	*ret = (struct field){.number = tag >> 3, .wire = (unsigned)(tag & 7)};
	switch (ret->wire) {
	case WIRE_VARINT:
		ret->value = reader_varint(reader);
		break;
	case WIRE_FIXED64:
		reader_u64(reader);
		break;
	case WIRE_BYTES:
		ret->bytes = reader_take(reader, (size_t)reader_varint(reader));
		break;
	case WIRE_FIXED32:
		reader_u32(reader);
		break;
	default:
		reader->failed = true;
	}
	return !reader->failed;
}

static uint64_t count_fields(struct reader *reader, uint64_t number)
{
	uint64_t n = 0;
	struct field field;

	while (field_next(reader, &field))
		n += field.number == number;
	return n;
}

bool load_wire_hits(enum load_kind kind, struct bytes message, uint64_t *ret)
{
	struct reader reader = reader_of(message);
	uint64_t n = 0;
	struct field field;

	if (kind == LOAD_SEARCH) {
		n = count_fields(&reader, SEARCH_RESPONSE_HITS);
	} else {
		while (field_next(&reader, &field)) {
			struct reader batch = reader_of(field.bytes);

			if (kind == LOAD_ITERATE && field.number == ITERATE_RESPONSE_BATCH) {
				n += count_fields(&batch, HIT_BATCH_HITS);
				reader.failed = reader.failed || batch.failed;
			}
			if (kind == LOAD_UPSERT && (field.number == UPSERT_RESPONSE_INSERTED ||
						    field.number == UPSERT_RESPONSE_REPLACED))
				n += field.value;
		}
	}
	if (reader.failed)
		return false;
	*ret = n;
	return true;
}
