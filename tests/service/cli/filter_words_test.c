/* filter_words - what users write, as the message that it comes to; and what is said of mistakes. */
#include "service/cli/filter_words.h"

#include "kernels/base/bytes.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>

static Sluice__V1__FieldSchema fields[] = {
	{.base = PROTOBUF_C_MESSAGE_INIT(&sluice__v1__field_schema__descriptor),
	 .name = (char *)"source",
	 .type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING},
	{.base = PROTOBUF_C_MESSAGE_INIT(&sluice__v1__field_schema__descriptor),
	 .name = (char *)"chars",
	 .type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_INT},
	{.base = PROTOBUF_C_MESSAGE_INIT(&sluice__v1__field_schema__descriptor),
	 .name = (char *)"weight",
	 .type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE},
	{.base = PROTOBUF_C_MESSAGE_INIT(&sluice__v1__field_schema__descriptor),
	 .name = (char *)"draft",
	 .type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_BOOL},
	{.base = PROTOBUF_C_MESSAGE_INIT(&sluice__v1__field_schema__descriptor),
	 .name = (char *)"tags",
	 .type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING_LIST},
};

static status read_text(struct arena *arena, const char *text, Sluice__V1__Filter **ret)
{
	Sluice__V1__FieldSchema *list[] = {&fields[0], &fields[1], &fields[2], &fields[3],
					   &fields[4]};
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;

	collection.name = (char *)"docs";
	collection.fields = list;
	collection.n_fields = sizeof list / sizeof *list;
	return filter_words_read(arena, text, &collection, ret);
}

/* --- a message as a line --- */

static void say(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

static void say_value(struct buffer *out, const Sluice__V1__MetadataValue *value)
{
	char text[64];

	switch (value->kind_case) {
	case SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE:
		snprintf(text, sizeof text, "%" PRId64, value->int_value);
		say(out, text);
		return;
	case SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE:
		snprintf(text, sizeof text, "%gd", value->double_value);
		say(out, text);
		return;
	case SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE:
		say(out, value->bool_value ? "yes" : "no");
		return;
	default:
		say(out, "'");
		say(out, value->string_value);
		say(out, "'");
	}
}

static void say_bound(struct buffer *out, const char *sign, const Sluice__V1__MetadataValue *bound)
{
	if (!bound)
		return;
	say(out, sign);
	say_value(out, bound);
}

static void say_condition(struct buffer *out, const Sluice__V1__Condition *condition)
{
	say(out, " ");
	say(out, condition->field);
	switch (condition->test_case) {
	case SLUICE__V1__CONDITION__TEST_EQUAL_TO:
		say(out, "=");
		say_value(out, condition->equal_to);
		return;
	case SLUICE__V1__CONDITION__TEST_ONE_OF:
		for (size_t i = 0; i < condition->one_of->n_values; i++) {
			say(out, i ? "|" : "=");
			say_value(out, condition->one_of->values[i]);
		}
		return;
	case SLUICE__V1__CONDITION__TEST_RANGE:
		say_bound(out, ">", condition->range->gt);
		say_bound(out, ">=", condition->range->gte);
		say_bound(out, "<", condition->range->lt);
		say_bound(out, "<=", condition->range->lte);
		return;
	case SLUICE__V1__CONDITION__TEST_EXISTS:
		say(out, condition->exists ? "?" : "!?");
		return;
	default:
		say(out, "^=");
		say(out, condition->prefix);
	}
}

static void say_list(struct buffer *out, const char *name, Sluice__V1__Condition *const *conditions,
		     size_t n)
{
	if (n == 0)
		return;
	say(out, name);
	for (size_t i = 0; i < n; i++)
		say_condition(out, conditions[i]);
	say(out, ";");
}

static void say_filter(struct buffer *out, const Sluice__V1__Filter *filter)
{
	for (size_t i = 0; filter->document_ids && i < filter->document_ids->n_ids; i++) {
		say(out, "document ");
		say(out, filter->document_ids->ids[i]);
		say(out, ";");
	}
	say_list(out, "all", filter->all_of, filter->n_all_of);
	if (filter->any_of)
		say_list(out, "any", filter->any_of->conditions, filter->any_of->n_conditions);
	say_list(out, "none", filter->none_of, filter->n_none_of);
}

static const struct {
	const char *text, *want;
} good[] = {
	{"source=git", "all source='git';"},
	{"  source  =  git log  ", "all source='git log';"},
	{"source=git, chars>200, source=\"a, b\", !tags=de",
	 "all source='git' chars>200 source='a, b';none tags='de';"},
	{"source!=git", "none source='git';"},
	{"!source!=git", "all source='git';"},
	{"chars>=1,chars<=2,chars<3", "all chars>=1 chars<=2 chars<3;"},
	{"chars=1.5", "all chars=1.5d;"},
	{"chars=9223372036854775808", "all chars=9.22337e+18d;"},
	{"weight>-3", "all weight>-3;"},
	{"weight<1e3", "all weight<1000d;"},
	{"draft=true,!draft=false", "all draft=yes;none draft=no;"},
	{"source^=\"git-\"", "all source^=git-;"},
	{"tags in (a, \"b)\", c d)", "all tags='a'|'b)'|'c d';"},
	{"source?, !tags ?", "all source?;none tags?;"},
	{"source=\"\"", "all source='';"},
	{"source=\"\\u00e4\\\"\"", "all source='\xC3\xA4\"';"},
	{"any(source=git, chars<9), draft=true", "all draft=yes;any source='git' chars<9;"},
	{"document_id=a/b", "document a/b;"},
	{"document_id in (a, b), chars>1", "document a;document b;all chars>1;"},
	{"source=a=b", "all source='a=b';"},
	{"source=\"=b\"", "all source='=b';"},
};

Test(filter_words, come_to_a_filter)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		SCOPED(buffer) said = &(struct buffer){0};
		Sluice__V1__Filter *filter = NULL;
		status s;

		arena_init(arena, 1 << 20);
		s = read_text(arena, good[i].text, &filter);

		cr_assert(!status_failed(s), "%s: %s", good[i].text, s.detail);
		say_filter(said, filter);
		buffer_append_u8(said, 0);
		cr_assert_str_eq((const char *)said->data, good[i].want, "%s", good[i].text);
	}
}

