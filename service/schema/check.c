/* check - one walk over the wire, beside the schema.
 *
 * Of a singular field only the last value counts, so it is noted in a slot and looked at when the end
 * of the message is known; the items of a list are looked at as they come by. A message within is
 * walked where its value is looked at; one that a later value of the same oneof replaces is walked too,
 * muted, since whoever unpacks will unpack it first.
 */
#include "service/schema/check.h"

#include "service/schema/check_lanes.h"
#include "service/schema/check_walk.h"

#include <stdio.h>
#include <stdlib.h>

/* Messages of more fields than this take their slots from the heap. */
#define SLOTS_ON_STACK 24

/* How often the bytes of a message may be looked at quickly and in vain. */
#define QUICK_LOOKS 4

const struct check_limits check_limits_strict = {
	.depth = 32,
	.unknown_fields = 1024,
	.map_entries = 4096,
	.unique_items = 65536,
	.refuse_nul = true,
	.refuse_groups = true,
	.refuse_repeated_message = true,
	.refuse_wrong_wire_type = true,
	.closed_file = "sluice/v1/filter.proto",
};

const struct check_limits check_limits_lenient = {.depth = 100};

/* What was seen of one field. */
struct slot {
	uint32_t n; /* values on the wire; of a oneof's member that another one replaced, 0 */
	union schema_value last;
};

/* One message of the walk. */
struct level {
	struct checker *checker;
	const struct schema_message *message;
	struct bytes bytes;
	const struct check_path *path; /* of the message itself */
	uint32_t depth;
	struct slot *slots; /* [message->n_fields] */
};

bool check_fail(struct checker *checker, enum status_code code, const struct check_path *path,
		const uint8_t *at, const char *why)
{
	const char *name = checker->message->full_name;
	char where[256] = "";
	size_t length;

	if (status_failed(checker->failure))
		return false;
	if (path) {
		length = check_path_print(path, where, sizeof where - 2);
		length = length < sizeof where - 2 ? length : sizeof where - 3;
		memcpy(where + length, ": ", 3);
	}
	checker->failure = at ? status_format(checker->arena, code, "%s: %s%s, at byte %zu", name,
					      where, why, (size_t)(at - checker->start))
			      : status_format(checker->arena, code, "%s: %s%s", name, where, why);
	return false;
}

static bool report(struct checker *checker, const struct violation *violation)
{
	checker->stopped = !checker->report(checker->context, violation);
	return !checker->stopped;
}

bool check_violation(struct checker *checker, const struct violation *violation)
{
	return checker->muted > 0 || report(checker, violation);
}

static bool malformed(struct checker *checker, const struct check_path *path,
		      const struct wire *wire)
{
	return check_fail(checker, STATUS_INVALID_ARGUMENT, path, wire->at, wire->failed);
}

/* --- what is not of the schema --- */

/* Reads up to the end tag of a group whose start tag has been read. Flat: only a counter grows. */
static bool group_skip(struct checker *checker, const struct check_path *path, struct wire *wire,
		       uint32_t number, struct bytes *ret_inside)
{
	const uint8_t *start = wire->at, *end = start;
	/* The numbers of groups within, which have to close in their order. */
	uint32_t open[128];
	uint32_t n_open = 1;

	open[0] = number;
	while (n_open > 0 && wire_more(wire)) {
		struct wire_tag tag;

		end = wire->at;
		tag = wire_tag(wire);
		if (wire->failed)
			break;
		wire_pass(wire, tag.type);
		switch (tag.type) {
		case WIRE_GROUP:
			if (n_open > checker->limits->depth || n_open == sizeof open / sizeof *open)
				return check_fail(checker, STATUS_INVALID_ARGUMENT, path, end,
						  "groups are nested too deep");
			open[n_open++] = tag.number;
			break;
		case WIRE_GROUP_END:
			if (open[--n_open] != tag.number)
				return check_fail(checker, STATUS_INVALID_ARGUMENT, path, end,
						  "a group ends that did not begin");
			break;
		default:
			break;
		}
	}
	if (wire->failed)
		return malformed(checker, path, wire);
	if (n_open > 0)
		return check_fail(checker, STATUS_INVALID_ARGUMENT, path, start,
				  "a group does not end");
	if (ret_inside)
		*ret_inside = bytes_of(start, (size_t)(end - start));
	return true;
}

