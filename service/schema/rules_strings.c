/* rules_strings - rules of strings and bytes: lengths, parts, patterns and well-known formats. */
#include "service/schema/rules_private.h"
#include "service/schema/schema_private.h"

enum operand { OPERAND_VALUE, OPERAND_SET, OPERAND_COUNT, OPERAND_PATTERN, OPERAND_FORMAT };

/* A rule that strings have, bytes have, or both. empty  an empty value breaks it under another id. */
struct word {
	const char *name;
	enum operand operand;
	enum rule_kind kind;
	enum format format;
	bool empty;
};

/* Of strings and bytes alike. */
static const struct word words[] = {
	{"const", OPERAND_VALUE, RULE_CONST, 0, false},
	{"len", OPERAND_COUNT, RULE_LEN, 0, false},
	{"min_len", OPERAND_COUNT, RULE_MIN_LEN, 0, false},
	{"max_len", OPERAND_COUNT, RULE_MAX_LEN, 0, false},
	{"len_bytes", OPERAND_COUNT, RULE_LEN_BYTES, 0, false},
	{"min_bytes", OPERAND_COUNT, RULE_MIN_BYTES, 0, false},
	{"max_bytes", OPERAND_COUNT, RULE_MAX_BYTES, 0, false},
	{"pattern", OPERAND_PATTERN, RULE_PATTERN, 0, false},
	{"prefix", OPERAND_VALUE, RULE_PREFIX, 0, false},
	{"suffix", OPERAND_VALUE, RULE_SUFFIX, 0, false},
	{"contains", OPERAND_VALUE, RULE_CONTAINS, 0, false},
	{"not_contains", OPERAND_VALUE, RULE_NOT_CONTAINS, 0, false},
	{"in", OPERAND_SET, RULE_IN, 0, false},
	{"not_in", OPERAND_SET, RULE_NOT_IN, 0, false},
};

static const struct word string_formats[] = {
	{"email", OPERAND_FORMAT, RULE_FORMAT, FORMAT_EMAIL, true},
	{"hostname", OPERAND_FORMAT, RULE_FORMAT, FORMAT_HOSTNAME, true},
	{"ip", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IP, true},
	{"ipv4", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IPV4, true},
	{"ipv6", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IPV6, true},
	{"uri", OPERAND_FORMAT, RULE_FORMAT, FORMAT_URI, true},
	/* The empty string is a URI reference. */
	{"uri_ref", OPERAND_FORMAT, RULE_FORMAT, FORMAT_URI_REF, false},
	{"address", OPERAND_FORMAT, RULE_FORMAT, FORMAT_ADDRESS, true},
	{"uuid", OPERAND_FORMAT, RULE_FORMAT, FORMAT_UUID, true},
	{"tuuid", OPERAND_FORMAT, RULE_FORMAT, FORMAT_TUUID, true},
	{"ip_with_prefixlen", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IP_WITH_PREFIXLEN, true},
	{"ipv4_with_prefixlen", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IPV4_WITH_PREFIXLEN, true},
	{"ipv6_with_prefixlen", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IPV6_WITH_PREFIXLEN, true},
	{"ip_prefix", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IP_PREFIX, true},
	{"ipv4_prefix", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IPV4_PREFIX, true},
	{"ipv6_prefix", OPERAND_FORMAT, RULE_FORMAT, FORMAT_IPV6_PREFIX, true},
	{"host_and_port", OPERAND_FORMAT, RULE_FORMAT, FORMAT_HOST_AND_PORT, true},
	{"ulid", OPERAND_FORMAT, RULE_FORMAT, FORMAT_ULID, true},
	{"protobuf_fqn", OPERAND_FORMAT, RULE_FORMAT, FORMAT_PROTOBUF_FQN, true},
	{"protobuf_dot_fqn", OPERAND_FORMAT, RULE_FORMAT, FORMAT_PROTOBUF_DOT_FQN, true},
};

static const struct word bytes_formats[] = {
	{"ip", OPERAND_FORMAT, RULE_FORMAT, FORMAT_BYTES_IP, true},
	{"ipv4", OPERAND_FORMAT, RULE_FORMAT, FORMAT_BYTES_IPV4, true},
	{"ipv6", OPERAND_FORMAT, RULE_FORMAT, FORMAT_BYTES_IPV6, true},
	{"uuid", OPERAND_FORMAT, RULE_FORMAT, FORMAT_BYTES_UUID, true},
};

#define WORD_FIND(words_, name) word_find((words_), sizeof(words_) / sizeof *(words_), (name))

static const struct word *word_find(const struct word *among, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(among[i].name, name) == 0)
			return &among[i];
	return NULL;
}

