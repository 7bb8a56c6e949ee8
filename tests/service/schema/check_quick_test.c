/* What the quick look says of a message is what the walk says of it: random messages of every type that
 * the tests and the server have, sound and not, are checked with and without it. */
#include "proto/descriptor_set.h"
#include "service/schema/check.h"
#include "service/schema/wire.h"
#include "tests/kernels/random.h"
#include "tests/service/schema/rules_set.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 4
#define ROUNDS 150

static bool one_in(struct random *random, size_t n)
{
	return random_below(random, n) == 0;
}

/* --- messages by their schema --- */

static void put_message(struct random *random, const struct schema_message *message, unsigned depth,
			struct buffer *to);

static void put_tag(struct buffer *to, uint32_t number, enum wire_type type)
{
	buffer_append_varint(to, number << 3 | (uint32_t)type);
}

static void put_run(struct buffer *to, struct bytes run)
{
	buffer_append_varint(to, run.size);
	if (run.size)
		buffer_append(to, run.data, run.size);
}

static const union rule_operand *operand_of(struct random *random, const struct rule *rule)
{
	switch (rule->kind) {
	case RULE_CONST:
	case RULE_PREFIX:
	case RULE_SUFFIX:
	case RULE_CONTAINS:
		return &rule->operand;
	case RULE_RANGE:
		return one_in(random, 2) ? &rule->range.low : &rule->range.high;
	case RULE_IN:
	case RULE_NOT_IN:
		return &rule->set.members[random_below(random, rule->set.n)];
	default:
		return NULL;
	}
}

/* A value that a rule names; NULL: take any. */
static const union schema_value *named_by(struct random *random, const struct field_rules *rules)
{
	const union rule_operand *operand = NULL;

	if (rules && rules->n_rules > 0 && !one_in(random, 4))
		operand = operand_of(random, &rules->rules[random_below(random, rules->n_rules)]);
	return operand ? &operand->scalar : NULL;
}

static void put_text(struct random *random, const union schema_value *named, struct buffer *to)
{
	static const char *const texts[] = {
		"",
		"a",
		"ab",
		"abcdef",
		"aaaaaaaaaaaaaaaa",
		"\xC3\xA9",
		"\xFF",
		"\xE2\x82",
		"a b",
		"https://a.example/b",
		"1.2.3.4",
		"::1",
		"user@host.example",
		"host.example",
		"host.example:80",
		"x-header",
		"a.b.C",
		"0123456789abcdef0123456789abcdef",
		"123e4567-e89b-12d3-a456-426614174000",
		"type.googleapis.com/cases.Inner",
	};
	const char *text = texts[random_below(random, sizeof texts / sizeof *texts)];
	uint8_t any[80];
	size_t size;

	if (named) {
		put_run(to, named->bytes);
		return;
	}
	if (!one_in(random, 3)) {
		put_run(to, bytes_of_string(text));
		return;
	}
	size = random_below(random, one_in(random, 4) ? sizeof any : 6);
	for (size_t i = 0; i < size; i++)
		any[i] = (uint8_t)(one_in(random, 200) ? random_below(random, 256)
						       : 'a' + random_below(random, 4));
	put_run(to, bytes_of(any, size));
}

static uint64_t any_number(struct random *random)
{
	switch (random_below(random, 6)) {
	case 0:
		return 0;
	case 1:
		return random_bits(random);
	case 2:
		return (uint64_t)-1;
	default:
		return random_below(random, 12);
	}
}

static double any_real(struct random *random, const union schema_value *named)
{
	static const double reals[] = {0, -0.0, 1, -1, 0.5, 5, 1e300};

	if (one_in(random, 30))
		return one_in(random, 2) ? (double)INFINITY : (double)NAN;
	return named ? named->number : reals[random_below(random, sizeof reals / sizeof *reals)];
}

static void put_scalar(struct random *random, const struct schema_field *field,
		       const union schema_value *named, struct buffer *to)
{
	uint64_t number = any_number(random), bits;
	double real = any_real(random, named);
	float small = (float)real;
	uint32_t small_bits;

	if (named)
		number = named->uint + random_below(random, 3) - 1;
	memcpy(&bits, &real, sizeof bits);
	memcpy(&small_bits, &small, sizeof small_bits);
	switch (field->type) {
	case SCHEMA_DOUBLE:
		buffer_append_u64(to, bits);
		break;
	case SCHEMA_FLOAT:
		buffer_append_u32(to, small_bits);
		break;
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		buffer_append_u64(to, number);
		break;
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		buffer_append_u32(to, (uint32_t)number);
		break;
	case SCHEMA_SINT32:
	case SCHEMA_SINT64:
		buffer_append_varint(to, number << 1);
		break;
	default:
		buffer_append_varint(to, number);
	}
}

