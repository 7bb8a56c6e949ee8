/* rules_note - an annotation's bytes as values by field, and how a failure names its place.
 *
 * Stricter than a parser of protocol buffers: a field that is not known, or has another wire type, two
 * members of one oneof, a string that is not UTF-8 - each is refused, since to pass it over would be to
 * pass a rule over.
 */
#include "service/schema/rules_private.h"
#include "service/schema/schema_item.h"

const status rules_no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				.detail = "the rules take too much memory"};

static status refuse(const struct rules_context *context, enum status_code code, const char *rule,
		     const char *why)
{
	return status_format(context->detail, code, "%s: %s%s%s: %s%s%s%s", context->message->file,
			     context->message->full_name, *context->name ? "." : "", context->name,
			     context->place, rule, *rule ? ": " : "", why);
}

status rules_wrong(const struct rules_context *context, const char *rule, const char *format, ...)
{
	va_list args;
	char *why;

	va_start(args, format);
	why = arena_vprintf(context->detail, format, args);
	va_end(args);
	return refuse(context, STATUS_INVALID_ARGUMENT, rule, why ? why : "not understood");
}

status rules_cel(const struct rules_context *context, const char *rule)
{
	return refuse(context, STATUS_UNIMPLEMENTED, rule, "CEL is not supported");
}

static enum wire_type wire_type_of(enum schema_type type)
{
	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		return WIRE_64;
	case SCHEMA_FLOAT:
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		return WIRE_32;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_MESSAGE:
		return WIRE_LENGTH;
	case SCHEMA_GROUP:
		return WIRE_GROUP;
	default:
		return WIRE_VARINT;
	}
}

static union schema_value value_of(enum schema_type type, uint64_t bits)
{
	union schema_value value = {.uint = bits};
	uint32_t low = (uint32_t)bits;
	float single;

	switch (type) {
	case SCHEMA_FLOAT:
		memcpy(&single, &low, sizeof single);
		value.number = (double)single;
		break;
	case SCHEMA_DOUBLE:
		memcpy(&value.number, &bits, sizeof value.number);
		break;
	case SCHEMA_INT32:
	case SCHEMA_SFIXED32:
	case SCHEMA_ENUM:
		value.sint = (int32_t)low;
		break;
	case SCHEMA_SINT32:
		value.sint = (int32_t)wire_zigzag(low);
		break;
	case SCHEMA_INT64:
	case SCHEMA_SFIXED64:
		value.sint = (int64_t)bits;
		break;
	case SCHEMA_SINT64:
		value.sint = wire_zigzag(bits);
		break;
	case SCHEMA_UINT32:
		value.uint = low;
		break;
	case SCHEMA_BOOL:
		value.uint = bits != 0;
		break;
	default:
		break;
	}
	return value;
}

/* One number out of a packed run. */
static uint64_t packed_next(struct wire *wire, enum wire_type type)
{
	if (type == WIRE_64)
		return wire_fixed64(wire);
	return type == WIRE_32 ? wire_fixed32(wire) : wire_varint(wire);
}

static size_t packed_count(struct bytes run, enum wire_type type)
{
	struct wire wire = wire_of(run);
	size_t n = 0;

	while (wire_more(&wire)) {
		packed_next(&wire, type);
		n++;
	}
	return n;
}

static status field_unknown(struct rules_context *context, const struct schema_message *message,
			    uint32_t number, const char *rule)
{
	if (number >= PREDEFINED_MIN)
		return rules_cel(context, rule);
	return rules_wrong(context, rule, "field %u of %s is not known", number,
			   message->full_name);
}

/* Counts the values of each field, and checks what they are encoded as. */
static status values_count(struct rules_context *context, const struct note *note,
			   struct bytes bytes, const char *rule)
{
	struct wire wire = wire_of(bytes);
	struct item item;

	while (item_next(&wire, &item)) {
		const struct schema_field *field =
			schema_field_by_number(note->message, item.number);
		enum wire_type type;

		if (!field)
			return field_unknown(context, note->message, item.number, rule);
		type = wire_type_of(field->type);
		if (item.type == type && type != WIRE_GROUP)
			note->fields[field->index].n++;
		else if (field->repeated && item.type == WIRE_LENGTH && type != WIRE_GROUP)
			note->fields[field->index].n += packed_count(item.bytes, type);
		else
			return rules_wrong(context, rule, "%s is not encoded as its type",
					   field->name);
	}
	if (wire.failed)
		return rules_wrong(context, rule, "the annotation does not parse: %s", wire.failed);
	return status_ok();
}

static status oneofs_check(struct rules_context *context, const struct note *note, const char *rule)
{
	for (size_t i = 0; i < note->message->n_oneofs; i++) {
		const struct schema_oneof *oneof = &note->message->oneofs[i];
		const struct schema_field *given = NULL;

		for (size_t j = 0; j < oneof->n_fields; j++) {
			if (note->fields[oneof->fields[j]->index].n == 0)
				continue;
			if (given)
				return rules_wrong(context, rule, "%s and %s do not go together",
						   given->name, oneof->fields[j]->name);
			given = oneof->fields[j];
		}
	}
	return status_ok();
}

