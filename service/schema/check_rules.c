/* check_rules - one value against the rules of its field.
 *
 * A message of a well-known type is a value of its own kind to its rules: a wrapper is what it wraps, a
 * duration and a timestamp a time, a field mask the set of its paths, an Any its type's URL. It is taken
 * out of its bytes here; that the bytes are sound is checked where the message itself is walked.
 */
#include "service/schema/check_walk.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define MESSAGE_MAX 768

/* A value in the form that its rules compare. */
struct subject {
	struct check_value value; /* a wrapper: what it wraps */
	enum { SUBJECT_SCALAR, SUBJECT_TIME, SUBJECT_PATHS, SUBJECT_URL } kind;
	struct rule_time time;
	struct bytes mask; /* SUBJECT_PATHS: the bytes of a FieldMask */
	struct bytes url;
};

/* --- well-known types --- */

/* The next tag of the message itself, not of a group within; its value is next. False at the end. */
static bool tag_next(struct wire *wire, struct wire_tag *ret)
{
	uint32_t n_groups = 0;

	while (wire_more(wire)) {
		struct wire_tag tag = wire_tag(wire);

		if (tag.type == WIRE_GROUP) {
			n_groups++;
		} else if (tag.type == WIRE_GROUP_END) {
			n_groups -= n_groups > 0;
		} else if (n_groups > 0) {
			wire_pass(wire, tag.type);
		} else {
			*ret = tag;
			return !wire->failed;
		}
	}
	return false;
}

static struct rule_time time_read(struct bytes message)
{
	struct wire wire = wire_of(message);
	struct rule_time time = {0};
	struct wire_tag tag;

	while (tag_next(&wire, &tag)) {
		if (tag.type == WIRE_VARINT && tag.number == 1)
			time.seconds = (int64_t)wire_varint(&wire);
		else if (tag.type == WIRE_VARINT && tag.number == 2)
			time.nanos = (int32_t)(uint32_t)wire_varint(&wire);
		else
			wire_pass(&wire, tag.type);
	}
	return time;
}

/* The next string of field 1; false at the end. */
static bool string_next(struct wire *wire, struct bytes *ret)
{
	struct wire_tag tag;

	while (tag_next(wire, &tag)) {
		if (tag.type == WIRE_LENGTH && tag.number == 1) {
			*ret = wire_length_delimited(wire);
			return !wire->failed;
		}
		wire_pass(wire, tag.type);
	}
	return false;
}

static struct check_value wrapped(const struct check_value *value)
{
	struct check_value inner = {&value->field->message->fields[0], {0}};
	struct wire wire = wire_of(value->value.bytes);
	struct wire_tag tag;

	while (tag_next(&wire, &tag)) {
		if (tag.number == 1 && tag.type == scalar_wire_type(inner.field->type))
			inner.value = scalar_read(&wire, inner.field->type);
		else
			wire_pass(&wire, tag.type);
	}
	return inner;
}

/* What is not of the subject's kind is left as it is: most values are scalars. */
static void subject_init(struct subject *subject, const struct check_value *value)
{
	struct bytes message = value->value.bytes;
	struct wire wire;

	subject->value = *value;
	subject->kind = SUBJECT_SCALAR;
	if (value->field->type != SCHEMA_MESSAGE)
		return;
	switch (value->field->message->well_known) {
	case WELL_KNOWN_WRAPPER:
		subject->value = wrapped(value);
		break;
	case WELL_KNOWN_DURATION:
	case WELL_KNOWN_TIMESTAMP:
		subject->kind = SUBJECT_TIME;
		subject->time = time_read(message);
		break;
	case WELL_KNOWN_FIELD_MASK:
		subject->kind = SUBJECT_PATHS;
		subject->mask = message;
		break;
	case WELL_KNOWN_ANY:
		subject->kind = SUBJECT_URL;
		/* The last of a URL that comes twice; empty where there is none. */
		subject->url = (struct bytes){NULL, 0};
		wire = wire_of(message);
		while (string_next(&wire, &subject->url))
			;
		break;
	default:
		break;
	}
}

