/* filter_words - a parser by hand: one function a rule, the place in the text for whoever is told. */
#include "service/cli/filter_words.h"

#include "service/cli/filter_value.h"
#include "service/nearest.h"

#include <ctype.h>
#include <string.h>

static const status no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "memory for a filter"};

/* What Filter and its lists may hold; the server says it too. */
#define CONDITIONS_MAX 64
#define VALUES_MAX 1024

struct list {
	Sluice__V1__Condition *items[CONDITIONS_MAX];
	size_t n;
};

struct parser {
	struct filter_text text;
	const Sluice__V1__Collection *collection;
	struct list all_of, any_of, none_of;
	bool has_any_of;
	Sluice__V1__DocumentIds *document_ids;
};

static struct bytes read_name(struct filter_text *text)
{
	const char *begin;

	filter_text_skip(text);
	begin = text->at;
	while (isalnum((unsigned char)*text->at) || *text->at == '_')
		text->at++;
	return bytes_of(begin, (size_t)(text->at - begin));
}

static bool is_word(struct bytes name, const char *word)
{
	return bytes_equal(name, bytes_of_string(word));
}

static status unknown_field(const struct parser *parser, const char *at, struct bytes name)
{
	struct nearest nearest = nearest_to(name);
	const Sluice__V1__Collection *collection = parser->collection;

	for (size_t i = 0; i < collection->n_fields; i++)
		nearest_offer(&nearest, collection->fields[i]->name);
	if (nearest.name)
		return filter_text_wrong(
			&parser->text, at, "%s declares no field \"%.*s\"; did you mean %s?",
			collection->name, (int)name.size, (const char *)name.data, nearest.name);
	return filter_text_wrong(&parser->text, at, "%s declares no field \"%.*s\"",
				 collection->name, (int)name.size, (const char *)name.data);
}

static status find_field(const struct parser *parser, const char *at, struct bytes name,
			 const Sluice__V1__FieldSchema **ret)
{
	const Sluice__V1__Collection *collection = parser->collection;

	for (size_t i = 0; i < collection->n_fields; i++)
		if (is_word(name, collection->fields[i]->name)) {
			*ret = collection->fields[i];
			return status_ok();
		}
	return unknown_field(parser, at, name);
}

/* (value, value, ...) */
static status read_set(struct parser *parser, const Sluice__V1__FieldSchema *field,
		       Sluice__V1__MetadataValue ***ret, size_t *ret_n)
{
	struct filter_text *text = &parser->text;
	Sluice__V1__MetadataValue **values =
		ARENA_ARRAY(text->arena, Sluice__V1__MetadataValue *, VALUES_MAX);
	size_t n = 0;

	if (!values)
		return no_memory;
	if (!filter_text_take(text, "("))
		return filter_text_wrong(text, text->at, "\"(\" and values must follow \"in\"");
	do {
		if (n == VALUES_MAX)
			return filter_text_wrong(text, text->at, "a set holds at most %d values",
						 VALUES_MAX);
		TRY(filter_value_read(text, field, &values[n++]));
	} while (filter_text_take(text, ","));
	if (!filter_text_take(text, ")"))
		return filter_text_wrong(text, text->at, "\",\" or \")\" must follow here");
	*ret = values;
	*ret_n = n;
	return status_ok();
}

static status read_one_of(struct parser *parser, const Sluice__V1__FieldSchema *field,
			  Sluice__V1__Condition *ret)
{
	Sluice__V1__ValueSet *set = ARENA_NEW(parser->text.arena, Sluice__V1__ValueSet);

	if (!set)
		return no_memory;
	sluice__v1__value_set__init(set);
	TRY(read_set(parser, field, &set->values, &set->n_values));
	ret->test_case = SLUICE__V1__CONDITION__TEST_ONE_OF;
	ret->one_of = set;
	return status_ok();
}

