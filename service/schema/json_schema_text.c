/* json_schema_text - strings: lengths, patterns and formats. */
#include "service/schema/json_schema_maker.h"

#include <stdio.h>

static json_t *string_schema(struct json_maker *maker)
{
	json_t *schema = json_object();

	json_put(maker, schema, "type", json_text(maker, "string"));
	return schema;
}

static void pattern_put(struct json_maker *maker, json_t *schema, const char *pattern)
{
	json_also(maker, schema, "pattern", json_text(maker, pattern));
}

/* --- lengths --- */

/* The bounds that all rules of lengths come to: in code points, and in bytes for the notes. */
struct lengths {
	uint64_t min_points, max_points, min_bytes, max_bytes; /* max 0: none */
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a && a < b ? a : b;
}

static struct lengths lengths_of(const struct field_rules *rules)
{
	struct lengths ret = {0};

	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		uint64_t n = rule->operand.count;

		switch (rule->kind) {
		case RULE_LEN:
			ret.min_points = n;
			ret.max_points = least(ret.max_points, n);
			break;
		case RULE_MIN_LEN:
			ret.min_points = n > ret.min_points ? n : ret.min_points;
			break;
		case RULE_MAX_LEN:
			ret.max_points = least(ret.max_points, n);
			break;
		case RULE_LEN_BYTES:
			ret.min_bytes = n;
			ret.max_bytes = least(ret.max_bytes, n);
			break;
		case RULE_MIN_BYTES:
			ret.min_bytes = n > ret.min_bytes ? n : ret.min_bytes;
			break;
		case RULE_MAX_BYTES:
			ret.max_bytes = least(ret.max_bytes, n);
			break;
		default:
			break;
		}
	}
	return ret;
}

static void bounds_note(struct json_notes *notes, uint64_t low, uint64_t high, const char *unit)
{
	if (low && low == high)
		json_note(notes, "Exactly %llu %s.", (unsigned long long)low, unit);
	else if (low && high)
		json_note(notes, "%llu to %llu %s.", (unsigned long long)low,
			  (unsigned long long)high, unit);
	else if (low)
		json_note(notes, "At least %llu %s.", (unsigned long long)low, unit);
	else if (high)
		json_note(notes, "At most %llu %s.", (unsigned long long)high, unit);
}

static void lengths_put(struct json_maker *maker, const struct field_rules *rules, json_t *schema,
			struct json_notes *notes)
{
	struct lengths lengths = lengths_of(rules);
	uint64_t min = lengths.min_points, max = lengths.max_points;

	if (!maker->traits->lengths) {
		if (lengths.max_bytes && !max)
			bounds_note(notes, min ? min : lengths.min_bytes, lengths.max_bytes,
				    "bytes of UTF-8");
		else
			bounds_note(notes, min, max, "characters");
		return;
	}
	/* A code point has one byte at least and four at most. */
	if (lengths.min_bytes)
		min = min > (lengths.min_bytes + 3) / 4 ? min : (lengths.min_bytes + 3) / 4;
	if (lengths.max_bytes)
		max = least(max, lengths.max_bytes);
	if (rules && rules->required && !min)
		min = 1;
	if (min)
		json_put(maker, schema, "minLength", json_integer((json_int_t)min));
	if (max)
		json_put(maker, schema, "maxLength", json_integer((json_int_t)max));
	if (lengths.max_bytes || lengths.min_bytes > 1)
		bounds_note(notes, lengths.min_bytes, lengths.max_bytes, "bytes of UTF-8");
}

/* --- formats --- */

/* What a format is in JSON Schema: a format of its own, a pattern, or neither. */
static const struct text_format {
	const char *format, *pattern;
} formats[] = {
	[FORMAT_EMAIL] = {"email", NULL},
	[FORMAT_HOSTNAME] = {"hostname", NULL},
	[FORMAT_IPV4] = {"ipv4", NULL},
	[FORMAT_URI] = {"uri", NULL},
	[FORMAT_URI_REF] = {"uri-reference", NULL},
	[FORMAT_UUID] = {"uuid",
			 "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]"
			 "{12}$"},
	[FORMAT_TUUID] = {NULL, "^[0-9A-Fa-f]{32}$"},
	[FORMAT_ULID] = {NULL, "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"},
	[FORMAT_PROTOBUF_FQN] = {NULL, "^[A-Za-z_][A-Za-z_0-9]*(?:\\.[A-Za-z_][A-Za-z_0-9]*)*$"},
	[FORMAT_PROTOBUF_DOT_FQN] = {NULL,
				     "^\\.[A-Za-z_][A-Za-z_0-9]*(?:\\.[A-Za-z_][A-Za-z_0-9]*)*$"},
	[FORMAT_HTTP_HEADER_NAME] = {NULL, "^:?[0-9A-Za-z!#$%&'*+.^_|~`-]+$"},
	[FORMAT_HTTP_HEADER_VALUE] = {NULL, "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$"},
	[FORMAT_BYTES_UUID] = {NULL, NULL},
};

/* The formats that strict modes take. */
static bool is_plain_format(const char *format)
{
	static const char *const plain[] = {"email", "hostname", "ipv4", "uuid"};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strcmp(plain[i], format) == 0)
			return true;
	return false;
}

