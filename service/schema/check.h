/* check - a message's bytes against its schema, before anything unpacks them.
 *
 * One walk over the wire: no allocation that depends on the input but one capped scratch for maps and
 * uniqueness, no recursion deeper than limits.depth. What is wrong with a value is reported and the
 * walk goes on, so that a client learns everything at once; bytes that are no message end it.
 * Later wins: of a singular scalar, a member of a oneof and a map's key that come twice, only the last
 * is checked, as only the last is seen by whoever unpacks.
 */
#ifndef SLUICE_SERVICE_SCHEMA_CHECK_H
#define SLUICE_SERVICE_SCHEMA_CHECK_H

#include "service/schema/rules.h"
#include "service/schema/schema.h"

/* Where in a message: a chain on the walk's stack, innermost first. */
struct check_path {
	const struct check_path *outer;   /* NULL: the message asked about */
	const struct schema_field *field; /* NULL: oneof */
	const struct schema_oneof *oneof; /* with field NULL; else NULL */
	enum { SUBSCRIPT_NONE, SUBSCRIPT_INDEX, SUBSCRIPT_KEY } subscript;
	uint64_t index;
	union schema_value key; /* by field->message->fields[0].type */
};

struct violation {
	const struct check_path *path;   /* NULL: the message as a whole */
	const char *rule_id;             /* "string.min_len"; "wire.utf8" for what is ours */
	const struct field_rules *rules; /* with rule: its path. NULL: none */
	const struct rule *rule; /* NULL: required, or a rule without a place in FieldRules */
	bool is_required;        /* of FieldRules: its path is rules' "required" */
	bool for_key;
	const char *message; /* a sentence: what is allowed, what was found. Borrowed */
};

/* check_report - takes one violation, all of it borrowed. False: no more, end the walk. */
typedef bool check_report(void *context, const struct violation *violation);

/* What is stricter than protocol buffers ask for. Zero: not limited, and allowed. */
struct check_limits {
	uint32_t depth;          /* of messages in messages, the outermost not counted */
	uint32_t unknown_fields; /* in all of the message */
	uint32_t map_entries;    /* on the wire, of one map */
	uint32_t unique_items;   /* of a list whose items have to differ */
	bool refuse_nul;         /* in strings: rule wire.nul */
	bool refuse_groups;
	bool refuse_repeated_message; /* a singular message that comes twice */
	bool refuse_wrong_wire_type;  /* of a known field; else it counts as an unknown one */
	/* A file whose messages take no unknown field: "sluice/v1/filter.proto". NULL: none */
	const char *closed_file;
};

/* check_limits_strict - those of the server: depth 32, 1,024 unknown fields, 4,096 map entries, 65,536
 * items that have to differ, no NUL, no groups, no singular message twice, no field in another's wire
 * type, sluice/v1/filter.proto closed. */
extern const struct check_limits check_limits_strict;
/* check_limits_lenient - those of protovalidate: depth 100, all else off. */
extern const struct check_limits check_limits_lenient;

struct check_options {
	const struct check_limits *limits;
	check_report *report;
	void *context;
	int64_t now_ns;          /* since 1970, for timestamps' lt_now and gt_now; 0: the clock's */
	bool without_quick_look; /* the answers are the same, and take longer: for tests */
};

/* check_message - everything that is wrong with the bytes of a message.
 * message  compiled (schema_compile).
 * arena    for the detail of a failure; nothing else.
 * OK also where violations were reported.
 * Fails: INVALID_ARGUMENT (the bytes are no such message, or pass a limit that ends the walk: groups,
 * depth, unknown fields; the detail says what and at which byte) RESOURCE_EXHAUSTED */
status check_message(const struct schema_message *message, struct bytes bytes,
		     const struct check_options *options, struct arena *arena);

/* check_path_print - "chunks[3].metadata[\"lang\"]" into text, cut at size; gives its whole length. */
size_t check_path_print(const struct check_path *path, char *text, size_t size);

#endif
