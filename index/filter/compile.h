/* compile - a filter to the set of places that pass it.
 *
 * Where the rows of a condition come from, and which rows there are, is the caller's: a snapshot
 * over a store (index/snapshot.h), or the writer within its transaction. A condition costs the
 * values that meet it and, of strings and bools, a bit of each row that lies between its rows; of
 * numbers, the rows that meet it. The set itself costs a bit a place, and twice as much while it is
 * made.
 */
#ifndef SLUICE_INDEX_FILTER_COMPILE_H
#define SLUICE_INDEX_FILTER_COMPILE_H

#include "index/filter/filter.h"
#include "index/filter/places.h"
#include "index/filter/rows.h"

/* Gets every row that passes, in any order, perhaps more than once; a failure ends the selection. */
struct row_visitor {
	status (*visit)(void *context, uint64_t row);
	void *context;
	/* Many at once: bit i stands for row first_row + i. NULL: each comes by itself. */
	status (*visit_bits)(void *context, uint64_t first_row, const struct rows_bits *bits);
};

struct filter_source {
	/* The rows that meet a condition, which is never one that a field is absent. */
	status (*select)(void *context, const struct condition *condition,
			 const struct row_visitor *visitor);
	/* The rows of a document. */
	status (*select_document)(void *context, struct bytes id,
				  const struct row_visitor *visitor);
	/* The row of a place; rows ascend with places. */
	uint64_t (*row)(void *context, uint64_t place);
	/* Whether to go on, asked now and then. */
	status (*wanted)(void *context);
	void *context;
	uint64_t n_places;
};

/* filter_compile - visibility apart: a place whose row is dead may be in the set.
 * ret  counted. Fails: RESOURCE_EXHAUSTED, or what the source fails with */
status filter_compile(const struct filter *filter, const struct filter_source *source,
		      struct places **ret);

#endif
