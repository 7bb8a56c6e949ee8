/* plan - a message's fields and rules as the quick look of a check reads them (check_quick.c).
 *
 * What rules.h has by name and in the order of the .proto is here by the byte that a field begins with,
 * with the common rules of strings beside it. A plan says less than the rules do: what it has no
 * words for, it leaves to the walk. It never allows what they refuse.
 */
#ifndef SLUICE_SERVICE_SCHEMA_PLAN_H
#define SLUICE_SERVICE_SCHEMA_PLAN_H

#include "service/schema/rules.h"
#include "service/schema/wire.h"

/* scalar_wire_type - how a type stands on the wire, alone and not packed. */
static inline enum wire_type scalar_wire_type(enum schema_type type)
{
	static const uint8_t types[] = {
		[SCHEMA_DOUBLE] = WIRE_64,      [SCHEMA_FLOAT] = WIRE_32,
		[SCHEMA_INT64] = WIRE_VARINT,   [SCHEMA_UINT64] = WIRE_VARINT,
		[SCHEMA_INT32] = WIRE_VARINT,   [SCHEMA_FIXED64] = WIRE_64,
		[SCHEMA_FIXED32] = WIRE_32,     [SCHEMA_BOOL] = WIRE_VARINT,
		[SCHEMA_STRING] = WIRE_LENGTH,  [SCHEMA_GROUP] = WIRE_GROUP,
		[SCHEMA_MESSAGE] = WIRE_LENGTH, [SCHEMA_BYTES] = WIRE_LENGTH,
		[SCHEMA_UINT32] = WIRE_VARINT,  [SCHEMA_ENUM] = WIRE_VARINT,
		[SCHEMA_SFIXED32] = WIRE_32,    [SCHEMA_SFIXED64] = WIRE_64,
		[SCHEMA_SINT32] = WIRE_VARINT,  [SCHEMA_SINT64] = WIRE_VARINT,
	};

	return (enum wire_type)types[type];
}

/* scalar_tag - what a field that is no packed run begins with. */
static inline uint32_t scalar_tag(const struct schema_field *field)
{
	return field->number << 3 | (uint32_t)scalar_wire_type(field->type);
}

static inline bool scalar_is_packable(enum schema_type type)
{
	return scalar_wire_type(type) != WIRE_LENGTH && type != SCHEMA_GROUP;
}

/* Of messages of more fields there is no plan: a set of them is a word's bits. */
#define PLAN_FIELDS_MAX 64

enum plan_kind {
	PLAN_NONE,   /* groups: left to the walk */
	PLAN_VARINT, /* any number that takes this many bytes, and nothing is asked of it */
	PLAN_FIXED32,
	PLAN_FIXED64,
	PLAN_FINITE, /* a float that has to be finite, no more */
	PLAN_SCALAR, /* a number under rules, or one to be looked at */
	PLAN_TEXT,   /* a string */
	PLAN_BYTES,
	PLAN_MESSAGE,
};

/* Values of one kind: a field's own, a list's items, a map's keys or values. */
struct plan_value {
	enum plan_kind kind;
	const struct schema_field *field;     /* its type; of a map's value, the entry's field 2 */
	uint32_t tag;                         /* scalar_tag(field) */
	const struct schema_message *message; /* PLAN_MESSAGE: field->message */
	bool is_odd;                     /* a text of which more is asked than size and regex */
	bool skip_zero;                  /* rules are not for zero */
	bool refuse_zero;                /* zero is as good as not there, which the walk looks at */
	size_t min_bytes, max_bytes;     /* PLAN_TEXT, PLAN_BYTES */
	const struct regex *regex;       /* PLAN_TEXT; NULL: any */
	const struct field_rules *rules; /* all of them, where the above are not all; else NULL */
};

struct plan_field {
	struct plan_value value;
	struct plan_value *key; /* of a map, else NULL */
	bool repeated;
	bool unique;              /* the items differ */
	uint32_t tag, packed_tag; /* 0: it has none */
	uint64_t bit;             /* 1 << field->index */
	uint64_t excludes; /* what may not be there already: itself, and others of its oneof */
	uint64_t min_items, max_items;
};

/* Of these fields at most one; exactly one if required. */
struct plan_choice {
	uint64_t fields;
	bool required;
};

struct message_plan {
	/* [128] for a tag of one byte its field's index + 1; 0: not known, or of another wire type */
	uint8_t by_tag[128];
	struct plan_field *fields; /* [message->n_fields] */
	uint64_t wanted;           /* has to be there: required, or its rules do not allow zero */
	struct plan_choice *choices;
	size_t n_choices;
};

/* plan_make - of a compiled message, in the arena. ret  NULL: none is made of such a message.
 * Fails: RESOURCE_EXHAUSTED */
status plan_make(const struct schema_message *message, struct arena *arena,
		 const struct message_plan **ret);

#endif
