/* json_schema_bytes - bytes as proto3 JSON has them: base64 of either alphabet, padded or not. */
#include "service/schema/json_schema_maker.h"

#include <stdio.h>

#define DIGIT "[A-Za-z0-9+/_-]"

/* Whole groups of four digits, and the one or two bytes that may stand behind them. */
static const char *base64_pattern(struct arena *arena, uint64_t max_bytes)
{
	static const char one[] = DIGIT "{2}(?:==)?", two[] = DIGIT "{3}=?";
	unsigned long long groups = max_bytes / 3;

	if (max_bytes == UINT64_MAX)
		return arena_printf(arena, "^(?:%s{4})*(?:%s|%s)?$", DIGIT, one, two);
	if (max_bytes % 3 == 2)
		return arena_printf(arena, "^(?:%s{4}){0,%llu}(?:%s|%s)?$", DIGIT, groups, one,
				    two);
	if (max_bytes == 0)
		return "^$";
	if (max_bytes == 1)
		return arena_printf(arena, "^(?:%s)?$", one);
	/* The last group may be followed by one byte, or by none. */
	return arena_printf(arena, "^(?:%s{4}){0,%llu}(?:%s{4}%s%s%s|%s|%s)?$", DIGIT, groups - 1,
			    DIGIT, max_bytes % 3 == 1 ? "(?:" : "", max_bytes % 3 == 1 ? one : "",
			    max_bytes % 3 == 1 ? ")?" : "", one, two);
}

static void lengths_find(const struct field_rules *rules, uint64_t *ret_min, uint64_t *ret_max)
{
	uint64_t min = 0, max = UINT64_MAX;

	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		uint64_t n = rule->operand.count;
		bool address =
			rule->kind == RULE_FORMAT && rule->format.format == FORMAT_BYTES_IPV4;

		if (rule->kind == RULE_FORMAT)
			n = rule->format.format == FORMAT_BYTES_IP || address ? 4 : 16;
		if (rule->kind == RULE_LEN || rule->kind == RULE_MIN_LEN ||
		    rule->kind == RULE_FORMAT)
			min = n > min ? n : min;
		if (rule->kind == RULE_FORMAT && !address)
			n = 16;
		if (rule->kind == RULE_LEN || rule->kind == RULE_MAX_LEN ||
		    rule->kind == RULE_FORMAT)
			max = n < max ? n : max;
	}
	*ret_min = min;
	*ret_max = max;
}

/* Has no keyword: the rule in words. */
static void rules_note(const struct field_rules *rules, struct json_notes *notes)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		switch (rule->kind) {
		case RULE_NOT_IN:
		case RULE_PATTERN:
		case RULE_PREFIX:
		case RULE_SUFFIX:
		case RULE_CONTAINS:
		case RULE_FORMAT:
			json_note(notes, "The bytes have to be %s.", rule->text);
			break;
		default:
			break;
		}
	}
}

/* Every way in which a reader takes these bytes: two alphabets, with padding and without. */
static void spellings_add(struct json_maker *maker, struct bytes bytes, json_t *list)
{
	static const char alphabets[2][66] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	};
	size_t digits = (bytes.size * 8 + 5) / 6, padded = (bytes.size + 2) / 3 * 4;
	char *text = arena_alloc(maker->arena, padded + 1);

	maker->failed |= !text;
	for (size_t i = 0; text && i < 2; i++) {
		for (size_t j = 0; j < digits; j++) {
			size_t bit = j * 6, at = bit / 8;
			unsigned pair = (unsigned)bytes.data[at] << 8;

			if (at + 1 < bytes.size)
				pair |= bytes.data[at + 1];
			text[j] = alphabets[i][pair >> (10 - bit % 8) & 63];
		}
		memset(text + digits, '=', padded - digits);
		json_add(maker, list, json_stringn(text, padded));
		if (padded != digits)
			json_add(maker, list, json_stringn(text, digits));
	}
}

static void sets_put(struct json_maker *maker, const struct field_rules *rules, json_t *schema)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		json_t *list;

		if (rule->kind != RULE_CONST && rule->kind != RULE_IN)
			continue;
		list = json_array();
		if (rule->kind == RULE_CONST)
			spellings_add(maker, rule->operand.scalar.bytes, list);
		for (size_t j = 0; rule->kind == RULE_IN && j < rule->set.n; j++)
			spellings_add(maker, rule->set.members[j].scalar.bytes, list);
		json_also(maker, schema, "enum", list);
	}
}

json_t *json_bytes_schema(struct json_maker *maker, const struct field_rules *rules,
			  struct json_notes *notes)
{
	json_t *schema = json_object();
	uint64_t min, max;

	lengths_find(rules, &min, &max);
	json_put(maker, schema, "type", json_text(maker, "string"));
	if (maker->traits->wide)
		json_put(maker, schema, "contentEncoding", json_text(maker, "base64"));
	else
		json_note(notes, "In base64.");
	if (rules && rules->required && min == 0)
		min = 1;
	if (maker->traits->patterns)
		json_put(maker, schema, "pattern",
			 json_text(maker, base64_pattern(maker->arena, max)));
	/* Digits alone, without the padding, tell how many bytes there are. */
	if (min && maker->traits->patterns)
		json_also(maker, schema, "pattern",
			  json_text(maker, arena_printf(maker->arena, "^" DIGIT "{%llu}",
							(unsigned long long)(min * 4 + 2) / 3)));
	if (max == min)
		json_note(notes, "Exactly %llu bytes.", (unsigned long long)min);
	else if (max != UINT64_MAX && min)
		json_note(notes, "%llu to %llu bytes.", (unsigned long long)min,
			  (unsigned long long)max);
	else if (max != UINT64_MAX)
		json_note(notes, "At most %llu bytes.", (unsigned long long)max);
	else if (min)
		json_note(notes, "At least %llu bytes.", (unsigned long long)min);
	sets_put(maker, rules, schema);
	rules_note(rules, notes);
	return schema;
}