static enum wire_type wire_type_of(enum schema_type type)
{
	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		return WIRE_64;
	case SCHEMA_FLOAT:
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		return WIRE_32;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_MESSAGE:
		return WIRE_LENGTH;
	default:
		return WIRE_VARINT;
	}
}

static void put_value(struct random *random, const struct schema_field *field,
		      const struct field_rules *rules, unsigned depth, struct buffer *to)
{
	const union schema_value *named = field->message ? NULL : named_by(random, rules);
	SCOPED(buffer) inner = &(struct buffer){0};

	switch (field->type) {
	case SCHEMA_MESSAGE:
		put_message(random, field->message, depth + 1, inner);
		put_run(to, bytes_of(inner->data, inner->size));
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		put_text(random, named, to);
		break;
	default:
		put_scalar(random, field, named, to);
	}
}

static void put_entry(struct random *random, const struct schema_field *field, unsigned depth,
		      struct buffer *to)
{
	const struct schema_field *parts = field->message->fields;
	const struct field_rules *rules = field->rules;
	SCOPED(buffer) entry = &(struct buffer){0};
	size_t first = one_in(random, 20), n = one_in(random, 20) ? random_below(random, 4) : 2;

	for (size_t i = 0; i < n; i++) {
		bool is_key = (first + i) % 2 == 0;
		const struct schema_field *part = &parts[is_key ? 0 : 1];

		put_tag(entry, part->number, wire_type_of(part->type));
		put_value(random, part,
			  !rules   ? NULL
			  : is_key ? rules->keys
				   : rules->values,
			  depth, entry);
	}
	do {
		put_tag(to, field->number, WIRE_LENGTH);
		put_run(to, bytes_of(entry->data, entry->size));
	} while (one_in(random, 8));
}

static void put_packed(struct random *random, const struct schema_field *field, size_t n,
		       struct buffer *to)
{
	SCOPED(buffer) run = &(struct buffer){0};

	for (size_t i = 0; i < n; i++)
		put_value(random, field, field->rules ? field->rules->items : NULL, 0, run);
	put_tag(to, field->number, WIRE_LENGTH);
	put_run(to, bytes_of(run->data, run->size));
}

static void put_repeated(struct random *random, const struct schema_field *field, unsigned depth,
			 struct buffer *to)
{
	const struct field_rules *items = field->rules ? field->rules->items : NULL;
	size_t n = random_below(random, one_in(random, 20) ? 80 : 4);

	if (wire_type_of(field->type) != WIRE_LENGTH && !one_in(random, 4)) {
		put_packed(random, field, n, to);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (field->map) {
			put_entry(random, field, depth, to);
			continue;
		}
		put_tag(to, field->number, wire_type_of(field->type));
		put_value(random, field, items, depth, to);
	}
}

static void put_field(struct random *random, const struct schema_field *field, unsigned depth,
		      struct buffer *to)
{
	if (field->type == SCHEMA_GROUP || (field->message && depth == DEPTH_MAX))
		return;
	if (field->repeated) {
		put_repeated(random, field, depth, to);
		return;
	}
	put_tag(to, field->number, wire_type_of(field->type));
	put_value(random, field, field->rules, depth, to);
}

/* Mostly each field once at most, and one of a oneof. */
static void put_message(struct random *random, const struct schema_message *message, unsigned depth,
			struct buffer *to)
{
	size_t start = message->n_fields ? random_below(random, message->n_fields) : 0;
	bool untidy = one_in(random, 10), sparse = one_in(random, 3);
	const struct schema_oneof *taken = NULL;

	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field =
			&message->fields[(start + i) % message->n_fields];

		if (one_in(random, sparse ? 2 : 8) || (field->oneof && field->oneof == taken))
			continue;
		if (!untidy)
			taken = field->oneof ? field->oneof : taken;
		put_field(random, field, depth, to);
		if (untidy && one_in(random, 4))
			put_field(random, field, depth, to);
	}
	if (untidy && one_in(random, 4)) {
		put_tag(to, 9999, WIRE_VARINT);
		buffer_append_u8(to, 1);
	}
}