/* --- comparing --- */

static int time_compare(struct rule_time a, struct rule_time b)
{
	if (a.seconds != b.seconds)
		return a.seconds < b.seconds ? -1 : 1;
	return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}

static struct rule_time time_add(struct rule_time a, struct rule_time b, int sign)
{
	struct rule_time sum = {a.seconds + sign * b.seconds, a.nanos + sign * b.nanos};

	if (sum.nanos >= 1000000000) {
		sum.nanos -= 1000000000;
		sum.seconds++;
	} else if (sum.nanos < 0) {
		sum.nanos += 1000000000;
		sum.seconds--;
	}
	return sum;
}

/* Below, at or above 0, or 2: not comparable, as NaN is with everything. */
static int subject_compare(const struct subject *subject, const union rule_operand *operand)
{
	switch (subject->kind) {
	case SUBJECT_TIME:
		return time_compare(subject->time, operand->time);
	case SUBJECT_URL:
		return bytes_compare(subject->url, operand->scalar.bytes);
	default:
		return scalar_compare(subject->value.field->type, subject->value.value,
				      operand->scalar);
	}
}

static bool range_holds(const struct rule *rule, const struct subject *subject)
{
	bool above = true, below = true;

	if (rule->range.has_low) {
		int order = subject_compare(subject, &rule->range.low);

		if (order == 2)
			return false;
		above = rule->range.low_open ? order > 0 : order >= 0;
	}
	if (rule->range.has_high) {
		int order = subject_compare(subject, &rule->range.high);

		if (order == 2)
			return false;
		below = rule->range.high_open ? order < 0 : order <= 0;
	}
	return rule->range.outside ? above || below : above && below;
}

/* "a" takes in "a.b". */
static bool path_is_within(struct bytes path, struct bytes prefix)
{
	return path.size >= prefix.size && memcmp(path.data, prefix.data, prefix.size) == 0 &&
	       (path.size == prefix.size || path.data[prefix.size] == '.');
}

/* The first path of a mask that a set does not allow; false where all are allowed. */
static bool path_refused(const struct rule *rule, struct bytes mask, struct bytes *ret)
{
	struct wire wire = wire_of(mask);

	while (string_next(&wire, ret)) {
		bool found = false;

		for (size_t i = 0; i < rule->set.n && !found; i++)
			found = path_is_within(*ret, rule->set.members[i].scalar.bytes);
		if (found != (rule->kind == RULE_IN))
			return true;
	}
	return false;
}

static bool set_holds(const struct rule *rule, const struct subject *subject)
{
	bool found = false;
	struct bytes refused;

	if (subject->kind == SUBJECT_PATHS)
		return !path_refused(rule, subject->mask, &refused);
	for (size_t i = 0; i < rule->set.n && !found; i++)
		found = subject_compare(subject, &rule->set.members[i]) == 0;
	return found == (rule->kind == RULE_IN);
}

/* A FieldMask's operand is the mask's bytes: the same paths in the same order. */
static bool mask_equals(struct bytes mask, struct bytes wanted)
{
	struct wire left = wire_of(mask), right = wire_of(wanted);
	struct bytes a, b;

	for (;;) {
		bool more = string_next(&left, &a);

		if (more != string_next(&right, &b))
			return false;
		if (!more)
			return true;
		if (!bytes_equal(a, b))
			return false;
	}
}

static uint64_t code_points(struct bytes text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += (text.data[i] & 0xC0) != 0x80;
	return n;
}

static uint64_t length_of(const struct subject *subject)
{
	struct bytes bytes = subject->value.value.bytes;

	return subject->value.field->type == SCHEMA_STRING ? code_points(bytes) : bytes.size;
}

