/* check_collections - a list or a map as a whole: items that differ, keys that come once.
 *
 * Both look again through the bytes of the message that holds them, into a table that is small for what
 * clients send and on the heap beyond that. How long it can get is the limits' to say.
 */
#include "service/schema/check_walk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRIES_ON_STACK 32

/* The values of one field in a message's bytes, one after another. */
struct values {
	const struct schema_field *field;
	struct wire wire;
	struct wire packed; /* what is left of a packed run */
	uint32_t n_groups;  /* of others, around the wire's place: their fields are not ours */
};

static struct values values_of(const struct schema_field *field, struct bytes bytes)
{
	return (struct values){.field = field, .wire = wire_of(bytes)};
}

/* Steps over a value that is not ours; a packed run that is ours is opened. */
static void values_pass(struct values *values, struct wire_tag tag)
{
	struct wire *wire = &values->wire;
	struct bytes run;

	if (tag.type == WIRE_LENGTH) {
		run = wire_length_delimited(wire);
		if (tag.number == values->field->number && values->n_groups == 0 &&
		    scalar_is_packable(values->field->type))
			values->packed = wire_of(run);
		return;
	}
	values->n_groups += tag.type == WIRE_GROUP;
	values->n_groups -= tag.type == WIRE_GROUP_END && values->n_groups > 0;
	wire_pass(wire, tag.type);
}

/* values_next - false at the end. */
static bool values_next(struct values *values, union schema_value *ret)
{
	enum schema_type type = values->field->type;

	while (wire_more(&values->packed) || wire_more(&values->wire)) {
		struct wire_tag tag;

		if (wire_more(&values->packed)) {
			*ret = scalar_read(&values->packed, type);
			return !values->packed.failed;
		}
		tag = wire_tag(&values->wire);
		if (tag.number == values->field->number && values->n_groups == 0 &&
		    tag.type == scalar_wire_type(type) && type != SCHEMA_GROUP) {
			*ret = scalar_read(&values->wire, type);
			return !values->wire.failed;
		}
		values_pass(values, tag);
	}
	return false;
}

/* --- lists --- */

struct item {
	union schema_value value;
	uint32_t index;
};