static bool unknown_field(struct level *level, struct wire *wire, struct wire_tag tag)
{
	struct checker *checker = level->checker;
	const struct check_limits *limits = checker->limits;

	if (limits->closed_file && strcmp(level->message->file, limits->closed_file) == 0)
		return check_fail(checker, STATUS_INVALID_ARGUMENT, level->path, wire->at,
				  "an unknown field, which this message does not skip: it could "
				  "mean something to the sender");
	if (limits->unknown_fields && ++checker->n_unknown > limits->unknown_fields)
		return check_fail(checker, STATUS_INVALID_ARGUMENT, level->path, wire->at,
				  "too many unknown fields: at most 1,024 are skipped");
	wire_pass(wire, tag.type);
	switch (tag.type) {
	case WIRE_GROUP:
		if (limits->refuse_groups)
			return check_fail(checker, STATUS_INVALID_ARGUMENT, level->path, wire->at,
					  "a group, which this server does not read");
		return group_skip(checker, level->path, wire, tag.number, NULL);
	case WIRE_GROUP_END:
		return check_fail(checker, STATUS_INVALID_ARGUMENT, level->path, wire->at,
				  "a group ends that did not begin");
	default:
		return !wire->failed || malformed(checker, level->path, wire);
	}
}

/* --- values --- */

/* What no rule has to ask for, and none can turn off: a string that is one. False: the walk is over.
 * ret_sound: whether to look at its rules. */
static bool string_is_sound(struct checker *checker, const struct check_value *value,
			    const struct check_path *path, bool *ret_sound)
{
	struct bytes text = value->value.bytes;
	struct violation violation = {.path = path};

	*ret_sound = true;
	if (text_is_plain(text))
		return true;
	if (value->field->verify_utf8 && !bytes_is_utf8(text)) {
		violation.rule_id = "wire.utf8";
		violation.message = "must be UTF-8";
	} else if (checker->limits->refuse_nul && checker->replaced == 0 &&
		   memchr(text.data, 0, text.size)) {
		violation.rule_id = "wire.nul";
		violation.message = "must not hold a NUL character";
	} else {
		return true;
	}
	*ret_sound = false;
	return report(checker, &violation);
}

bool walk_value(struct checker *checker, const struct check_value *value,
		const struct field_rules *rules, const struct check_path *path, uint32_t depth)
{
	enum schema_type type = value->field->type;

	if (type == SCHEMA_STRING) {
		bool sound;

		if (!string_is_sound(checker, value, path, &sound))
			return false;
		if (!sound)
			return true;
	}
	if (rules && rules->n_rules > 0 && !checker->muted &&
	    !rules_hold(checker, value, rules, path))
		return false;
	if (type != SCHEMA_MESSAGE && type != SCHEMA_GROUP)
		return true;
	if (depth >= checker->limits->depth)
		return check_fail(checker, STATUS_INVALID_ARGUMENT, path, value->value.bytes.data,
				  "messages are nested too deep");
	return walk_message(checker, value->field->message, value->value.bytes, path, depth + 1);
}

/* An item of a list: rules of its own, at a path with its index. */
static bool walk_item(struct level *level, const struct schema_field *field, uint32_t index,
		      union schema_value item)
{
	const struct field_rules *rules = field->rules ? field->rules->items : NULL;
	const struct check_value value = {field, item};
	const struct check_path path = {
		.outer = level->path,
		.field = field,
		.subscript = SUBSCRIPT_INDEX,
		.index = index,
	};
	bool ignored = field->rules && field->rules->ignore == IGNORE_ALWAYS, ok;

	if (rules && !ignored &&
	    (rules->ignore == IGNORE_ALWAYS ||
	     (rules->ignore == IGNORE_IF_ZERO_VALUE && scalar_is_zero(field->type, item))))
		ignored = true;
	level->checker->muted += ignored;
	ok = walk_value(level->checker, &value, rules, &path, level->depth);
	level->checker->muted -= ignored;
	return ok;
}

static bool walk_packed(struct level *level, const struct schema_field *field, struct bytes packed)
{
	struct slot *slot = &level->slots[field->index];
	struct wire wire = wire_of(packed);

	if (field->type == SCHEMA_FLOAT && packed.size % 4 == 0 &&
	    (!field->rules || !field->rules->items || field->rules->items->only_finite)) {
		size_t sound = field->rules && field->rules->items ? floats_finite(packed)
								   : packed.size / 4;

		slot->n += (uint32_t)sound;
		wire.at += 4 * sound;
	}
	while (wire_more(&wire)) {
		union schema_value item = scalar_read(&wire, field->type);

		if (!wire.failed && !walk_item(level, field, slot->n++, item))
			return false;
	}
	return !wire.failed || malformed(level->checker, level->path, &wire);
}

/* --- fields --- */

/* A value that another member of its oneof, or its own later value, replaces: readers read it before
 * they drop it, and refuse it if it is not sound. */
static bool walk_replaced(struct level *level, const struct schema_field *field,
			  union schema_value replaced)
{
	const struct check_value value = {field, replaced};
	const struct check_path path = {.outer = level->path, .field = field};
	bool ok;