/* One byte another, or the end gone. */
static void spoil(struct random *random, struct buffer *bytes)
{
	if (bytes->size == 0)
		return;
	if (one_in(random, 4))
		bytes->size = random_below(random, bytes->size);
	else
		bytes->data[random_below(random, bytes->size)] ^=
			(uint8_t)(1U << random_below(random, 8));
}

/* --- what is said of them --- */

static bool say(void *context, const struct violation *violation)
{
	struct buffer *to = (struct buffer *)context;
	char path[1024];

	check_path_print(violation->path, path, sizeof path);
	buffer_append(to, path, strlen(path));
	buffer_append(to, violation->rule_id, strlen(violation->rule_id));
	buffer_append(to, violation->message, strlen(violation->message) + 1);
	buffer_append_u8(to, violation->for_key);
	return true;
}

static void check(const struct schema_message *message, struct bytes bytes,
		  const struct check_limits *limits, bool without_quick_look, struct buffer *to)
{
	SCOPED(arena) arena = &(struct arena){0};
	const struct check_options options = {
		.limits = limits,
		.report = say,
		.context = to,
		.now_ns = INT64_C(1000000000000000000),
		.without_quick_look = without_quick_look,
	};
	status checked;

	arena_init(arena, 4096);
	checked = check_message(message, bytes, &options, arena);
	if (status_failed(checked))
		buffer_append(to, checked.detail, strlen(checked.detail));
}

/* Whether nothing is wrong, as both say. */
static bool compare(const struct schema_message *message, struct bytes bytes,
		    const struct check_limits *limits)
{
	struct buffer memory[2] = {0};
	SCOPED(buffer) with = &memory[0];
	SCOPED(buffer) without = &memory[1];

	check(message, bytes, limits, false, with);
	check(message, bytes, limits, true, without);
	cr_assert(bytes_equal(bytes_of(with->data, with->size),
			      bytes_of(without->data, without->size)),
		  "%s: \"%s\", and without the quick look \"%s\"", message->full_name,
		  with->size ? (const char *)with->data : "",
		  without->size ? (const char *)without->data : "");
	return with->size == 0;
}

/* So low that they are met. */
static const struct check_limits low_limits = {
	.depth = 2,
	.unknown_fields = 1,
	.map_entries = 2,
	.unique_items = 2,
};

/* Of the messages of a set that compile; ret_n: how many were compared. Gives how many were sound. */
static size_t compare_all(const uint8_t *set, size_t size, size_t *ret_n)
{
	static const struct check_limits *const limits[] = {
		&check_limits_strict,
		&check_limits_lenient,
		&low_limits,
	};
	struct random random = {20011};
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(schema) schema = NULL;
	struct schema_message **messages;
	size_t n_messages, sound = 0;

	arena_init(arena, (size_t)1 << 20);
	cr_assert_not(status_failed(schema_open(bytes_of(set, size), arena, &schema)));
	messages = schema_messages(schema, &n_messages);
	*ret_n = 0;
	for (size_t i = 0; i < n_messages; i++) {
		if (status_failed(schema_compile(schema, messages[i], arena)))
			continue;
		for (size_t j = 0; j < ROUNDS; j++) {
			SCOPED(buffer) bytes = &(struct buffer){0};

			put_message(&random, messages[i], 0, bytes);
			if (one_in(&random, 4))
				spoil(&random, bytes);
			sound += compare(messages[i], bytes_of(bytes->data, bytes->size),
					 limits[j % 3]);
			(*ret_n)++;
		}
	}
	return sound;
}

Test(check_quick, changes_no_answer_about_the_rules)
{
	size_t n, sound = compare_all(rules_set, rules_set_size, &n);

	printf("%zu messages, %zu of them sound\n", n, sound);
	cr_assert_gt(sound, n / 10);
}

Test(check_quick, changes_no_answer_about_the_contract)
{
	size_t n, sound = compare_all(sluice_descriptor_set, sluice_descriptor_set_size, &n);

	printf("%zu messages, %zu of them sound\n", n, sound);
	cr_assert_gt(sound, n / 10);
}
