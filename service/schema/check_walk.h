/* check_walk - what the files of the check share: the walk's state, and the steps from one to the next. */
#ifndef SLUICE_SERVICE_SCHEMA_CHECK_WALK_H
#define SLUICE_SERVICE_SCHEMA_CHECK_WALK_H

#include "service/schema/check.h"
#include "service/schema/plan.h"
#include "service/schema/wire.h"

/* Of the whole walk. */
struct checker {
	const struct schema_message *message; /* the outermost */
	const struct check_limits *limits;
	check_report *report;
	void *context;
	struct arena *arena;  /* for the detail of a failure */
	const uint8_t *start; /* of the outermost message: what a byte's number counts from */
	int64_t now_ns;       /* 0: not asked for yet */
	uint32_t n_unknown;
	/* Above 0: what is walked will be overwritten by a later value, or is not to be validated. Its
	 * bytes have to be sound; its values may be anything. */
	unsigned muted;
	unsigned replaced;  /* of those, what will be overwritten: a NUL in it hides nothing */
	size_t quick_bytes; /* above this the quick look was in vain often enough */
	bool stopped;       /* the report wants no more */
	status failure;
};

/* One value on the wire, decoded as its field's type says. */
struct check_value {
	const struct schema_field *field; /* its type; of a map's value, the entry's field 2 */
	union schema_value value;
};

/* --- check.c --- */

/* walk_message - the fields of a message in bytes, at a path.
 * depth  messages around it.
 * False: the walk is over; stopped or failure says why. */
bool walk_message(struct checker *checker, const struct schema_message *message, struct bytes bytes,
		  const struct check_path *path, uint32_t depth);

/* walk_value - a value that stands for itself: its rules, then, of a message, what is in it. */
bool walk_value(struct checker *checker, const struct check_value *value,
		const struct field_rules *rules, const struct check_path *path, uint32_t depth);

/* check_fail - ends the walk with a status; at  the byte to name, NULL: none. Gives false. */
bool check_fail(struct checker *checker, enum status_code code, const struct check_path *path,
		const uint8_t *at, const char *why);

/* check_violation - hands one on. False: the walk is over. */
bool check_violation(struct checker *checker, const struct violation *violation);

/* A value as a message or a path shows it: 64 bytes, each escaped to four. */
#define SHOWN_VALUE_MAX 320

/* --- check_scalar.c: values off the wire --- */

/* scalar_read - the next value of a type; a string's, bytes' or message's is borrowed. Not a group's. */
union schema_value scalar_read(struct wire *wire, enum schema_type type);
bool scalar_is_zero(enum schema_type type, union schema_value value);
/* scalar_compare - below, at or above 0; of numbers, NaN is equal to nothing and gives 2. */
int scalar_compare(enum schema_type type, union schema_value a, union schema_value b);
/* scalar_print - the value as a message shows it, cut at 64 bytes and escaped. */
void scalar_print(const struct check_value *value, char *text, size_t size);

/* --- check_rules.c: a value against its rules --- */

/* rules_hold - reports each rule that a single value (not a list, not a map) breaks. */
bool rules_hold(struct checker *checker, const struct check_value *value,
		const struct field_rules *rules, const struct check_path *path);
/* rules_are_kept - whether there would be nothing to report. */
bool rules_are_kept(struct checker *checker, const struct check_value *value,
		    const struct field_rules *rules);
/* rules_hold_count - those of a list or map that depend on nothing but its length. */
bool rules_hold_count(struct checker *checker, const struct field_rules *rules,
		      const struct check_path *path, uint64_t n);

/* --- check_quick.c: most messages are in order --- */

/* quick_is_sound - whether walk_message would go through without a word. False: it may, all the same.
 * What is looked at in vain counts, so that all looks together cost less than the walk. */
bool quick_is_sound(struct checker *checker, const struct schema_message *message,
		    struct bytes bytes, uint32_t depth);

/* --- check_collections.c: what needs all of a list or map at once --- */

/* unique_holds - RULE_UNIQUE over the n items of a list in a message's bytes. */
bool unique_holds(struct checker *checker, const struct schema_field *field, struct bytes bytes,
		  uint32_t n, const struct check_path *path);
/* map_holds - the entries of a map, later ones before earlier ones of the same key; its pairs' number
 * and each key and value. n: entries on the wire. */
bool map_holds(struct checker *checker, const struct schema_field *field, struct bytes bytes,
	       uint32_t n, const struct check_path *path, uint32_t depth);

#endif
