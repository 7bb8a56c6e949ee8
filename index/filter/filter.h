/* filter - which chunks of a collection are meant, as plain data.
 *
 * A chunk passes if it belongs to one of the documents (where any are named), meets every condition
 * of all_of, at least one of any_of (where has_any_of) and none of none_of. A condition tests one
 * declared field; a value of another kind than the operand's fails the test, and so does a chunk
 * without the field, but for `exists`. A list passes where any of its labels does.
 *
 * Everything is borrowed. Strings hold no NUL.
 */
#ifndef SLUICE_INDEX_FILTER_FILTER_H
#define SLUICE_INDEX_FILTER_FILTER_H

#include "index/chunk.h"
#include "index/collection_config.h"

enum condition_test {
	CONDITION_ANY_OF_VALUES, /* equal to one of values */
	CONDITION_RANGE,         /* within low and high */
	CONDITION_PREFIX,        /* a string that begins with prefix */
	CONDITION_EXISTS,        /* the chunk has the field, or, where absent, has it not */
};

enum bound_kind { BOUND_NONE, BOUND_INCLUDED, BOUND_EXCLUDED };

struct bound {
	enum bound_kind kind;
	struct value value; /* string, int or double; both bounds of a range are of one sort */
};

struct condition {
	size_t field; /* in collection_config.fields */
	enum condition_test test;
	const struct value *values; /* [n_values] ANY_OF_VALUES; no list among them */
	size_t n_values;
	struct bound low, high; /* RANGE, at least one */
	struct bytes prefix;    /* PREFIX */
	bool absent;            /* EXISTS */
};

struct filter {
	const struct bytes *document_ids; /* [n_document_ids]; none: any document, or no document */
	size_t n_document_ids;
	const struct condition *all_of, *any_of, *none_of;
	size_t n_all_of, n_any_of, n_none_of;
	bool has_any_of;
};

/* filter_is_empty - it names nothing, so everything passes. */
static inline bool filter_is_empty(const struct filter *filter)
{
	return filter->n_document_ids == 0 && filter->n_all_of == 0 && !filter->has_any_of &&
	       filter->n_none_of == 0;
}

/* condition_passes - whether a chunk's value for the field meets the condition.
 * value  NULL: the chunk has not the field. */
bool condition_passes(const struct condition *condition, const struct value *value);

/* filter_passes - whether a chunk passes, its document apart.
 * config  of the collection that the filter is for. */
bool filter_passes(const struct filter *filter, const struct collection_config *config,
		   const struct chunk *chunk);

/* condition_meets_string - whether one string does, a label of a list included; false for EXISTS. */
bool condition_meets_string(const struct condition *condition, struct bytes string);

#endif
