/* compile - conditions to sets of places, and the sets to one. */
#include "index/filter/compile.h"

/* Rows between two questions whether the result is still wanted. */
#define VISITS_BETWEEN 4096

struct collect {
	const struct filter_source *source;
	struct places *places;
	uint64_t first_row; /* of place 0 */
	bool is_dense;      /* the rows are one after the other, without a gap */
	unsigned visits;
};

/* The place of a row among the source's; false where there is none. Most rows are where they would
 * be without a gap before them; a gap can only make a place smaller. */
static bool find_place(const struct collect *collect, uint64_t row, uint64_t *ret)
{
	const struct filter_source *source = collect->source;
	uint64_t low = 0, high = source->n_places;

	if (row < collect->first_row)
		return false;
	if (collect->is_dense) {
		*ret = row - collect->first_row;
		return *ret < high;
	}
	if (row - collect->first_row < high) {
		high = row - collect->first_row + 1;
		if (source->row(source->context, high - 1) == row) {
			*ret = high - 1;
			return true;
		}
	}
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint64_t there = source->row(source->context, middle);

		if (there == row) {
			*ret = middle;
			return true;
		}
		if (there < row)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The first place whose row is not below row, from low on; high: there is none before it. */
static uint64_t seek_place(const struct collect *collect, uint64_t row, uint64_t low, uint64_t high)
{
	const struct filter_source *source = collect->source;

	if (collect->is_dense && row >= collect->first_row + low)
		return row - collect->first_row < high ? row - collect->first_row : high;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (source->row(source->context, middle) < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Rows of a run of bits, [first, end) of them, and the places that they have. */
struct span {
	uint64_t first_row; /* of bit 0 */
	const uint64_t *words;
	uint32_t first, end;
	uint64_t low, high; /* all places whose rows are these */
};

/* Where rows are missing between the places the span is halved until none is, or it is a word. */
static void collect_span(const struct collect *collect, struct span span)
{
	const struct filter_source *source = collect->source;
	struct span below = span;
	uint64_t first;

	if (span.low == span.high)
		return;
	first = source->row(source->context, span.low);
	if (source->row(source->context, span.high - 1) - first == span.high - 1 - span.low) {
		places_add_bits(collect->places, span.low, span.words, first - span.first_row,
				span.high - span.low);
		return;
	}
	if (span.end - span.first <= 64) {
		for (uint64_t place = span.low; place < span.high; place++) {
			uint64_t bit = source->row(source->context, place) - span.first_row;

			if (span.words[bit / 64] >> bit % 64 & 1)
				places_add(collect->places, place);
		}
		return;
	}
	below.end = span.first = span.first + (span.end - span.first) / 2;
	below.high = span.low =
		seek_place(collect, span.first_row + span.first, span.low, span.high);
	collect_span(collect, below);
	collect_span(collect, span);
}

static status collect_bits(void *context, uint64_t first_row, const struct rows_bits *bits)
{
	struct collect *collect = context;
	const struct filter_source *source = collect->source;
	struct span span = {
		.first_row = first_row,
		.words = bits->words,
		.first = bits->first * 64,
		.end = bits->end * 64,
	};

	/* As many as the rows of a word, for the words that were written. */
	collect->visits += bits->end - bits->first;
	if (collect->visits >= VISITS_BETWEEN) {
		collect->visits = 0;
		TRY(source->wanted(source->context));
	}
	span.low = seek_place(collect, first_row + span.first, 0, source->n_places);
	span.high = seek_place(collect, first_row + span.end, span.low, source->n_places);
	collect_span(collect, span);
	return status_ok();
}

/* There is at least one place. */
static void collect_begin(struct collect *collect)
{
	const struct filter_source *source = collect->source;
	uint64_t last = source->row(source->context, source->n_places - 1);

	collect->first_row = source->row(source->context, 0);
	collect->is_dense = last - collect->first_row == source->n_places - 1;
}

static status collect_row(void *context, uint64_t row)
{
	struct collect *collect = context;
	const struct filter_source *source = collect->source;
	uint64_t place;

	if (++collect->visits >= VISITS_BETWEEN) {
		collect->visits = 0;
		TRY(source->wanted(source->context));
	}
	if (find_place(collect, row, &place))
		places_add(collect->places, place);
	return status_ok();
}

/* Adds to places what meets the condition. */
static status add_condition(const struct filter_source *source, const struct condition *condition,
			    struct places *places)
{
	struct collect collect = {.source = source, .places = places};
	const struct row_visitor visitor = {collect_row, &collect, collect_bits};
	SCOPED(places) having = NULL;
	SCOPED(places) all = NULL;
	struct condition has = *condition;

	if (source->n_places == 0)
		return status_ok();
	collect_begin(&collect);
	if (condition->test != CONDITION_EXISTS || !condition->absent)
		return source->select(source->context, condition, &visitor);

	/* All places but those that have the field. */
	TRY(places_open(source->n_places, &having));
	TRY(places_open(source->n_places, &all));
	has.absent = false;
	collect.places = having;
	TRY(source->select(source->context, &has, &visitor));
	places_fill(all);
	places_subtract(all, having);
	places_unite(places, all);
	return status_ok();
}

static status add_documents(const struct filter *filter, const struct filter_source *source,
			    struct places *places)
{
	struct collect collect = {.source = source, .places = places};
	const struct row_visitor visitor = {collect_row, &collect, collect_bits};

	if (source->n_places == 0)
		return status_ok();
	collect_begin(&collect);
	for (size_t i = 0; i < filter->n_document_ids; i++) {
		TRY(source->wanted(source->context));
		TRY(source->select_document(source->context, filter->document_ids[i], &visitor));
	}
	return status_ok();
}

static status narrow_by_all(const struct filter *filter, const struct filter_source *source,
			    struct places *places, struct places *scratch)
{
	for (size_t i = 0; i < filter->n_all_of; i++) {
		TRY(source->wanted(source->context));
		places_clear(scratch);
		TRY(add_condition(source, &filter->all_of[i], scratch));
		places_intersect(places, scratch);
	}
	return status_ok();
}

static status add_each(const struct filter_source *source, const struct condition *conditions,
		       size_t n, struct places *places)
{
	places_clear(places);
	for (size_t i = 0; i < n; i++) {
		TRY(source->wanted(source->context));
		TRY(add_condition(source, &conditions[i], places));
	}
	return status_ok();
}

status filter_compile(const struct filter *filter, const struct filter_source *source,
		      struct places **ret)
{
	SCOPED(places) places = NULL;
	SCOPED(places) scratch = NULL;

	TRY(places_open(source->n_places, &places));
	TRY(places_open(source->n_places, &scratch));
	if (filter->n_document_ids)
		TRY(add_documents(filter, source, places));
	else
		places_fill(places);
	TRY(narrow_by_all(filter, source, places, scratch));
	if (filter->has_any_of) {
		TRY(add_each(source, filter->any_of, filter->n_any_of, scratch));
		places_intersect(places, scratch);
	}
	if (filter->n_none_of) {
		TRY(add_each(source, filter->none_of, filter->n_none_of, scratch));
		places_subtract(places, scratch);
	}
	places_count(places);
	*ret = TAKE(places);
	return status_ok();
}
