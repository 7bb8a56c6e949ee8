/* What annotations compile to: ids, places and operands, of every rule of every type. */
#include "tests/service/schema/opened.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

static struct buffer shown;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	char piece[512];
	va_list args;

	va_start(args, format);
	vsnprintf(piece, sizeof piece, format, args);
	va_end(args);
	buffer_append(&shown, piece, strlen(piece));
}

static void put_text(struct bytes bytes, bool hex)
{
	for (size_t i = 0; i < bytes.size; i++)
		put(hex ? "%02x" : "%c", bytes.data[i]);
}

/* The operand of a value of this type; that of Any and FieldMask is bytes. */
static void put_operand(const struct schema_field *target, const union rule_operand *operand)
{
	const struct schema_message *message = target->message;
	enum schema_type type = target->type;

	if (message && message->well_known == WELL_KNOWN_WRAPPER)
		type = message->fields[0].type;
	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		put("%g", operand->scalar.number);
		break;
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
	case SCHEMA_BOOL:
		put("%" PRIu64, operand->scalar.uint);
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		put_text(operand->scalar.bytes, type == SCHEMA_BYTES);
		break;
	case SCHEMA_MESSAGE:
		if (message->well_known == WELL_KNOWN_DURATION ||
		    message->well_known == WELL_KNOWN_TIMESTAMP)
			put("%" PRId64 ":%d", operand->time.seconds, operand->time.nanos);
		else
			put_text(operand->scalar.bytes,
				 message->well_known != WELL_KNOWN_ANY &&
					 operand->scalar.bytes.data[0] < ' ');
		break;
	default:
		put("%" PRId64, operand->scalar.sint);
		break;
	}
}

static void put_range(const struct schema_field *target, const struct rule *rule)
{
	put("%s", rule->range.outside ? " not between" : "");
	if (rule->range.has_low) {
		put(" %s", rule->range.low_open ? "> " : ">= ");
		put_operand(target, &rule->range.low);
	}
	if (rule->range.has_high) {
		put(" %s", rule->range.high_open ? "< " : "<= ");
		put_operand(target, &rule->range.high);
	}
}

static void put_rule(const struct schema_field *target, const struct rule *rule)
{
	put("%s%s (%s)", shown.size ? "; " : "", rule->id, rule->field->name);
	switch (rule->kind) {
	case RULE_RANGE:
		put_range(target, rule);
		break;
	case RULE_IN:
	case RULE_NOT_IN:
		for (size_t i = 0; i < rule->set.n; i++) {
			put(i ? "," : " ");
			put_operand(target, &rule->set.members[i]);
		}
		break;
	case RULE_CONST:
	case RULE_PREFIX:
	case RULE_SUFFIX:
	case RULE_CONTAINS:
	case RULE_NOT_CONTAINS:
	case RULE_WITHIN:
		put(" ");
		put_operand(target, &rule->operand);
		break;
	case RULE_FORMAT:
		put(" %d%s %s", (int)rule->format.format, rule->format.strict ? " strict" : "",
		    rule->format.empty_id ? rule->format.empty_id : "-");
		break;
	case RULE_PATTERN:
		put(" %s", regex_match(rule->regex, bytes_of_string("abc")) ? "abc" : "not abc");
		break;
	case RULE_FINITE:
	case RULE_DEFINED_ONLY:
	case RULE_UNIQUE:
	case RULE_LT_NOW:
	case RULE_GT_NOW:
		break;
	default:
		put(" %" PRIu64, rule->operand.count);
		break;
	}
}

/* "int32.gt_lt (gt) > 5 < 10": all rules of a field. */
static const char *compiled(struct schema *schema, const char *message, const char *name)
{
	struct schema_field *field = opened_field(schema, message, name);
	const struct field_rules *rules = NULL;

	shown.size = 0;
	opened_must(rules_compile_field(schema, field, opened_detail(), &rules));
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		cr_assert_not_null(rules->rules[i].text);
		put_rule(field, &rules->rules[i]);
	}
	buffer_append_u8(&shown, 0);
	return (const char *)shown.data;
}