static int item_compare(const void *left, const void *right, void *type)
{
	const struct item *a = (const struct item *)left, *b = (const struct item *)right;
	int order = scalar_compare(*(enum schema_type *)type, a->value, b->value);

	/* A sort wants an order of all: NaN last. */
	if (order == 2)
		order = !!isnan(a->value.number) - !!isnan(b->value.number);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* The index of an item that equals one before it; n where all differ. */
static uint32_t first_repeated(struct item *items, uint32_t n, enum schema_type type)
{
	uint32_t first = n;

	qsort_r(items, n, sizeof *items, item_compare, &type);
	for (uint32_t i = 1; i < n; i++)
		if (scalar_compare(type, items[i - 1].value, items[i].value) == 0 &&
		    items[i].index < first)
			first = items[i].index;
	return first;
}

static const struct rule *unique_rule(const struct field_rules *rules)
{
	for (size_t i = 0; i < rules->n_rules; i++)
		if (rules->rules[i].kind == RULE_UNIQUE)
			return &rules->rules[i];
	return NULL;
}

/* Whether a list this long is refused already, so that nobody need know whether its items differ. */
static bool is_too_long(const struct field_rules *rules, uint32_t n)
{
	for (size_t i = 0; i < rules->n_rules; i++)
		if (rules->rules[i].kind == RULE_MAX_ITEMS && n > rules->rules[i].operand.count)
			return true;
	return false;
}

static bool report_repeated(struct checker *checker, const struct schema_field *field,
			    const struct check_path *path, uint32_t index)
{
	const struct rule *rule = unique_rule(field->rules);
	char message[64];
	const struct violation violation = {
		.path = path,
		.rule_id = rule->id,
		.rules = field->rules,
		.rule = rule,
		.message = message,
	};

	snprintf(message, sizeof message, "items must differ, item %u equals an earlier one",
		 index);
	return check_violation(checker, &violation);
}

bool unique_holds(struct checker *checker, const struct schema_field *field, struct bytes bytes,
		  uint32_t n, const struct check_path *path)
{
	struct item on_stack[ENTRIES_ON_STACK], *items = on_stack;
	struct values values = values_of(field, bytes);
	uint32_t at = 0, repeated;

	if (checker->limits->unique_items && n > checker->limits->unique_items) {
		if (is_too_long(field->rules, n))
			return true;
		return check_fail(checker, STATUS_RESOURCE_EXHAUSTED, path, NULL,
				  "has too many items to see whether they differ");
	}
	if (n > ENTRIES_ON_STACK) {
		items = calloc(n, sizeof *items);
		if (!items)
			return check_fail(checker, STATUS_RESOURCE_EXHAUSTED, path, NULL,
					  "no memory");
	}
	while (at < n && values_next(&values, &items[at].value)) {
		items[at].index = at;
		at++;
	}
	repeated = first_repeated(items, at, field->type);
	if (items != on_stack)
		free(items);
	return repeated == at || report_repeated(checker, field, path, repeated);
}

/* --- maps --- */

struct entry {
	union schema_value key, value;
	uint32_t index;
	bool has_key, has_value;
	bool replaced; /* a later entry has its key */
};

static int entry_compare(const void *left, const void *right, void *type)
{
	const struct entry *a = (const struct entry *)left, *b = (const struct entry *)right;
	int order = scalar_compare(*(enum schema_type *)type, a->key, b->key);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Marks what is replaced; how many are left. */
static uint32_t entries_settle(struct entry *entries, uint32_t n, enum schema_type type)
{
	uint32_t kept = n;

	/* Few, as most maps hold: no sorting, and the order of the wire is kept. */
	if (n <= ENTRIES_ON_STACK) {
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = i + 1; j < n && !entries[i].replaced; j++)
				entries[i].replaced =
					scalar_compare(type, entries[i].key, entries[j].key) == 0;
		for (uint32_t i = 0; i < n; i++)
			kept -= entries[i].replaced;
		return kept;
	}
	qsort_r(entries, n, sizeof *entries, entry_compare, &type);
	for (uint32_t i = 0; i + 1 < n; i++) {
		entries[i].replaced = scalar_compare(type, entries[i].key, entries[i + 1].key) == 0;
		kept -= entries[i].replaced;
	}
	return kept;
}

/* Notes a key or a value; one that was there before has to be sound all the same. */
static bool entry_part_note(struct checker *checker, const struct schema_field *part,
			    union schema_value value, const struct check_path *path, uint32_t depth,
			    struct entry *entry)
{
	bool is_key = part->number == 1;
	union schema_value *to = is_key ? &entry->key : &entry->value;
	bool *has = is_key ? &entry->has_key : &entry->has_value;
	const struct check_value before = {part, *to};
	bool ok = true;

	if (*has && part->message && checker->limits->refuse_repeated_message)
		return check_fail(checker, STATUS_INVALID_ARGUMENT, path, value.bytes.data,
				  "has a value that comes twice");
	if (*has) {
		checker->muted++;
		checker->replaced++;
		ok = walk_value(checker, &before, NULL, path, depth);
		checker->replaced--;
		checker->muted--;
	}
	*to = value;
	*has = true;
	return ok;
}

/* The fields of an entry: a key or value that is left out is zero, or an empty message. */
static bool entry_read(struct checker *checker, const struct schema_field *field,
		       struct bytes bytes, const struct check_path *path, uint32_t depth,
		       struct entry *ret)
{
	const struct schema_field *fields = field->message->fields;
	struct wire wire = wire_of(bytes);

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		const struct schema_field *part = tag.number == 1   ? &fields[0]
						  : tag.number == 2 ? &fields[1]
								    : NULL;

		if (wire.failed)
			break;
		if (part && tag.type == scalar_wire_type(part->type)) {
			union schema_value value = scalar_read(&wire, part->type);

			if (!entry_part_note(checker, part, value, path, depth, ret))
				return false;
		} else if (part && checker->limits->refuse_wrong_wire_type) {
			return check_fail(checker, STATUS_INVALID_ARGUMENT, path, wire.at,
					  "has the wire type of another kind of field");
		} else if (!part && checker->limits->unknown_fields &&
			   ++checker->n_unknown > checker->limits->unknown_fields) {
			return check_fail(checker, STATUS_INVALID_ARGUMENT, path, wire.at,
					  "too many unknown fields");
		} else if (tag.type == WIRE_GROUP || tag.type == WIRE_GROUP_END) {
			wire_fail(&wire, "a group in a map's entry");
		} else {
			wire_pass(&wire, tag.type);
		}
	}
	return !wire.failed ||
	       check_fail(checker, STATUS_INVALID_ARGUMENT, path, wire.at, wire.failed);
}

