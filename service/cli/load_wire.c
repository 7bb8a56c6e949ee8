/* load_wire - a walk over the fields of a message, by their numbers in proto/sluice/v1. */
#include "service/cli/load_wire.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum {
	SEARCH_RESPONSE_HITS = 1,
	SEARCH_RESPONSE_SUMMARY = 2,
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

static void search_read(struct reader *reader, struct load_answer *answer)
{
	struct field field;

	while (field_next(reader, &field)) {
		answer->hits += field.number == SEARCH_RESPONSE_HITS;
		answer->last = answer->last || field.number == SEARCH_RESPONSE_SUMMARY;
	}
}

/* Behind its summary a walk is still to be ended. */
static void iterate_read(struct reader *reader, struct load_answer *answer)
{
	struct field field;

	while (field_next(reader, &field)) {
		struct reader batch = reader_of(field.bytes);

		if (field.number != ITERATE_RESPONSE_BATCH)
			continue;
		answer->hits += count_fields(&batch, HIT_BATCH_HITS);
		reader->failed = reader->failed || batch.failed;
	}
}

static void upsert_read(struct reader *reader, struct load_answer *answer)
{
	struct field field;

	while (field_next(reader, &field))
		if (field.number == UPSERT_RESPONSE_INSERTED ||
		    field.number == UPSERT_RESPONSE_REPLACED)
			answer->hits += field.value;
	answer->last = true;
}

bool load_wire_read(enum load_kind kind, struct bytes message, struct load_answer *ret)
{
	static void (*const reads[])(struct reader *, struct load_answer *) = {
		[LOAD_SEARCH] = search_read,
		[LOAD_ITERATE] = iterate_read,
		[LOAD_UPSERT] = upsert_read,
	};
	struct reader reader = reader_of(message);
	struct load_answer answer = {0};

	reads[kind](&reader, &answer);
	if (reader.failed)
		return false;
	*ret = answer;
	return true;
}