static const struct {
	const char *text, *want;
} bad[] = {
	{"", "at character 1: the name of a field must stand here"},
	{"source=git,", "at character 12: the name of a field must stand here"},
	{"source", "at character 7: = != > >= < <= ^= ? or in must follow the field source"},
	{"source=", "at character 8: a value must stand here; \"\" is an empty string"},
	{"source=,chars>1", "at character 8: a value must stand here"},
	{"sorce=git", "at character 1: docs declares no field \"sorce\"; did you mean source?"},
	{"elsewhere=1", "at character 1: docs declares no field \"elsewhere\""},
	{"chars>many", "at character 7: chars needs a number, not many"},
	{"chars=\"1\"", "at character 7: chars needs a number"},
	{"chars>1e999", "at character 7: chars needs a number"},
	{"draft=maybe", "at character 7: draft needs true or false, not maybe"},
	{"draft>false", "at character 7: draft is a bool, which has no order"},
	{"chars^=1", "at character 8: chars is no string"},
	{"source=\"a, b", "at character 8: the string that begins here has no end"},
	{"source=\"\\q\"", "at character 8: not a JSON string"},
	{"source=\"a\" b", "at character 12: a comma or the end must stand here"},
	{"source in a", "at character 11: \"(\" and values must follow \"in\""},
	{"source in (a", "at character 13: \",\" or \")\" must follow here"},
	{"any(source=a", "at character 13: \",\" or \")\" must follow here"},
	{"any(source!=a)", "at character 5: any() takes no negated condition"},
	{"any(source=a), any(source=b)", "at character 16: any() may stand once"},
	{"!document_id=a", "at character 2: document_id may stand once, and not negated"},
	{"any(document_id=a)", "at character 5: document_id does not stand in any()"},
	{"source==git", "at character 8: a value that begins with = needs quotes"},
	{"chars=>9", "at character 7: a value that begins with > needs quotes"},
	{"document_id>a", "at character 12: = or in must follow document_id"},
	{"source=\xC3\xA4, sorce=1", "at character 11: docs declares no field \"sorce\""},
};

Test(filter_words, that_are_wrong_are_told_where)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		Sluice__V1__Filter *filter = NULL;
		status s;

		arena_init(arena, 1 << 20);
		s = read_text(arena, bad[i].text, &filter);

		cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "%s", bad[i].text);
		cr_assert_not_null(strstr(s.detail, bad[i].want), "%s: \"%s\" does not say \"%s\"",
				   bad[i].text, s.detail, bad[i].want);
	}
}

Test(filter_words, are_no_more_than_a_filter_takes)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(buffer) text = &(struct buffer){0};
	Sluice__V1__Filter *filter = NULL;

	arena_init(arena, 1 << 20);
	for (int i = 0; i < 65; i++)
		say(text, i ? ",chars>1" : "chars>1");
	buffer_append_u8(text, 0);

	cr_assert_eq(read_text(arena, (const char *)text->data, &filter).code,
		     STATUS_INVALID_ARGUMENT);
}