	if (!field->message && field->type != SCHEMA_STRING)
		return true;
	level->checker->muted++;
	level->checker->replaced++;
	ok = walk_value(level->checker, &value, NULL, &path, level->depth);
	level->checker->replaced--;
	level->checker->muted--;
	return ok;
}

/* The member of a oneof that came before this one gives way to it. */
static bool oneof_settle(struct level *level, const struct schema_field *field)
{
	for (size_t i = 0; i < field->oneof->n_fields; i++) {
		const struct schema_field *other = field->oneof->fields[i];
		struct slot *replaced = &level->slots[other->index];

		if (replaced->n == 0 || other == field)
			continue;
		if (!walk_replaced(level, other, replaced->last))
			return false;
		replaced->n = 0;
	}
	return true;
}

static bool note_singular(struct level *level, const struct schema_field *field,
			  union schema_value value)
{
	struct slot *slot = &level->slots[field->index];

	if (slot->n > 0) {
		if (field->message && level->checker->limits->refuse_repeated_message) {
			struct check_path path = {.outer = level->path, .field = field};

			return check_fail(level->checker, STATUS_INVALID_ARGUMENT, &path,
					  value.bytes.data, "comes twice");
		}
		if (!walk_replaced(level, field, slot->last))
			return false;
	}
	if (field->oneof && !oneof_settle(level, field))
		return false;
	slot->last = value;
	slot->n++;
	return true;
}

static bool wrong_wire_type(struct level *level, const struct schema_field *field,
			    struct wire *wire, struct wire_tag tag)
{
	struct check_path path = {.outer = level->path, .field = field};

	if (level->checker->limits->refuse_wrong_wire_type)
		return check_fail(level->checker, STATUS_INVALID_ARGUMENT, &path, wire->at,
				  "has the wire type of another kind of field");
	return unknown_field(level, wire, tag);
}

static bool walk_field(struct level *level, const struct schema_field *field, struct wire *wire,
		       struct wire_tag tag)
{
	struct slot *slot = &level->slots[field->index];
	union schema_value value;

	if (tag.type != scalar_wire_type(field->type)) {
		if (tag.type != WIRE_LENGTH || !field->repeated || !scalar_is_packable(field->type))
			return wrong_wire_type(level, field, wire, tag);
		value.bytes = wire_length_delimited(wire);
		if (wire->failed)
			return malformed(level->checker, level->path, wire);
		return walk_packed(level, field, value.bytes);
	}
	if (field->type == SCHEMA_GROUP) {
		if (!group_skip(level->checker, level->path, wire, tag.number, &value.bytes))
			return false;
	} else {
		value = scalar_read(wire, field->type);
	}
	if (wire->failed)
		return malformed(level->checker, level->path, wire);
	if (!field->repeated)
		return note_singular(level, field, value);
	slot->n++;
	if (!field->map)
		return walk_item(level, field, slot->n - 1, value);
	if (level->checker->limits->map_entries && slot->n > level->checker->limits->map_entries) {
		struct check_path path = {.outer = level->path, .field = field};

		return check_fail(level->checker, STATUS_INVALID_ARGUMENT, &path, wire->at,
				  "too many entries, those of the same key counted");
	}
	return true;
}

/* --- a message's end --- */

static bool field_is_set(const struct schema_field *field, const struct slot *slot)
{
	if (field->presence || field->repeated)
		return slot->n > 0;
	return slot->n > 0 && !scalar_is_zero(field->type, slot->last);
}

static bool repeated_end(struct level *level, const struct schema_field *field,
			 const struct check_path *path)
{
	const struct slot *slot = &level->slots[field->index];
	struct checker *checker = level->checker;

	if (field->map)
		return map_holds(checker, field, level->bytes, slot->n, path, level->depth);
	if (!field->rules || checker->muted)
		return true;
	if (!rules_hold_count(checker, field->rules, path, slot->n))
		return false;
	for (size_t i = 0; i < field->rules->n_rules; i++)
		if (field->rules->rules[i].kind == RULE_UNIQUE)
			return unique_holds(checker, field, level->bytes, slot->n, path);
	return true;
}