/* Walks a key or a value under its rules; neither where they are to be ignored. */
static bool part_holds(struct checker *checker, const struct check_value *part,
		       const struct field_rules *rules, const struct check_path *path,
		       uint32_t depth)
{
	bool ignored = rules && (rules->ignore == IGNORE_ALWAYS ||
				 (rules->ignore == IGNORE_IF_ZERO_VALUE &&
				  scalar_is_zero(part->field->type, part->value)));
	bool ok;

	checker->muted += ignored;
	ok = walk_value(checker, part, rules, path, depth);
	checker->muted -= ignored;
	return ok;
}

/* A report of a key says so: its path is that of the entry, as a value's is. */
struct key_report {
	check_report *report;
	void *context;
};

static bool report_for_key(void *context, const struct violation *violation)
{
	const struct key_report *to = (const struct key_report *)context;
	struct violation for_key = *violation;

	for_key.for_key = true;
	return to->report(to->context, &for_key);
}

static bool entry_holds(struct checker *checker, const struct schema_field *field,
			const struct entry *entry, const struct check_path *map_path,
			uint32_t depth)
{
	const struct schema_field *fields = field->message->fields;
	const struct field_rules *rules = field->rules;
	const struct check_path path = {
		.outer = map_path->outer,
		.field = field,
		.subscript = SUBSCRIPT_KEY,
		.key = entry->key,
	};
	const struct check_value key = {&fields[0], entry->key};
	const struct check_value value = {&fields[1], entry->value};
	struct key_report to = {checker->report, checker->context};
	bool ok;

	checker->muted += entry->replaced;
	checker->replaced += entry->replaced;
	checker->report = report_for_key;
	checker->context = &to;
	ok = part_holds(checker, &key, rules ? rules->keys : NULL, &path, depth);
	checker->report = to.report;
	checker->context = to.context;
	ok = ok && part_holds(checker, &value, rules ? rules->values : NULL, &path, depth);
	checker->replaced -= entry->replaced;
	checker->muted -= entry->replaced;
	return ok;
}

static bool entries_hold(struct checker *checker, const struct schema_field *field,
			 struct entry *entries, uint32_t n, const struct check_path *path,
			 uint32_t depth)
{
	uint32_t kept = entries_settle(entries, n, field->message->fields[0].type);

	if (field->rules && !rules_hold_count(checker, field->rules, path, kept))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!entry_holds(checker, field, &entries[i], path, depth))
			return false;
	return true;
}

bool map_holds(struct checker *checker, const struct schema_field *field, struct bytes bytes,
	       uint32_t n, const struct check_path *path, uint32_t depth)
{
	struct entry on_stack[ENTRIES_ON_STACK], *entries = on_stack;
	struct values values = values_of(field, bytes);
	union schema_value found;
	uint32_t at = 0;
	bool ok = true;

	if (n > ENTRIES_ON_STACK) {
		entries = calloc(n, sizeof *entries);
		if (!entries)
			return check_fail(checker, STATUS_RESOURCE_EXHAUSTED, path, NULL,
					  "no memory");
	}
	while (ok && at < n && values_next(&values, &found)) {
		entries[at] = (struct entry){.index = at};
		ok = entry_read(checker, field, found.bytes, path, depth, &entries[at]);
		at++;
	}
	ok = ok && entries_hold(checker, field, entries, at, path, depth);
	if (entries != on_stack)
		free(entries);
	return ok;
}
