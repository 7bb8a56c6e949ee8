/* filters - values, conditions and filters, as messages. */
#include "tests/e2e/filters.h"

#include "tests/e2e/world.h"

void *session_make(size_t size)
{
	void *memory = arena_calloc(&world.session.arena, 1, size);

	cr_assert_not_null(memory);
	return memory;
}

/* --- values --- */

static Sluice__V1__MetadataValue *value_new(Sluice__V1__MetadataValue__KindCase kind)
{
	Sluice__V1__MetadataValue *value = session_make(sizeof *value);

	sluice__v1__metadata_value__init(value);
	value->kind_case = kind;
	return value;
}

Sluice__V1__MetadataValue *value_text(const char *string)
{
	Sluice__V1__MetadataValue *value = value_new(SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE);

	value->string_value = text_of("%s", string);
	return value;
}

Sluice__V1__MetadataValue *value_integer(int64_t number)
{
	Sluice__V1__MetadataValue *value = value_new(SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE);

	value->int_value = number;
	return value;
}

Sluice__V1__MetadataValue *value_number(double of)
{
	Sluice__V1__MetadataValue *value = value_new(SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE);

	value->double_value = of;
	return value;
}

Sluice__V1__MetadataValue *value_boolean(bool of)
{
	Sluice__V1__MetadataValue *value = value_new(SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE);

	value->bool_value = of;
	return value;
}

Sluice__V1__MetadataValue *value_labels(const char *first, const char *second)
{
	Sluice__V1__MetadataValue *value = value_new(SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST);

	value->string_list = session_make(sizeof *value->string_list);
	sluice__v1__string_list__init(value->string_list);
	value->string_list->values = session_make(2 * sizeof(char *));
	value->string_list->values[0] = text_of("%s", first);
	value->string_list->values[1] = text_of("%s", second);
	value->string_list->n_values = 2;
	return value;
}

/* --- filters --- */

static Sluice__V1__Condition *condition(const char *field, Sluice__V1__Condition__TestCase test)
{
	Sluice__V1__Condition *made = session_make(sizeof *made);

	sluice__v1__condition__init(made);
	made->field = text_of("%s", field);
	made->test_case = test;
	return made;
}

Sluice__V1__Condition *condition_equal(const char *field, Sluice__V1__MetadataValue *value)
{
	Sluice__V1__Condition *made = condition(field, SLUICE__V1__CONDITION__TEST_EQUAL_TO);

	made->equal_to = value;
	return made;
}

Sluice__V1__Condition *condition_one_of(const char *field, Sluice__V1__MetadataValue *a,
					Sluice__V1__MetadataValue *b)
{
	Sluice__V1__Condition *made = condition(field, SLUICE__V1__CONDITION__TEST_ONE_OF);

	made->one_of = session_make(sizeof *made->one_of);
	sluice__v1__value_set__init(made->one_of);
	made->one_of->values = session_make(2 * sizeof(void *));
	made->one_of->values[0] = a;
	made->one_of->values[1] = b;
	made->one_of->n_values = 2;
	return made;
}

/* gte and lt; NULL: no such bound. */
Sluice__V1__Condition *condition_between(const char *field, Sluice__V1__MetadataValue *from,
					 Sluice__V1__MetadataValue *below)
{
	Sluice__V1__Condition *made = condition(field, SLUICE__V1__CONDITION__TEST_RANGE);

	made->range = session_make(sizeof *made->range);
	sluice__v1__value_range__init(made->range);
	made->range->gte = from;
	made->range->lt = below;
	return made;
}

Sluice__V1__Condition *condition_exists(const char *field, bool there)
{
	Sluice__V1__Condition *made = condition(field, SLUICE__V1__CONDITION__TEST_EXISTS);

	made->exists = there;
	return made;
}

Sluice__V1__Condition *condition_begins(const char *field, const char *prefix)
{
	Sluice__V1__Condition *made = condition(field, SLUICE__V1__CONDITION__TEST_PREFIX);

	made->prefix = text_of("%s", prefix);
	return made;
}

Sluice__V1__Filter *filter_new(void)
{
	Sluice__V1__Filter *filter = session_make(sizeof *filter);

	sluice__v1__filter__init(filter);
	filter->all_of = session_make(4 * sizeof(void *));
	filter->none_of = session_make(4 * sizeof(void *));
	return filter;
}

Sluice__V1__Filter *filter_all(Sluice__V1__Condition *a, Sluice__V1__Condition *b)
{
	Sluice__V1__Filter *filter = filter_new();

	filter->all_of[filter->n_all_of++] = a;
	if (b)
		filter->all_of[filter->n_all_of++] = b;
	return filter;
}

Sluice__V1__Filter *filter_none(Sluice__V1__Condition *a)
{
	Sluice__V1__Filter *filter = filter_new();

	filter->none_of[filter->n_none_of++] = a;
	return filter;
}

Sluice__V1__Filter *filter_any(Sluice__V1__Condition *a, Sluice__V1__Condition *b)
{
	Sluice__V1__Filter *filter = filter_new();

	filter->any_of = session_make(sizeof *filter->any_of);
	sluice__v1__conditions__init(filter->any_of);
	filter->any_of->conditions = session_make(2 * sizeof(void *));
	filter->any_of->conditions[0] = a;
	filter->any_of->conditions[1] = b;
	filter->any_of->n_conditions = 2;
	return filter;
}

Sluice__V1__Filter *filter_documents(const char *a, const char *b)
{
	Sluice__V1__Filter *filter = filter_new();

	filter->document_ids = session_make(sizeof *filter->document_ids);
	sluice__v1__document_ids__init(filter->document_ids);
	filter->document_ids->ids = session_make(2 * sizeof(char *));
	filter->document_ids->ids[0] = text_of("%s", a);
	filter->document_ids->ids[1] = text_of("%s", b);
	filter->document_ids->n_ids = 2;
	return filter;
}