/* Of a singular field the last value stays. */
static void value_put(const struct schema_field *field, struct note_field *to,
		      union schema_value value)
{
	if (!field->repeated)
		to->n = 0;
	to->values[to->n++] = value;
}

static status values_put(struct rules_context *context, const struct note *note, struct bytes bytes,
			 const char *rule)
{
	struct wire wire = wire_of(bytes);
	struct item item;

	while (item_next(&wire, &item)) {
		const struct schema_field *field =
			schema_field_by_number(note->message, item.number);
		struct note_field *to = &note->fields[field->index];
		enum wire_type type = wire_type_of(field->type);
		struct wire packed = wire_of(item.bytes);

		if (type == WIRE_LENGTH) {
			if (field->type == SCHEMA_STRING && !bytes_is_utf8(item.bytes))
				return rules_wrong(context, rule, "%s is not UTF-8", field->name);
			value_put(field, to, (union schema_value){.bytes = item.bytes});
		} else if (item.type == type) {
			value_put(field, to, value_of(field->type, item.bits));
		} else {
			while (wire_more(&packed)) {
				uint64_t bits = packed_next(&packed, type);

				value_put(field, to, value_of(field->type, bits));
			}
			if (packed.failed)
				return rules_wrong(context, rule, "%s does not parse: %s",
						   field->name, packed.failed);
		}
	}
	return status_ok();
}

/* A singular message that comes in parts is all of them. */
static bool messages_gather(struct rules_context *context, const struct note *note,
			    struct bytes bytes)
{
	for (size_t i = 0; i < note->message->n_fields; i++) {
		const struct schema_field *field = &note->message->fields[i];

		if (field->message && !field->repeated && note->fields[i].n > 0 &&
		    !item_gather(context->arena, bytes, field->number,
				 &note->fields[i].values[0].bytes))
			return false;
	}
	return true;
}

status note_read(struct rules_context *context, const struct schema_message *message,
		 struct bytes bytes, const char *rule, struct note *ret)
{
	struct note note = {message, NULL};

	note.fields = ARENA_ARRAY(context->arena, struct note_field, message->n_fields);
	if (!note.fields)
		return rules_no_memory;
	TRY(values_count(context, &note, bytes, rule));
	TRY(oneofs_check(context, &note, rule));
	for (size_t i = 0; i < message->n_fields; i++) {
		struct note_field *field = &note.fields[i];

		if (field->n == 0)
			continue;
		field->values = ARENA_ARRAY(context->arena, union schema_value, field->n);
		if (!field->values)
			return rules_no_memory;
		field->n = 0;
	}
	TRY(values_put(context, &note, bytes, rule));
	if (!messages_gather(context, &note, bytes))
		return rules_no_memory;
	*ret = note;
	return status_ok();
}

status note_take(struct rules_context *context, const struct note *note, const char *name,
		 enum schema_type type, const struct note_field **ret)
{
	const struct schema_field *field = schema_field_by_name(note->message, name);

	*ret = NULL;
	if (!field || note->fields[field->index].n == 0)
		return status_ok();
	if (field->type != type)
		return rules_wrong(context, name, "the set declares it with another type");
	*ret = &note->fields[field->index];
	return status_ok();
}

status note_flag(struct rules_context *context, const struct note *note, const char *name,
		 bool *ret)
{
	const struct note_field *field;

	TRY(note_take(context, note, name, SCHEMA_BOOL, &field));
	*ret = field && field->values[0].uint;
	return status_ok();
}

status note_only(struct rules_context *context, const struct note *note, const char *const *names)
{
	for (size_t i = 0; i < note->message->n_fields; i++) {
		const char *name = note->message->fields[i].name;
		size_t j = 0;

		if (note->fields[i].n == 0)
			continue;
		while (names[j] && strcmp(names[j], name) != 0)
			j++;
		if (!names[j])
			return rules_wrong(context, name, "the rule is not known");
	}
	return status_ok();
}

status note_option(struct rules_context *context, struct bytes options, struct bytes *ret)
{
	struct wire wire = wire_of(options);
	struct item item;

	while (item_next(&wire, &item))
		if (item.number == VALIDATE_EXTENSION && item.type != WIRE_LENGTH)
			return rules_wrong(context, "", "the annotation is no message");
	if (!item_gather(context->arena, options, VALIDATE_EXTENSION, ret))
		return rules_no_memory;
	return status_ok();
}

status note_message(struct rules_context *context, const char *name,
		    const struct schema_message **ret)
{
	*ret = schema_message(context->schema, name);
	return *ret ? status_ok() : rules_wrong(context, "", "%s is not in the set", name);
}