static void format_put(struct json_maker *maker, const struct rule *rule, json_t *schema,
		       struct json_notes *notes)
{
	struct text_format form = formats[rule->format.format];
	bool header = rule->format.format == FORMAT_HTTP_HEADER_NAME ||
		      rule->format.format == FORMAT_HTTP_HEADER_VALUE;

	if (header && !rule->format.strict)
		form.pattern = rule->format.format == FORMAT_HTTP_HEADER_NAME
				       ? "^[^\\x00\\x0a\\x0d]+$"
				       : "^[^\\x00\\x0a\\x0d]*$";
	if (form.format && (maker->traits->compose || is_plain_format(form.format)))
		json_put(maker, schema, "format", json_text(maker, form.format));
	else if (form.pattern && maker->traits->patterns)
		pattern_put(maker, schema, form.pattern);
	else
		json_note(notes, "Has to be %s.", format_name(rule->format.format));
	if (form.format && form.pattern && maker->traits->compose)
		pattern_put(maker, schema, form.pattern);
}

/* --- the rest --- */

static void affix_put(struct json_maker *maker, const struct rule *rule, json_t *schema,
		      struct json_notes *notes)
{
	struct bytes text = rule->operand.scalar.bytes;
	const char *escaped = json_escape(maker->arena, text), *pattern;
	json_t * not;

	if (!escaped) {
		maker->failed = true;
		return;
	}
	if (!maker->traits->patterns ||
	    (rule->kind == RULE_NOT_CONTAINS && !maker->traits->compose)) {
		json_note(notes, "%s \"%.*s\".",
			  rule->kind == RULE_PREFIX     ? "Begins with"
			  : rule->kind == RULE_SUFFIX   ? "Ends with"
			  : rule->kind == RULE_CONTAINS ? "Contains"
							: "Does not contain",
			  (int)text.size, (const char *)text.data);
		return;
	}
	pattern = arena_printf(maker->arena, "%s%s%s", rule->kind == RULE_PREFIX ? "^" : "",
			       escaped, rule->kind == RULE_SUFFIX ? "$" : "");
	if (rule->kind != RULE_NOT_CONTAINS) {
		pattern_put(maker, schema, pattern);
		return;
	}
	not = json_object();
	json_put(maker, not, "pattern", json_text(maker, pattern));
	json_also(maker, schema, "not", not);
}

static void regex_put(struct json_maker *maker, const struct rule *rule, json_t *schema,
		      struct json_notes *notes)
{
	const char *pattern = json_pattern(maker->arena, rule->pattern);

	if (pattern && maker->traits->patterns)
		pattern_put(maker, schema, pattern);
	else
		json_note(notes, "Matches the regular expression \"%.*s\".",
			  (int)rule->pattern.size, (const char *)rule->pattern.data);
}

static json_t *strings_of(struct json_maker *maker, const struct rule *rule)
{
	json_t *list = json_array();
	const union rule_operand *members = &rule->operand;
	size_t n = 1;

	if (rule->kind != RULE_CONST) {
		members = rule->set.members;
		n = rule->set.n;
	}
	for (size_t i = 0; i < n; i++)
		json_add(maker, list,
			 json_stringn((const char *)members[i].scalar.bytes.data,
				      members[i].scalar.bytes.size));
	return list;
}

static bool bytes_have(struct bytes text, const char *part)
{
	return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* Whether a rule lets no NUL pass: a pattern from end to end, of nothing that means many characters.
 * False where it is not so plain. */
static bool excludes_nul(const struct field_rules *rules)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		struct bytes text = rule->pattern;

		if (rule->kind == RULE_FORMAT && formats[rule->format.format].pattern)
			return true;
		if (rule->kind == RULE_PATTERN && text.size > 1 && text.data[0] == '^' &&
		    text.data[text.size - 1] == '$' && !bytes_have(text, ".") &&
		    !bytes_have(text, "[^") && !bytes_have(text, "\\") && !bytes_have(text, "|"))
			return true;
	}
	return false;
}

json_t *json_string_schema(struct json_maker *maker, const struct field_rules *rules,
			   struct json_notes *notes)
{
	json_t *schema = string_schema(maker);

	lengths_put(maker, rules, schema, notes);
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		switch (rule->kind) {
		case RULE_PATTERN:
			regex_put(maker, rule, schema, notes);
			break;
		case RULE_PREFIX:
		case RULE_SUFFIX:
		case RULE_CONTAINS:
		case RULE_NOT_CONTAINS:
			affix_put(maker, rule, schema, notes);
			break;
		case RULE_FORMAT:
			format_put(maker, rule, schema, notes);
			break;
		case RULE_CONST:
		case RULE_IN:
		case RULE_NOT_IN:
			json_members_put(maker, rule, strings_of(maker, rule), schema, notes);
			break;
		default:
			break;
		}
	}
	/* The checker refuses a NUL in any string. */
	if (maker->traits->wide && !json_object_get(schema, "enum") && !excludes_nul(rules))
		pattern_put(maker, schema, "^[^\\x00]*$");
	return schema;
}