static status read_range(struct parser *parser, const Sluice__V1__FieldSchema *field,
			 const char *sign, Sluice__V1__Condition *ret)
{
	struct filter_text *text = &parser->text;
	Sluice__V1__ValueRange *range = ARENA_NEW(text->arena, Sluice__V1__ValueRange);
	bool included = sign[1] == '=';
	Sluice__V1__MetadataValue **bound;

	if (!range)
		return no_memory;
	if (field->type == SLUICE__V1__FIELD_TYPE__FIELD_TYPE_BOOL)
		return filter_text_wrong(text, text->at, "%s is a bool, which has no order",
					 field->name);
	sluice__v1__value_range__init(range);
	if (sign[0] == '>')
		bound = included ? &range->gte : &range->gt;
	else
		bound = included ? &range->lte : &range->lt;
	TRY(filter_value_read(text, field, bound));
	ret->test_case = SLUICE__V1__CONDITION__TEST_RANGE;
	ret->range = range;
	return status_ok();
}

static status read_prefix(struct parser *parser, const Sluice__V1__FieldSchema *field,
			  Sluice__V1__Condition *ret)
{
	struct filter_text *text = &parser->text;
	Sluice__V1__MetadataValue *value = NULL;

	if (field->type != SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING &&
	    field->type != SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING_LIST)
		return filter_text_wrong(text, text->at, "%s is no string, which ^= is for",
					 field->name);
	TRY(filter_value_read(text, field, &value));
	ret->test_case = SLUICE__V1__CONDITION__TEST_PREFIX;
	ret->prefix = value->string_value;
	return status_ok();
}

/* What stands behind the field's name. negates  the condition is one of none_of. */
static status read_test(struct parser *parser, const Sluice__V1__FieldSchema *field,
			Sluice__V1__Condition *ret, bool *negates)
{
	static const char *const signs[] = {">=", "<=", ">", "<"};
	struct filter_text *text = &parser->text;
	bool differs;

	if (filter_text_take(text, "?")) {
		ret->test_case = SLUICE__V1__CONDITION__TEST_EXISTS;
		ret->exists = true;
		return status_ok();
	}
	if (filter_text_take(text, "^="))
		return read_prefix(parser, field, ret);
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (filter_text_take(text, signs[i]))
			return read_range(parser, field, signs[i], ret);
	if (filter_text_take_word(text, "in"))
		return read_one_of(parser, field, ret);
	differs = filter_text_take(text, "!=");
	if (!differs && !filter_text_take(text, "="))
		return filter_text_wrong(text, text->at,
					 "= != > >= < <= ^= ? or in must follow the field %s",
					 field->name);
	*negates ^= differs;
	ret->test_case = SLUICE__V1__CONDITION__TEST_EQUAL_TO;
	return filter_value_read(text, field, &ret->equal_to);
}

static status add(struct parser *parser, struct list *list, const char *at,
		  Sluice__V1__Condition *condition)
{
	if (list->n == CONDITIONS_MAX)
		return filter_text_wrong(&parser->text, at, "a filter has at most %d conditions",
					 CONDITIONS_MAX);
	list->items[list->n++] = condition;
	return status_ok();
}

/* name  was read. any  the list of any(...), NULL outside of it. */
static status read_condition(struct parser *parser, const char *at, struct bytes name, bool negates,
			     struct list *any)
{
	Sluice__V1__Condition *condition = ARENA_NEW(parser->text.arena, Sluice__V1__Condition);
	const Sluice__V1__FieldSchema *field = NULL;

	if (!condition)
		return no_memory;
	if (name.size == 0)
		return filter_text_wrong(&parser->text, at, "the name of a field must stand here");
	if (any && is_word(name, "document_id"))
		return filter_text_wrong(&parser->text, at, "document_id does not stand in any()");
	TRY(find_field(parser, at, name, &field));
	sluice__v1__condition__init(condition);
	condition->field = arena_copy(parser->text.arena, field->name, strlen(field->name));
	if (!condition->field)
		return no_memory;
	TRY(read_test(parser, field, condition, &negates));
	if (any && negates)
		return filter_text_wrong(&parser->text, at, "any() takes no negated condition");
	if (any)
		return add(parser, any, at, condition);
	return add(parser, negates ? &parser->none_of : &parser->all_of, at, condition);
}

