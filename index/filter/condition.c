/* condition - a condition put to one value: what postings are made to agree with. */
#include "index/filter/filter.h"

#include "index/filter/number.h"

static bool is_within(const struct bound *bound, int order_to_bound, int side)
{
	if (bound->kind == BOUND_NONE)
		return true;
	return order_to_bound * side > 0 || (order_to_bound == 0 && bound->kind == BOUND_INCLUDED);
}

static bool bound_is_string(const struct bound *bound)
{
	return bound->kind != BOUND_NONE && bound->value.kind == VALUE_STRING;
}

static int sign_of(int order)
{
	return (order > 0) - (order < 0);
}

static bool range_meets_string(const struct condition *condition, struct bytes string)
{
	const struct bound *low = &condition->low, *high = &condition->high;

	if (!bound_is_string(low) && !bound_is_string(high))
		return false;
	return is_within(low, sign_of(bytes_compare(string, low->value.string)), 1) &&
	       is_within(high, sign_of(bytes_compare(string, high->value.string)), -1);
}

static int order_to(const struct value *value, const struct bound *bound)
{
	return bound->kind == BOUND_NONE ? 0 : sign_of(number_compare(value, &bound->value));
}

static bool range_meets_number(const struct condition *condition, const struct value *value)
{
	const struct bound *low = &condition->low, *high = &condition->high;

	if (bound_is_string(low) || bound_is_string(high))
		return false;
	return is_within(low, order_to(value, low), 1) &&
	       is_within(high, order_to(value, high), -1);
}

static bool values_have_string(const struct condition *condition, struct bytes string)
{
	for (size_t i = 0; i < condition->n_values; i++)
		if (condition->values[i].kind == VALUE_STRING &&
		    bytes_equal(condition->values[i].string, string))
			return true;
	return false;
}

bool condition_meets_string(const struct condition *condition, struct bytes string)
{
	struct bytes prefix = condition->prefix;

	switch (condition->test) {
	case CONDITION_ANY_OF_VALUES:
		return values_have_string(condition, string);
	case CONDITION_RANGE:
		return range_meets_string(condition, string);
	case CONDITION_PREFIX:
		return string.size >= prefix.size &&
		       bytes_equal(bytes_of(string.data, prefix.size), prefix);
	case CONDITION_EXISTS:
		break;
	}
	return false;
}

static bool values_have_number(const struct condition *condition, const struct value *value)
{
	for (size_t i = 0; i < condition->n_values; i++)
		if (value_is_number(&condition->values[i]) &&
		    number_compare(&condition->values[i], value) == 0)
			return true;
	return false;
}

static bool meets_number(const struct condition *condition, const struct value *value)
{
	if (condition->test == CONDITION_RANGE)
		return range_meets_number(condition, value);
	return condition->test == CONDITION_ANY_OF_VALUES && values_have_number(condition, value);
}

static bool meets_bool(const struct condition *condition, bool boolean)
{
	for (size_t i = 0; condition->test == CONDITION_ANY_OF_VALUES && i < condition->n_values;
	     i++)
		if (condition->values[i].kind == VALUE_BOOL &&
		    condition->values[i].boolean == boolean)
			return true;
	return false;
}

bool condition_passes(const struct condition *condition, const struct value *value)
{
	if (condition->test == CONDITION_EXISTS)
		return condition->absent ? !value : value != NULL;
	if (!value)
		return false;
	switch (value->kind) {
	case VALUE_STRING:
		return condition_meets_string(condition, value->string);
	case VALUE_STRING_LIST:
		for (size_t i = 0; i < value->list.n; i++)
			if (condition_meets_string(condition, value->list.items[i]))
				return true;
		return false;
	case VALUE_BOOL:
		return meets_bool(condition, value->boolean);
	case VALUE_INT:
	case VALUE_DOUBLE:
		return meets_number(condition, value);
	}
	return false;
}

static bool chunk_meets(const struct condition *condition, const struct collection_config *config,
			const struct chunk *chunk)
{
	const char *name = config->fields[condition->field].name;

	return condition_passes(condition, chunk_find_field(chunk, name));
}

bool filter_passes(const struct filter *filter, const struct collection_config *config,
		   const struct chunk *chunk)
{
	bool any = !filter->has_any_of;

	for (size_t i = 0; i < filter->n_all_of; i++)
		if (!chunk_meets(&filter->all_of[i], config, chunk))
			return false;
	for (size_t i = 0; i < filter->n_none_of; i++)
		if (chunk_meets(&filter->none_of[i], config, chunk))
			return false;
	for (size_t i = 0; !any && i < filter->n_any_of; i++)
		any = chunk_meets(&filter->any_of[i], config, chunk);
	return any;
}
