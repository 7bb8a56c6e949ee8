/* json_schema_maker - what the files of json_schema share. Trees are jansson's; every function that
 * gives a json_t gives a new reference, or NULL where memory ended: then maker->failed is set, and
 * whoever called json_schema_make says so.
 */
#ifndef SLUICE_SERVICE_SCHEMA_JSON_SCHEMA_MAKER_H
#define SLUICE_SERVICE_SCHEMA_JSON_SCHEMA_MAKER_H

#include "service/schema/json_schema.h"
#include "service/schema/rules.h"

#include <jansson.h>

/* What a dialect's schemas may hold. */
struct json_traits {
	bool all_required; /* every property is required; an optional one may be null */
	bool ranges;       /* minimum, maximum and their exclusive forms */
	bool lengths;      /* minLength, maxLength, uniqueItems, minProperties, propertyNames */
	bool patterns;     /* pattern */
	bool items;        /* minItems and maxItems of any number; else minItems 0 or 1 */
	bool compose;      /* oneOf, allOf, not; else anyOf alone */
	bool root_compose; /* the same at the root */
	bool wide;         /* every form of a value: 64-bit integers and NaN as strings */
	bool bare_ref;     /* $ref stands alone in its schema */
	bool open_objects; /* additionalProperties other than false: maps, Any, Struct */
};

extern const struct json_traits json_traits[];

/* A message that is or becomes a member of $defs. */
struct json_def {
	const struct schema_message *message;
	const char *name;
	json_t *schema; /* owned; NULL: being made */
	struct json_def *next;
};

struct json_maker {
	const struct json_traits *traits;
	struct arena *arena;
	struct json_def *defs; /* newest first */
	status wrong;          /* the first thing that cannot be said at all */
	bool failed;           /* no memory */
};

/* Sentences for a description, parted by spaces. */
struct json_notes {
	struct buffer text;
};

/* json_note - adds a sentence. */
void json_note(struct json_notes *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* json_put - steals value. */
void json_put(struct json_maker *maker, json_t *object, const char *key, json_t *value);
void json_add(struct json_maker *maker, json_t *array, json_t *value);
/* json_text - a string of a maker. */
json_t *json_text(struct json_maker *maker, const char *text);
/* json_also - puts a keyword of which there may be more than one: a second goes into allOf. */
void json_also(struct json_maker *maker, json_t *schema, const char *key, json_t *value);
/* json_members_put - a rule in or not_in, or const, of these members; steals list. */
void json_members_put(struct json_maker *maker, const struct rule *rule, json_t *list,
		      json_t *schema, struct json_notes *notes);

/* json_object_make - the schema of a message's object. fields  [n] those to keep, by name; NULL: all.
 * notes  takes what the dialect cannot say. */
struct json_selection {
	const char *const *fields;
	size_t n_fields;
	bool root;
};
json_t *json_object_make(struct json_maker *maker, const struct schema_message *message,
			 const struct json_selection *selection, struct json_notes *notes);
/* json_choices - the oneofs of a message and of its rules, as keywords of the
 * schema or as notes; all but json_chosen_oneof. */
void json_choices(struct json_maker *maker, const struct schema_message *message,
		  const struct json_selection *selection, json_t *schema, struct json_notes *notes);
/* json_chosen_oneof - the required oneof that a schema has to tell by variants, each with one of its
 * members; NULL: none. */
const struct schema_oneof *json_chosen_oneof(const struct json_maker *maker,
					     const struct schema_message *message,
					     const struct json_selection *selection);
/* json_keeps - whether the selection has the field. */
bool json_keeps(const struct json_selection *selection, const struct schema_field *field);

/* json_reference - {"$ref": ...} to the message, which is made if it is not there yet. */
json_t *json_reference(struct json_maker *maker, const struct schema_message *message);
/* json_described - the schema with a description in front, which may be NULL; steals schema. */
json_t *json_described(struct json_maker *maker, json_t *schema, const char *description);
/* json_definitions - $defs, sorted by name; NULL without memory, an empty object where none is. */
json_t *json_definitions(struct json_maker *maker);
void json_maker_finish(struct json_maker *maker);

/* json_field - the schema of a field's value: of a list or a map, or of one. */
json_t *json_field(struct json_maker *maker, const struct schema_field *field,
		   struct json_notes *notes);
/* json_value - of one value: the field's, or an item's. rules  NULL: none. */
json_t *json_value(struct json_maker *maker, const struct schema_field *field,
		   const struct field_rules *rules, struct json_notes *notes);
json_t *json_number_schema(struct json_maker *maker, const struct schema_field *field,
			   const struct field_rules *rules, struct json_notes *notes);
/* json_number_key - of a map's keys, which are numbers in strings. */
json_t *json_number_key(struct json_maker *maker, const struct schema_field *field,
			const struct field_rules *rules);
json_t *json_string_schema(struct json_maker *maker, const struct field_rules *rules,
			   struct json_notes *notes);
json_t *json_bytes_schema(struct json_maker *maker, const struct field_rules *rules,
			  struct json_notes *notes);
/* json_well_known - of a message with a JSON form of its own; NULL, and nothing failed: it has none. */
json_t *json_well_known(struct json_maker *maker, const struct schema_field *field,
			const struct field_rules *rules, struct json_notes *notes);

/* json_zero_passes - whether a field that is not there meets its rules: if not, it is required. */
bool json_zero_passes(const struct schema_field *field);
/* json_ignore - when the rules of the field are looked at; a member of a message's oneof is not
 * looked at where it is zero. */
enum rule_ignore json_ignore(const struct schema_field *field);
/* json_rules_pass_zero - whether zero itself, or what is empty, meets the rules. */
bool json_rules_pass_zero(const struct schema_field *field, const struct field_rules *rules);
/* json_zero - the field's zero as a member of an enum or const. */
json_t *json_zero(struct json_maker *maker, const struct schema_field *field);

/* json_description - the first paragraph of a comment on one line, and the notes behind it; NULL:
 * nothing to say. In the maker's arena. */
const char *json_description(struct json_maker *maker, const char *comment,
			     const struct json_notes *notes);

/* json_pattern - RE2's pattern as ECMA-262 has it with its u flag, and as Python reads it too.
 * NULL: it cannot be said. In the arena. */
const char *json_pattern(struct arena *arena, struct bytes pattern);
/* json_escape - text as a pattern that matches it. */
const char *json_escape(struct arena *arena, struct bytes text);

/* json_decimals - a pattern, without anchors, of the decimals from low to high. */
void json_decimals(struct buffer *pattern, uint64_t low, uint64_t high);
void json_signed_decimals(struct buffer *pattern, int64_t low, int64_t high);

/* json_print - a tree as text; short arrays of scalars and objects of one scalar on one line. */
void json_print(const json_t *value, int level, struct buffer *ret);

#endif