static status read_documents(struct parser *parser, const char *at, bool negates)
{
	static const Sluice__V1__FieldSchema string = {
		.name = (char *)"document_id",
		.type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING,
	};
	struct filter_text *text = &parser->text;
	Sluice__V1__DocumentIds *documents = ARENA_NEW(text->arena, Sluice__V1__DocumentIds);
	Sluice__V1__MetadataValue *one = NULL, **values = &one;
	size_t n = 1;

	if (!documents)
		return no_memory;
	if (negates || parser->document_ids)
		return filter_text_wrong(text, at, "document_id may stand once, and not negated");
	if (filter_text_take_word(text, "in"))
		TRY(read_set(parser, &string, &values, &n));
	else if (filter_text_take(text, "="))
		TRY(filter_value_read(text, &string, &one));
	else
		return filter_text_wrong(text, text->at, "= or in must follow document_id");
	sluice__v1__document_ids__init(documents);
	documents->ids = ARENA_ARRAY(text->arena, char *, n);
	if (!documents->ids)
		return no_memory;
	for (size_t i = 0; i < n; i++)
		documents->ids[i] = values[i]->string_value;
	documents->n_ids = n;
	parser->document_ids = documents;
	return status_ok();
}

static status read_any(struct parser *parser, const char *at)
{
	struct filter_text *text = &parser->text;

	if (parser->has_any_of)
		return filter_text_wrong(text, at, "any() may stand once");
	parser->has_any_of = true;
	do {
		struct bytes name;

		filter_text_skip(text);
		at = text->at;
		name = read_name(text);
		TRY(read_condition(parser, at, name, false, &parser->any_of));
	} while (filter_text_take(text, ","));
	if (!filter_text_take(text, ")"))
		return filter_text_wrong(text, text->at, "\",\" or \")\" must follow here");
	return status_ok();
}

static status read_term(struct parser *parser)
{
	struct filter_text *text = &parser->text;
	bool negates = filter_text_take(text, "!");
	struct bytes name;
	const char *at;

	filter_text_skip(text);
	at = text->at;
	name = read_name(text);
	if (!negates && is_word(name, "any") && filter_text_take(text, "("))
		return read_any(parser, at);
	if (is_word(name, "document_id"))
		return read_documents(parser, at, negates);
	return read_condition(parser, at, name, negates, NULL);
}

static status copy_list(struct arena *arena, const struct list *list, Sluice__V1__Condition ***ret,
			size_t *ret_n)
{
	*ret = arena_copy(arena, list->items, list->n * sizeof *list->items);
	*ret_n = list->n;
	return *ret ? status_ok() : no_memory;
}

static status make_filter(const struct parser *parser, Sluice__V1__Filter **ret)
{
	struct arena *arena = parser->text.arena;
	Sluice__V1__Filter *filter = ARENA_NEW(arena, Sluice__V1__Filter);

	if (!filter)
		return no_memory;
	sluice__v1__filter__init(filter);
	filter->document_ids = parser->document_ids;
	TRY(copy_list(arena, &parser->all_of, &filter->all_of, &filter->n_all_of));
	TRY(copy_list(arena, &parser->none_of, &filter->none_of, &filter->n_none_of));
	if (parser->has_any_of) {
		filter->any_of = ARENA_NEW(arena, Sluice__V1__Conditions);
		if (!filter->any_of)
			return no_memory;
		sluice__v1__conditions__init(filter->any_of);
		TRY(copy_list(arena, &parser->any_of, &filter->any_of->conditions,
			      &filter->any_of->n_conditions));
	}
	*ret = filter;
	return status_ok();
}

status filter_words_read(struct arena *arena, const char *text,
			 const Sluice__V1__Collection *collection, Sluice__V1__Filter **ret)
{
	struct parser parser = {.text = {arena, text, text}, .collection = collection};

	do
		TRY(read_term(&parser));
	while (filter_text_take(&parser.text, ","));
	if (*parser.text.at)
		return filter_text_wrong(&parser.text, parser.text.at,
					 "a comma or the end must stand here");
	return make_filter(&parser, ret);
}
