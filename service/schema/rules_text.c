/* rules_text - what a rule allows, in words, for the message of a violation.
 *
 * Phrases that end "allowed is ": "at least 1", "text beginning with "a"". Made once, when the rule is
 * compiled.
 */
#include "service/schema/rules_private.h"
#include "service/schema/schema_item.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of a long set, and of a long string. */
#define MEMBERS_SHOWN 16
#define BYTES_SHOWN 64

__attribute__((format(printf, 2, 3))) static void put(struct buffer *text, const char *format, ...)
{
	char piece[128];
	va_list args;

	va_start(args, format);
	vsnprintf(piece, sizeof piece, format, args);
	va_end(args);
	buffer_append(text, piece, strlen(piece));
}

void rules_number_print(enum schema_type type, double number, char *text, size_t size)
{
	for (int precision = 6; precision <= 17; precision++) {
		double again;

		snprintf(text, size, "%.*g", precision, number);
		again = strtod(text, NULL);
		if (again == number || (type == SCHEMA_FLOAT && (float)again == (float)number))
			break;
	}
}

static void put_number(struct buffer *text, enum schema_type type, double number)
{
	char digits[RULES_NUMBER_BYTES];

	rules_number_print(type, number, digits, sizeof digits);
	put(text, "%s", digits);
}

/* Where a cut does not part a code point. */
static size_t shown_size(struct bytes string)
{
	size_t n = string.size;

	if (n <= BYTES_SHOWN)
		return n;
	n = BYTES_SHOWN;
	while (n > 0 && (string.data[n] & 0xC0) == 0x80)
		n--;
	return n;
}

static void put_string(struct buffer *text, struct bytes string)
{
	size_t n = shown_size(string);

	put(text, "\"");
	for (size_t i = 0; i < n; i++) {
		uint8_t c = string.data[i];

		if (c == '"' || c == '\\')
			put(text, "\\%c", c);
		else if (c < ' ' || c == 127)
			put(text, "\\x%02X", c);
		else
			buffer_append_u8(text, c);
	}
	put(text, n < string.size ? "...\"" : "\"");
}

static void put_hex(struct buffer *text, struct bytes bytes)
{
	put(text, "0x");
	for (size_t i = 0; i < bytes.size && i < BYTES_SHOWN; i++)
		put(text, "%02x", bytes.data[i]);
	if (bytes.size > BYTES_SHOWN)
		put(text, "...");
}

/* The nanoseconds behind a point, without zeros at the end. */
static void put_nanos(struct buffer *text, int32_t nanos)
{
	char digits[16];
	size_t n;

	if (nanos == 0)
		return;
	n = (size_t)snprintf(digits, sizeof digits, ".%09d", abs(nanos));
	while (digits[n - 1] == '0')
		digits[--n] = '\0';
	put(text, "%s", digits);
}

static void put_duration(struct buffer *text, struct rule_time time)
{
	bool negative = time.seconds < 0 || time.nanos < 0;
	uint64_t seconds = time.seconds < 0 ? 0 - (uint64_t)time.seconds : (uint64_t)time.seconds;

	put(text, "%s%" PRIu64, negative ? "-" : "", seconds);
	put_nanos(text, time.nanos);
	put(text, "s");
}

static void put_timestamp(struct buffer *text, struct rule_time time)
{
	time_t seconds = time.seconds;
	char date[64];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm)) {
		put(text, "%" PRId64 " seconds since 1970", time.seconds);
		return;
	}
	put(text, "%s", date);
	put_nanos(text, time.nanos);
	put(text, "Z");
}

static void put_enum(struct buffer *text, const struct schema_enum *enumeration, int64_t number)
{
	for (size_t i = 0; enumeration && i < enumeration->n_values; i++) {
		if (enumeration->values[i].number != number)
			continue;
		put(text, "%.100s (%" PRId64 ")", enumeration->values[i].name, number);
		return;
	}
	put(text, "%" PRId64, number);
}

/* The paths of a FieldMask as encoded. */
static void put_paths(struct buffer *text, struct bytes mask)
{
	struct wire wire = wire_of(mask);
	struct item item;
	size_t n = 0;

	put(text, "[");
	while (item_next(&wire, &item)) {
		if (!item_is(&item, 1, WIRE_LENGTH) || ++n > MEMBERS_SHOWN)
			continue;
		put(text, n > 1 ? ", " : "");
		put_string(text, item.bytes);
	}
	put(text, n > MEMBERS_SHOWN ? ", ...]" : "]");
}

static void put_message(struct buffer *text, const struct rules_builder *builder,
			const union rule_operand *operand, const struct schema_field *field)
{
	if (field->message && field->message->well_known == WELL_KNOWN_DURATION)
		put_duration(text, operand->time);
	else if (field->message && field->message->well_known == WELL_KNOWN_TIMESTAMP)
		put_timestamp(text, operand->time);
	else if (field->message && builder->target->message->well_known == WELL_KNOWN_FIELD_MASK)
		put_paths(text, operand->scalar.bytes);
	else
		put_string(text, operand->scalar.bytes);
}

static void put_operand(struct buffer *text, const struct rules_builder *builder,
			const union rule_operand *operand, const struct schema_field *field)
{
	switch (builder->type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		put_number(text, builder->type, operand->scalar.number);
		break;
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
		put(text, "%" PRIu64, operand->scalar.uint);
		break;
	case SCHEMA_BOOL:
		put(text, operand->scalar.uint ? "true" : "false");
		break;
	case SCHEMA_ENUM:
		put_enum(text, builder->target->enumeration, operand->scalar.sint);
		break;
	case SCHEMA_STRING:
		put_string(text, operand->scalar.bytes);
		break;
	case SCHEMA_BYTES:
		put_hex(text, operand->scalar.bytes);
		break;
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		put_message(text, builder, operand, field);
		break;
	default:
		put(text, "%" PRId64, operand->scalar.sint);
		break;
	}
}

