/* rules - buf.validate annotations as flat tables, compiled from a field's options.
 *
 * A rule that is in the .proto is in the table, or compiling fails with its name: none is ever passed
 * over. The tables say what a value has to be; check.h says when a value is looked at at all.
 * Semantics are those of protovalidate's standard rules (protovalidate.com), CEL apart.
 */
#ifndef SLUICE_SERVICE_SCHEMA_RULES_H
#define SLUICE_SERVICE_SCHEMA_RULES_H

#include "service/schema/format.h"
#include "service/schema/regex.h"
#include "service/schema/schema.h"

enum rule_kind {
	/* numbers, enums, bool, strings, bytes, duration, timestamp */
	RULE_CONST,
	RULE_RANGE, /* one of gt, gte; one of lt, lte; or both */
	RULE_IN,
	RULE_NOT_IN,
	RULE_FINITE,
	RULE_DEFINED_ONLY,
	/* strings (code points and bytes) and bytes */
	RULE_LEN,
	RULE_MIN_LEN,
	RULE_MAX_LEN,
	RULE_LEN_BYTES,
	RULE_MIN_BYTES,
	RULE_MAX_BYTES,
	RULE_PATTERN,
	RULE_PREFIX,
	RULE_SUFFIX,
	RULE_CONTAINS,
	RULE_NOT_CONTAINS,
	RULE_FORMAT,
	/* repeated and map */
	RULE_MIN_ITEMS,
	RULE_MAX_ITEMS,
	RULE_UNIQUE,
	RULE_MIN_PAIRS,
	RULE_MAX_PAIRS,
	/* timestamp */
	RULE_LT_NOW,
	RULE_GT_NOW,
	RULE_WITHIN,
};

enum rule_ignore { IGNORE_UNSPECIFIED = 0, IGNORE_IF_ZERO_VALUE = 1, IGNORE_ALWAYS = 3 };

/* Seconds and nanoseconds of a duration or timestamp. */
struct rule_time {
	int64_t seconds;
	int32_t nanos;
};

union rule_operand {
	union schema_value scalar; /* by the value's type */
	struct rule_time time;
	uint64_t count;
};

struct rule {
	enum rule_kind kind;
	const char *id; /* "string.min_len", "int32.gte_lt"; as protovalidate has it */
	/* The annotation's own field, "gte" of Int32Rules: the end of a rule's path. */
	const struct schema_field *field;
	const char *text;     /* what is allowed, for a message: "at least 1", "one of [1, 2]" */
	struct bytes pattern; /* of RULE_PATTERN: what regex was compiled from */
	union {
		union rule_operand operand; /* const, counts, prefix, suffix, contains, within */
		struct {
			union rule_operand low, high;
			bool has_low, has_high;
			bool low_open, high_open; /* gt, lt: the bound itself is out */
			bool outside; /* high is below low: allowed is what is not between */
		} range;
		struct {
			const union rule_operand *members; /* as declared */
			size_t n;
		} set; /* in, not_in; field_mask and any: scalar.bytes */
		const struct regex *regex;
		struct {
			enum format format;
			bool strict; /* header values and names: strict is the default */
			const char *
				empty_id; /* "string.email_empty" where an empty string has an id of
						 its own; NULL: it has none */
		} format;
	};
};

/* The rules of one kind of value: of a field, or of a list's items, a map's keys or values. */
struct field_rules {
	bool required;
	enum rule_ignore ignore;
	const struct schema_field *required_field; /* "required" of FieldRules: its path */
	/* "string", "repeated", ... of FieldRules; NULL: no typed rules */
	const struct schema_field *type_field;
	const struct rule *rules;
	size_t n_rules;
	const struct field_rules *items, *keys, *values; /* NULL: none */
	/* Where these rules stand: those of the list or map, and "items", "keys" or "values" of
	 * RepeatedRules or MapRules. NULL: of the field itself. A rule's whole path is
	 * [outer's type_field, place,] type_field, rule.field. */
	const struct field_rules *outer;
	const struct schema_field *place;
	/* The hot case: items are floats or doubles and have to be finite, nothing else. */
	bool only_finite;
};

/* (buf.validate.message).oneof: at most one of these, exactly one if required. */
struct message_oneof {
	const struct schema_field **fields;
	size_t n_fields;
	bool required;
	const char *names; /* "gt, gte" */
};

struct message_rules {
	const struct message_oneof *oneofs;
	size_t n_oneofs;
};

/* rules_compile_field - the rules of one field from its options.
 * rules_schema  where buf.validate.FieldRules is declared: the field's own schema.
 * ret  NULL where it has none; in the schema's arena.
 * Fails: as schema_compile */
status rules_compile_field(struct schema *schema, const struct schema_field *field,
			   struct arena *arena, const struct field_rules **ret);

status rules_compile_message(struct schema *schema, const struct schema_message *message,
			     struct arena *arena, const struct message_rules **ret);

#define RULES_NUMBER_BYTES 40

/* rules_number_print - the shortest digits that read back as the same number of its type: how a message
 * says one, found or allowed. */
void rules_number_print(enum schema_type type, double number, char *text, size_t size);

#endif