static bool contains(struct bytes text, struct bytes wanted)
{
	if (wanted.size == 0)
		return true;
	return text.size > 0 && memmem(text.data, text.size, wanted.data, wanted.size) != NULL;
}

static bool starts(struct bytes text, struct bytes prefix)
{
	return prefix.size == 0 ||
	       (text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0);
}

static bool ends(struct bytes text, struct bytes suffix)
{
	return suffix.size == 0 ||
	       (text.size >= suffix.size &&
		memcmp(text.data + text.size - suffix.size, suffix.data, suffix.size) == 0);
}

/* Asked for once a walk, and only by those who need it. */
static int64_t now_of(struct checker *checker)
{
	struct timespec now;

	if (checker->now_ns == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		checker->now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	}
	return checker->now_ns;
}

static bool within_now(const struct rule *rule, struct rule_time time, int64_t now_ns)
{
	struct rule_time now = {now_ns / 1000000000, (int32_t)(now_ns % 1000000000)};
	struct rule_time span = rule->operand.time;

	if (rule->kind == RULE_LT_NOW)
		return time_compare(time, now) <= 0;
	if (rule->kind == RULE_GT_NOW)
		return time_compare(time, now) >= 0;
	return time_compare(time, time_add(now, span, -1)) >= 0 &&
	       time_compare(time, time_add(now, span, 1)) <= 0;
}

static bool text_holds(const struct rule *rule, const struct subject *subject)
{
	struct bytes text = subject->value.value.bytes, operand = rule->operand.scalar.bytes;

	switch (rule->kind) {
	case RULE_LEN:
		return length_of(subject) == rule->operand.count;
	case RULE_MIN_LEN:
		return length_of(subject) >= rule->operand.count;
	case RULE_MAX_LEN:
		return text.size <= rule->operand.count ||
		       length_of(subject) <= rule->operand.count;
	case RULE_LEN_BYTES:
		return text.size == rule->operand.count;
	case RULE_MIN_BYTES:
		return text.size >= rule->operand.count;
	case RULE_MAX_BYTES:
		return text.size <= rule->operand.count;
	case RULE_PATTERN:
		return regex_match(rule->regex, text);
	case RULE_PREFIX:
		return starts(text, operand);
	case RULE_SUFFIX:
		return ends(text, operand);
	case RULE_CONTAINS:
		return contains(text, operand);
	case RULE_NOT_CONTAINS:
		return !contains(text, operand);
	default: /* RULE_FORMAT */
		return format_matches(rule->format.format, text, rule->format.strict);
	}
}

static bool holds(struct checker *checker, const struct rule *rule, const struct subject *subject)
{
	switch (rule->kind) {
	case RULE_CONST:
		if (subject->kind == SUBJECT_PATHS)
			return mask_equals(subject->mask, rule->operand.scalar.bytes);
		return subject_compare(subject, &rule->operand) == 0;
	case RULE_RANGE:
		return range_holds(rule, subject);
	case RULE_IN:
	case RULE_NOT_IN:
		return set_holds(rule, subject);
	case RULE_FINITE:
		return isfinite(subject->value.value.number);
	case RULE_DEFINED_ONLY:
		return schema_enum_has(subject->value.field->enumeration,
				       (int32_t)subject->value.value.sint);
	case RULE_LT_NOW:
	case RULE_GT_NOW:
	case RULE_WITHIN:
		return within_now(rule, subject->time, now_of(checker));
	case RULE_MIN_ITEMS:
	case RULE_MAX_ITEMS:
	case RULE_UNIQUE:
	case RULE_MIN_PAIRS:
	case RULE_MAX_PAIRS:
		return true; /* of a whole list or map */
	default:
		return text_holds(rule, subject);
	}
}

/* --- what is said --- */

/* A string within a well-known message, whose first field is one. */
static void string_print(const struct subject *subject, struct bytes string, char *text,
			 size_t size)
{
	const struct check_value value = {&subject->value.field->message->fields[0],
					  {.bytes = string}};

	scalar_print(&value, text, size);
}