static void put_set(struct buffer *text, const struct rules_builder *builder,
		    const struct rule *rule)
{
	put(text, "[");
	for (size_t i = 0; i < rule->set.n && i < MEMBERS_SHOWN; i++) {
		put(text, i > 0 ? ", " : "");
		put_operand(text, builder, &rule->set.members[i], rule->field);
	}
	if (rule->set.n > MEMBERS_SHOWN)
		put(text, " and %zu more", rule->set.n - MEMBERS_SHOWN);
	put(text, "]");
}

static void put_range(struct buffer *text, const struct rules_builder *builder,
		      const struct rule *rule)
{
	const char *low = rule->range.low_open ? "greater than " : "at least ";
	const char *high = rule->range.high_open ? "less than " : "at most ";

	if (rule->range.has_low) {
		put(text, "%s", low);
		put_operand(text, builder, &rule->range.low, rule->field);
	}
	if (rule->range.has_low && rule->range.has_high)
		put(text, rule->range.outside ? " or " : " and ");
	if (rule->range.has_high) {
		put(text, "%s", high);
		put_operand(text, builder, &rule->range.high, rule->field);
	}
}

static void put_count(struct buffer *text, const char *how, uint64_t n, const char *what)
{
	put(text, "%s%" PRIu64 " %s%s", how, n, what, n == 1 ? "" : "s");
}

static void put_part(struct buffer *text, const struct rules_builder *builder,
		     const struct rule *rule, const char *how)
{
	put(text, "%s %s ", builder->type == SCHEMA_STRING ? "text" : "bytes", how);
	put_operand(text, builder, &rule->operand, rule->field);
}

/* A pattern is told whole up to here, since it is what one has to keep to. */
static void put_pattern(struct buffer *text, const struct rules_builder *builder,
			const struct rule *rule)
{
	struct bytes pattern = builder->note.fields[rule->field->index].values[0].bytes;

	put(text, "text that matches ");
	if (pattern.size <= 256)
		buffer_append(text, pattern.data, pattern.size);
	else
		put_string(text, pattern);
}

static bool is_mask(const struct rules_builder *builder)
{
	return builder->target->message &&
	       builder->target->message->well_known == WELL_KNOWN_FIELD_MASK;
}

static void put_rule(struct buffer *text, const struct rules_builder *builder,
		     const struct rule *rule)
{
	const char *unit = builder->type == SCHEMA_STRING ? "character" : "byte";

	switch (rule->kind) {
	case RULE_CONST:
		put(text, "exactly ");
		put_operand(text, builder, &rule->operand, rule->field);
		break;
	case RULE_RANGE:
		put_range(text, builder, rule);
		break;
	case RULE_IN:
		put(text, is_mask(builder) ? "only paths of " : "one of ");
		put_set(text, builder, rule);
		break;
	case RULE_NOT_IN:
		put(text, is_mask(builder) ? "no path of " : "none of ");
		put_set(text, builder, rule);
		break;
	case RULE_FINITE:
		put(text, "a finite number");
		break;
	case RULE_DEFINED_ONLY:
		put(text, "a value of %.100s", builder->target->enumeration->full_name);
		break;
	case RULE_LEN:
		put_count(text, "exactly ", rule->operand.count, unit);
		break;
	case RULE_MIN_LEN:
		put_count(text, "at least ", rule->operand.count, unit);
		break;
	case RULE_MAX_LEN:
		put_count(text, "at most ", rule->operand.count, unit);
		break;
	case RULE_LEN_BYTES:
		put_count(text, "exactly ", rule->operand.count, "byte");
		break;
	case RULE_MIN_BYTES:
		put_count(text, "at least ", rule->operand.count, "byte");
		break;
	case RULE_MAX_BYTES:
		put_count(text, "at most ", rule->operand.count, "byte");
		break;
	case RULE_PATTERN:
		put_pattern(text, builder, rule);
		break;
	case RULE_PREFIX:
		put_part(text, builder, rule, "beginning with");
		break;
	case RULE_SUFFIX:
		put_part(text, builder, rule, "ending with");
		break;
	case RULE_CONTAINS:
		put_part(text, builder, rule, "with");
		break;
	case RULE_NOT_CONTAINS:
		put_part(text, builder, rule, "without");
		break;
	case RULE_FORMAT:
		put(text, "%s", format_name(rule->format.format));
		break;
	case RULE_MIN_ITEMS:
		put_count(text, "at least ", rule->operand.count, "item");
		break;
	case RULE_MAX_ITEMS:
		put_count(text, "at most ", rule->operand.count, "item");
		break;
	case RULE_UNIQUE:
		put(text, "items that all differ");
		break;
	case RULE_MIN_PAIRS:
		put_count(text, "at least ", rule->operand.count, "pair");
		break;
	case RULE_MAX_PAIRS:
		put_count(text, "at most ", rule->operand.count, "pair");
		break;
	case RULE_LT_NOW:
		put(text, "a time before now");
		break;
	case RULE_GT_NOW:
		put(text, "a time after now");
		break;
	case RULE_WITHIN:
		put(text, "a time within ");
		put_duration(text, rule->operand.time);
		put(text, " of now");
		break;
	}
}

const char *rules_text(const struct rules_builder *builder, const struct rule *rule)
{
	__attribute__((cleanup(buffer_finish))) struct buffer text = {0};

	put_rule(&text, builder, rule);
	return text.failed ? NULL : arena_copy(builder->context->arena, text.data, text.size);
}
