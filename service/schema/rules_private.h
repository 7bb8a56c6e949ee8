/* rules_private - what the files that compile annotations share.
 *
 * An annotation is read by its own descriptor, out of the same set, into a struct note: values by field.
 * From there on rules are known by name, so that a set with a newer or an older buf.validate is read as
 * far as its rules are known, and refused where they are not.
 */
#ifndef SLUICE_SERVICE_SCHEMA_RULES_PRIVATE_H
#define SLUICE_SERVICE_SCHEMA_RULES_PRIVATE_H

#include "service/schema/rules.h"

/* The extension that buf.validate has of each kind of options. */
#define VALIDATE_EXTENSION 1159
/* Of a rules message: where predefined rules, which are CEL, begin. */
#define PREDEFINED_MIN 1000

/* Whose annotation it is, for the detail of a failure. */
struct rules_context {
	struct schema *schema;
	struct arena *arena;  /* the schema's: what is compiled */
	struct arena *detail; /* the caller's */
	const struct schema_message *message;
	const char *name;  /* of the field or oneof; "" for the message's own */
	const char *place; /* "repeated.items." or the like, in front of a rule; "" */
};

struct note_field {
	union schema_value *values;
	size_t n; /* 0: not given */
};

struct note {
	const struct schema_message *message;
	struct note_field *fields; /* [message->n_fields] */
};

/* One typed rules message being compiled. */
struct rules_builder {
	struct rules_context *context;
	struct note note;
	const struct schema_field *type_field; /* "string" of FieldRules */
	const struct schema_field *target;     /* whose values they are about */
	bool of_items;                         /* of a list's items, not of the list */
	enum schema_type type;                 /* of a value, a wrapper's own looked through */
	struct field_rules *rules;             /* being made */
	struct rule *all;                      /* [note.message->n_fields] */
	size_t n;
};

extern const status rules_no_memory;

/* rules_wrong - "file: message.field: rule: what", with INVALID_ARGUMENT. */
status rules_wrong(const struct rules_context *context, const char *rule, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* rules_cel - the same with UNIMPLEMENTED, of a rule that is CEL. */
status rules_cel(const struct rules_context *context, const char *rule);

/* note_read - the bytes of an annotation. rule  its name so far, "string"; for a failure. */
status note_read(struct rules_context *context, const struct schema_message *message,
		 struct bytes bytes, const char *rule, struct note *ret);
/* note_take - the field of this name; NULL in ret: it is not given, or the message has none.
 * Fails: INVALID_ARGUMENT (the set declares it with another type) */
status note_take(struct rules_context *context, const struct note *note, const char *name,
		 enum schema_type type, const struct note_field **ret);
/* note_flag - of a bool, false where it is not given. Fails as note_take. */
status note_flag(struct rules_context *context, const struct note *note, const char *name,
		 bool *ret);
/* note_only - INVALID_ARGUMENT where a field is given that is not among names, NULL the last. */
status note_only(struct rules_context *context, const struct note *note, const char *const *names);
/* note_option - the extension of buf.validate in options, as a message. Empty: not there. */
status note_option(struct rules_context *context, struct bytes options, struct bytes *ret);
/* note_message - a message of buf.validate. Fails: INVALID_ARGUMENT (the set lacks it) */
status note_message(struct rules_context *context, const char *name,
		    const struct schema_message **ret);

/* rules_compile_values - a FieldRules message. of_items: about the items of a repeated field.
 * outer, place  as in struct field_rules. */
struct rules_target {
	const struct schema_field *field;
	bool of_items;
	const struct field_rules *outer;
	const struct schema_field *place;
};
status rules_compile_values(struct rules_context *context, struct bytes bytes,
			    const struct rules_target *target, struct field_rules **ret);

status rules_compile_oneofs(struct schema *schema, struct schema_message *message,
			    struct arena *detail);

/* The rules messages by kind; each compiles all that is given in builder->note. */
status rules_build_numbers(struct rules_builder *builder);
status rules_build_strings(struct rules_builder *builder);
status rules_build_lists(struct rules_builder *builder);

/* rule_add - a rule of the note's field i, its id "string.min_len"; what it holds is to come. */
status rule_add(struct rules_builder *builder, enum rule_kind kind, size_t i, struct rule **ret);
/* rule_name - "string.pattern", for a failure. */
const char *rule_name(const struct rules_builder *builder, size_t i);
/* rule_type_check - INVALID_ARGUMENT unless the set declares the note's field i with this type. */
status rule_type_check(const struct rules_builder *builder, size_t i, enum schema_type type);
/* rule_operand - value j of the note's field i, as rules compare it. */
status rule_operand(const struct rules_builder *builder, size_t i, size_t j,
		    union rule_operand *ret);
/* rule_add_value - const and what else has one operand of the value's type, rule_add_set - in and
 * not_in, rule_add_count - a length or a count, rule_add_flag - nothing where the flag is false. */
status rule_add_value(struct rules_builder *builder, enum rule_kind kind, size_t i);
status rule_add_set(struct rules_builder *builder, enum rule_kind kind, size_t i);
status rule_add_count(struct rules_builder *builder, enum rule_kind kind, size_t i);
status rule_add_flag(struct rules_builder *builder, enum rule_kind kind, size_t i);

/* rules_text - what a rule allows, in words. NULL: no memory. */
const char *rules_text(const struct rules_builder *builder, const struct rule *rule);

#endif