static bool field_end(struct level *level, const struct schema_field *field)
{
	const struct slot *slot = &level->slots[field->index];
	const struct field_rules *rules = field->rules;
	const struct check_path path = {.outer = level->path, .field = field};
	struct checker *checker = level->checker;
	const struct check_value value = {field, slot->last};
	bool ignored = rules && rules->ignore == IGNORE_ALWAYS, ok;

	if (!rules && slot->n == 0)
		return true;
	if (rules && !ignored && !field_is_set(field, slot)) {
		if (rules->required) {
			const struct violation violation = {
				.path = &path,
				.rule_id = "required",
				.rules = rules,
				.is_required = true,
				.message = "is required",
			};

			return check_violation(checker, &violation);
		}
		if (field->presence || rules->ignore == IGNORE_IF_ZERO_VALUE)
			return true;
	}
	if (slot->n == 0 && (field->presence || ignored))
		return true;
	checker->muted += ignored;
	if (field->repeated)
		ok = repeated_end(level, field, &path);
	else
		ok = walk_value(checker, &value, rules, &path, level->depth);
	checker->muted -= ignored;
	return ok;
}

/* A oneof that has to have a member. */
static bool oneof_end(struct level *level, const struct schema_oneof *oneof)
{
	const struct check_path path = {.outer = level->path, .oneof = oneof};
	char names[256];
	const struct violation violation = {
		.path = &path,
		.rule_id = "required",
		.message = names,
	};
	size_t at;

	if (!oneof->required)
		return true;
	for (size_t i = 0; i < oneof->n_fields; i++)
		if (level->slots[oneof->fields[i]->index].n > 0)
			return true;
	at = (size_t)snprintf(names, sizeof names, "one of ");
	for (size_t i = 0; i < oneof->n_fields && at < sizeof names; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "",
				       oneof->fields[i]->name);
	if (at < sizeof names)
		snprintf(names + at, sizeof names - at, " is required");
	return check_violation(level->checker, &violation);
}

/* (buf.validate.message).oneof: of these fields at most one. */
static bool message_oneof_end(struct level *level, const struct message_oneof *oneof)
{
	char message[320];
	const struct violation violation = {
		.path = level->path,
		.rule_id = "message.oneof",
		.message = message,
	};
	size_t n = 0;

	for (size_t i = 0; i < oneof->n_fields; i++)
		n += field_is_set(oneof->fields[i], &level->slots[oneof->fields[i]->index]);
	if (n == 1 || (n == 0 && !oneof->required))
		return true;
	if (n == 0)
		snprintf(message, sizeof message, "one of %s is required", oneof->names);
	else
		snprintf(message, sizeof message, "only one of %s can be set, found %zu",
			 oneof->names, n);
	return check_violation(level->checker, &violation);
}

static bool message_end(struct level *level)
{
	const struct schema_message *message = level->message;

	for (size_t i = 0; message->rules && i < message->rules->n_oneofs; i++)
		if (!message_oneof_end(level, &message->rules->oneofs[i]))
			return false;
	for (size_t i = 0; i < message->n_oneofs; i++)
		if (!oneof_end(level, &message->oneofs[i]))
			return false;
	for (size_t i = 0; i < message->n_fields; i++)
		if (!field_end(level, &message->fields[i]))
			return false;
	return true;
}

static bool walk_level(struct level *level)
{
	struct wire wire = wire_of(level->bytes);

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		const struct schema_field *field;
		bool ok;

		if (wire.failed)
			break;
		field = schema_field_by_number(level->message, tag.number);
		ok = field ? walk_field(level, field, &wire, tag)
			   : unknown_field(level, &wire, tag);
		if (!ok)
			return false;
	}
	if (wire.failed)
		return malformed(level->checker, level->path, &wire);
	return message_end(level);
}

bool walk_message(struct checker *checker, const struct schema_message *message, struct bytes bytes,
		  const struct check_path *path, uint32_t depth)
{
	struct slot on_stack[SLOTS_ON_STACK];
	struct level level = {checker, message, bytes, path, depth, on_stack};
	bool ok;

	if (quick_is_sound(checker, message, bytes, depth))
		return true;
	if (message->n_fields <= SLOTS_ON_STACK) {
		for (size_t i = 0; i < message->n_fields; i++)
			on_stack[i] = (struct slot){0};
		return walk_level(&level);
	}
	level.slots = calloc(message->n_fields, sizeof *level.slots);
	if (!level.slots)
		return check_fail(checker, STATUS_RESOURCE_EXHAUSTED, path, NULL, "no memory");
	ok = walk_level(&level);
	free(level.slots);
	return ok;
}

status check_message(const struct schema_message *message, struct bytes bytes,
		     const struct check_options *options, struct arena *arena)
{
	struct checker checker = {
		.message = message,
		.limits = options->limits ? options->limits : &check_limits_strict,
		.report = options->report,
		.context = options->context,
		.arena = arena,
		.start = bytes.data,
		.now_ns = options->now_ns,
		.quick_bytes = options->without_quick_look ? 0 : QUICK_LOOKS * bytes.size + 1,
	};

	walk_message(&checker, message, bytes, NULL, 0);
	return checker.failure;
}