Test(rules, of_numbers_have_their_ids_and_bounds)
{
	static const char *const types[][2] = {
		{"Int32", "int32"},       {"Int64", "int64"},     {"UInt32", "uint32"},
		{"UInt64", "uint64"},     {"SInt32", "sint32"},   {"SInt64", "sint64"},
		{"Fixed32", "fixed32"},   {"Fixed64", "fixed64"}, {"SFixed32", "sfixed32"},
		{"SFixed64", "sfixed64"}, {"Float", "float"},     {"Double", "double"},
	};
	static const char *const cases[][2] = {
		{"equal", "const (const) 5"},
		{"one_of", "in (in) 1,5,9"},
		{"none_of", "not_in (not_in) 1,5,9"},
		{"below", "lt (lt) < 10"},
		{"at_most", "lte (lte) <= 10"},
		{"above", "gt (gt) > 10"},
		{"at_least", "gte (gte) >= 10"},
		{"within_open", "gt_lt (gt) > 5 < 10"},
		{"within_low", "gte_lt (gte) >= 5 < 10"},
		{"within_high", "gt_lte (gt) > 5 <= 10"},
		{"within", "gte_lte (gte) >= 5 <= 10"},
		{"outside_open", "gt_lt_exclusive (gt) not between > 10 < 5"},
		{"outside_low", "gte_lt_exclusive (gte) not between >= 10 < 5"},
		{"outside_high", "gt_lte_exclusive (gt) not between > 10 <= 5"},
		{"outside", "gte_lte_exclusive (gte) not between >= 10 <= 5"},
		{"at", "gte_lte (gte) >= 5 <= 5"},
	};
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
			char message[32], expected[128];

			snprintf(message, sizeof message, "cases.%s", types[i][0]);
			snprintf(expected, sizeof expected, "%s.%s", types[i][1], cases[j][1]);
			cr_expect_str_eq(compiled(schema, message, cases[j][0]), expected);
		}
}

struct expected {
	const char *message, *field, *rules;
};

static void expect_all(const struct expected *all, size_t n)
{
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < n; i++) {
		const char *found = compiled(schema, all[i].message, all[i].field);

		cr_expect_str_eq(found, all[i].rules, "%s.%s: %s, expected %s", all[i].message,
				 all[i].field, found, all[i].rules);
	}
}

#define EXPECT_ALL(all) expect_all((all), sizeof(all) / sizeof *(all))