/* The pattern's regex: one for all of a schema's rules that have it. */
static status pattern_compile(struct schema *schema, struct bytes pattern, const struct regex **ret)
{
	struct schema_pattern *made;

	for (const struct schema_pattern *known = schema->patterns; known; known = known->next) {
		if (bytes_equal(known->pattern, pattern)) {
			*ret = known->regex;
			return status_ok();
		}
	}
	made = ARENA_NEW(&schema->arena, struct schema_pattern);
	if (!made)
		return rules_no_memory;
	TRY(regex_compile(&schema->arena, pattern, 0, &made->regex));
	made->pattern = pattern;
	made->next = schema->patterns;
	schema->patterns = made;
	*ret = made->regex;
	return status_ok();
}

static status pattern_add(struct rules_builder *builder, size_t i)
{
	struct bytes pattern = builder->note.fields[i].values[0].bytes;
	struct rule *rule;
	status compiled;

	TRY(rule_type_check(builder, i, SCHEMA_STRING));
	TRY(rule_add(builder, RULE_PATTERN, i, &rule));
	rule->pattern = pattern;
	compiled = pattern_compile(builder->context->schema, pattern, &rule->regex);
	if (compiled.code == STATUS_INVALID_ARGUMENT)
		return rules_wrong(builder->context, rule_name(builder, i), "%s", compiled.detail);
	return compiled;
}

static status format_add(struct rules_builder *builder, const struct word *word, size_t i)
{
	size_t n = builder->n;
	struct rule *rule;

	TRY(rule_add_flag(builder, RULE_FORMAT, i));
	if (builder->n == n)
		return status_ok();
	rule = &builder->all[n];
	rule->format.format = word->format;
	if (!word->empty)
		return status_ok();
	rule->format.empty_id = arena_printf(builder->context->arena, "%s_empty", rule->id);
	return rule->format.empty_id ? status_ok() : rules_no_memory;
}

/* KnownRegex: 1 the name of an HTTP header, 2 its value; strict unless that is said to be false. */
static status known_regex_add(struct rules_builder *builder, size_t i)
{
	int64_t known = builder->note.fields[i].values[0].sint;
	const struct note_field *strict;
	struct rule *rule;

	TRY(rule_type_check(builder, i, SCHEMA_ENUM));
	if (known == 0)
		return status_ok();
	if (known != 1 && known != 2)
		return rules_wrong(builder->context, rule_name(builder, i), "%lld is not known",
				   (long long)known);
	TRY(note_take(builder->context, &builder->note, "strict", SCHEMA_BOOL, &strict));
	TRY(rule_add(builder, RULE_FORMAT, i, &rule));
	rule->format.format = known == 1 ? FORMAT_HTTP_HEADER_NAME : FORMAT_HTTP_HEADER_VALUE;
	rule->format.strict = !strict || strict->values[0].uint;
	rule->id = known == 1 ? "string.well_known_regex.header_name"
			      : "string.well_known_regex.header_value";
	/* An empty value is a header's value. */
	rule->format.empty_id = known == 1 ? "string.well_known_regex.header_name_empty" : NULL;
	return status_ok();
}

static status word_add(struct rules_builder *builder, const struct word *word, size_t i)
{
	switch (word->operand) {
	case OPERAND_VALUE:
		return rule_add_value(builder, word->kind, i);
	case OPERAND_SET:
		return rule_add_set(builder, word->kind, i);
	case OPERAND_COUNT:
		return rule_add_count(builder, word->kind, i);
	case OPERAND_PATTERN:
		return pattern_add(builder, i);
	case OPERAND_FORMAT:
		return format_add(builder, word, i);
	}
	return status_ok();
}

static status string_add(struct rules_builder *builder, size_t i)
{
	const char *name = builder->note.message->fields[i].name;
	const struct word *word = WORD_FIND(words, name);

	if (!word)
		word = builder->type == SCHEMA_STRING ? WORD_FIND(string_formats, name)
						      : WORD_FIND(bytes_formats, name);
	if (word)
		return word_add(builder, word, i);
	if (builder->type == SCHEMA_STRING && strcmp(name, "well_known_regex") == 0)
		return known_regex_add(builder, i);
	/* strict belongs to well_known_regex, and says nothing alone. */
	if (builder->type == SCHEMA_STRING && strcmp(name, "strict") == 0)
		return rule_type_check(builder, i, SCHEMA_BOOL);
	if (strcmp(name, "example") == 0)
		return status_ok();
	return rules_wrong(builder->context, rule_name(builder, i), "the rule is not known");
}

status rules_build_strings(struct rules_builder *builder)
{
	for (size_t i = 0; i < builder->note.message->n_fields; i++)
		if (builder->note.fields[i].n > 0)
			TRY(string_add(builder, i));
	return status_ok();
}