/* What was found: the value itself, or where a rule is about a length, the length. */
static void found_print(const struct rule *rule, const struct subject *subject, char *text,
			size_t size)
{
	struct bytes string;

	switch (rule->kind) {
	case RULE_LEN:
	case RULE_MIN_LEN:
	case RULE_MAX_LEN:
		snprintf(text, size, "%" PRIu64, length_of(subject));
		return;
	case RULE_LEN_BYTES:
	case RULE_MIN_BYTES:
	case RULE_MAX_BYTES:
		snprintf(text, size, "%zu", subject->value.value.bytes.size);
		return;
	default:
		break;
	}
	switch (subject->kind) {
	case SUBJECT_TIME:
		snprintf(text, size, "%" PRId64 ".%09" PRId32 " s", subject->time.seconds,
			 subject->time.nanos);
		return;
	case SUBJECT_PATHS:
		if (rule->kind != RULE_CONST && path_refused(rule, subject->mask, &string))
			string_print(subject, string, text, size);
		else
			snprintf(text, size, "other paths");
		return;
	case SUBJECT_URL:
		string_print(subject, subject->url, text, size);
		return;
	default:
		scalar_print(&subject->value, text, size);
	}
}

static bool rule_broken(struct checker *checker, const struct rule *rule,
			const struct field_rules *rules, const struct subject *subject,
			const struct check_path *path)
{
	char message[MESSAGE_MAX], found[SHOWN_VALUE_MAX];
	struct violation violation = {
		.path = path,
		.rule_id = rule->id,
		.rules = rules,
		.rule = rule,
		.message = message,
	};

	if (rule->kind == RULE_FORMAT && rule->format.empty_id &&
	    subject->value.value.bytes.size == 0)
		violation.rule_id = rule->format.empty_id;
	found_print(rule, subject, found, sizeof found);
	snprintf(message, sizeof message, "found %s, allowed is %s", found, rule->text);
	return check_violation(checker, &violation);
}

/* A pattern is one of text: what bytes that are none have to match is undefined. */
static bool is_undefined(const struct rule *rule, const struct check_value *value)
{
	return rule->kind == RULE_PATTERN && value->field->type == SCHEMA_BYTES &&
	       !bytes_is_utf8(value->value.bytes);
}

bool rules_hold(struct checker *checker, const struct check_value *value,
		const struct field_rules *rules, const struct check_path *path)
{
	struct subject subject;

	subject_init(&subject, value);
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		if (is_undefined(rule, value))
			return check_fail(checker, STATUS_INVALID_ARGUMENT, path, NULL,
					  "must be UTF-8 to match a pattern");
		if (!holds(checker, rule, &subject) &&
		    !rule_broken(checker, rule, rules, &subject, path))
			return false;
	}
	return true;
}

bool rules_are_kept(struct checker *checker, const struct check_value *value,
		    const struct field_rules *rules)
{
	struct subject subject;

	subject_init(&subject, value);
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		if (is_undefined(rule, value) || !holds(checker, rule, &subject))
			return false;
	}
	return true;
}

bool rules_hold_count(struct checker *checker, const struct field_rules *rules,
		      const struct check_path *path, uint64_t n)
{
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		bool few = rule->kind == RULE_MIN_ITEMS || rule->kind == RULE_MIN_PAIRS;
		bool many = rule->kind == RULE_MAX_ITEMS || rule->kind == RULE_MAX_PAIRS;
		char message[MESSAGE_MAX];
		const struct violation violation = {
			.path = path,
			.rule_id = rule->id,
			.rules = rules,
			.rule = rule,
			.message = message,
		};

		if (!(few && n < rule->operand.count) && !(many && n > rule->operand.count))
			continue;
		snprintf(message, sizeof message, "found %" PRIu64 ", allowed is %s", n,
			 rule->text);
		if (!check_violation(checker, &violation))
			return false;
	}
	return true;
}