Test(rules, of_strings_and_bytes_have_their_operands)
{
	static const struct expected all[] = {
		{"cases.Float", "finite", "float.finite (finite)"},
		{"cases.Double", "finite", "double.finite (finite)"},
		{"cases.Strings", "equal", "string.const (const) yes"},
		{"cases.Strings", "len", "string.len (len) 3"},
		{"cases.Strings", "min_len", "string.min_len (min_len) 3"},
		{"cases.Strings", "max_len", "string.max_len (max_len) 3"},
		{"cases.Strings", "len_bytes", "string.len_bytes (len_bytes) 4"},
		{"cases.Strings", "min_bytes", "string.min_bytes (min_bytes) 4"},
		{"cases.Strings", "max_bytes", "string.max_bytes (max_bytes) 4"},
		{"cases.Strings", "pattern", "string.pattern (pattern) abc"},
		{"cases.Strings", "prefix", "string.prefix (prefix) pre"},
		{"cases.Strings", "suffix", "string.suffix (suffix) fix"},
		{"cases.Strings", "contains", "string.contains (contains) mid"},
		{"cases.Strings", "not_contains", "string.not_contains (not_contains) mid"},
		{"cases.Strings", "none_of", "string.not_in (not_in) a,b\xC3\xBC"},
		{"cases.Strings", "one_of", "string.in (in) a,b\xC3\xBC,"},
		{"cases.Strings", "both",
		 "string.min_len (min_len) 3; string.prefix (prefix) x; "
		 "string.suffix (suffix) z"},
		{"cases.Bytes", "equal", "bytes.const (const) 00ff"},
		{"cases.Bytes", "len", "bytes.len (len) 3"},
		{"cases.Bytes", "min_len", "bytes.min_len (min_len) 3"},
		{"cases.Bytes", "max_len", "bytes.max_len (max_len) 3"},
		{"cases.Bytes", "pattern", "bytes.pattern (pattern) abc"},
		{"cases.Bytes", "prefix", "bytes.prefix (prefix) ff"},
		{"cases.Bytes", "suffix", "bytes.suffix (suffix) ff"},
		{"cases.Bytes", "contains", "bytes.contains (contains) ff"},
		{"cases.Bytes", "one_of", "bytes.in (in) ff,6162"},
		{"cases.Bytes", "none_of", "bytes.not_in (not_in) ff,6162"},
		{"cases.Enums", "equal", "enum.const (const) 5"},
		{"cases.Enums", "defined", "enum.defined_only (defined_only)"},
		{"cases.Enums", "one_of", "enum.in (in) 1,7"},
		{"cases.Enums", "both", "enum.defined_only (defined_only); enum.not_in (not_in) 0"},
		{"cases.Booleans", "yes", "bool.const (const) 1"},
		{"cases.Booleans", "no", "bool.const (const) 0"},
	};

	EXPECT_ALL(all);
}

Test(rules, of_messages_with_a_meaning_have_their_operands)
{
	static const struct expected all[] = {
		{"cases.Lists", "min", "repeated.min_items (min_items) 2"},
		{"cases.Lists", "max", "repeated.max_items (max_items) 3"},
		{"cases.Unique", "ints", "repeated.unique (unique)"},
		{"cases.Maps", "pairs", "map.max_pairs (max_pairs) 2"},
		{"cases.AtLeast", "pairs", "map.min_pairs (min_pairs) 1"},
		{"cases.Wrapped", "int32", "int32.gt (gt) > 5"},
		{"cases.Wrapped", "string", "string.min_len (min_len) 2"},
		{"cases.Wrapped", "bool", "bool.const (const) 1"},
		{"cases.Wrapped", "uint64", "uint64.in (in) 3"},
		{"cases.Durations", "equal", "duration.const (const) 3:0"},
		{"cases.Durations", "at_least", "duration.gte (gte) >= -1:-500"},
		{"cases.Durations", "within", "duration.gt_lt (gt) > 1:0 < 2:0"},
		{"cases.Durations", "outside",
		 "duration.gte_lte_exclusive (gte) not between >= 2:0 <= 1:0"},
		{"cases.Durations", "one_of", "duration.in (in) 1:0"},
		{"cases.Durations", "none_of", "duration.not_in (not_in) 1:0"},
		{"cases.Timestamps", "equal", "timestamp.const (const) 3:0"},
		{"cases.Timestamps", "above", "timestamp.gt (gt) > 0:1000"},
		{"cases.Timestamps", "within", "timestamp.gte_lt (gte) >= 1:0 < 2:0"},
		{"cases.Timestamps", "past", "timestamp.lt_now (lt_now)"},
		{"cases.Timestamps", "future", "timestamp.gt_now (gt_now)"},
		{"cases.Timestamps", "recent",
		 "timestamp.lt_now (lt_now); timestamp.within (within) 60:0"},
		{"cases.Masks", "equal", "field_mask.const (const) 0a01610a0162"},
		{"cases.Masks", "one_of", "field_mask.in (in) a,b.c"},
		{"cases.Masks", "none_of", "field_mask.not_in (not_in) a,b.c"},
		{"cases.Anys", "one_of", "any.in (in) type.example/a.A,type.example/b.B"},
		{"cases.Anys", "none_of", "any.not_in (not_in) type.example/a.A"},
	};

	EXPECT_ALL(all);
}
