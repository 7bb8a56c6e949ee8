/* select - the rows that meet a condition, out of the postings.
 *
 * A key decides for all of its rows, but for a string of which it holds only the beginning: there
 * the rows are looked at one by one, in their records.
 */
#include "index/store/select.h"

#include "index/store/posting_key.h"
#include "index/store/record.h"
#include "index/store/walk.h"

#define RECORD_ARENA_BYTES ((size_t)8 << 20)

static const struct field_schema *field_of(const struct select *select)
{
	return &select->transaction->store->config.fields[select->condition->field];
}

/* --- on the record --- */

/* Hands a row on if its record, read whole, passes. A row without a record was purged. */
static status visit_by_record(const struct select *select, uint64_t row,
			      bool (*passes)(const struct select *select,
					     const struct chunk *chunk))
{
	const struct transaction *t = select->transaction;
	SCOPED(arena) arena = &(struct arena){0};
	struct row_key row_key = row_key_of(row);
	struct bytes key = bytes_of(row_key.bytes, sizeof row_key.bytes), record;
	struct chunk chunk;
	bool found = false;
	status decoded;

	arena_init(arena, RECORD_ARENA_BYTES);
	TRY(value_get(t, TABLE_RECORDS, key, &found, &record));
	if (!found)
		return status_ok();
	decoded = record_decode(record, arena, &chunk);
	if (decoded.code == STATUS_DATA_LOSS)
		return value_damaged(t, TABLE_RECORDS, key, decoded.detail);
	TRY(decoded);
	if (!passes(select, &chunk))
		return status_ok();
	return select->visitor->visit(select->visitor->context, row);
}

static bool chunk_meets_condition(const struct select *select, const struct chunk *chunk)
{
	return condition_passes(select->condition, chunk_find_field(chunk, field_of(select)->name));
}

static bool chunk_is_of_document(const struct select *select, const struct chunk *chunk)
{
	return bytes_equal(chunk->document_id, select->document);
}

/* --- the rows of a key --- */

struct run {
	const struct select *select;
	uint64_t first_row;
	struct rows *looked; /* NULL: the key decides */
	status result;
};

static bool visit_in_run(uint32_t in_run, void *context)
{
	struct run *run = context;
	const struct row_visitor *visitor = run->select->visitor;
	uint64_t row = run->first_row + in_run;

	if (!run->looked)
		run->result = visitor->visit(visitor->context, row);
	else if (rows_add_new(run->looked, (uint16_t)in_run))
		run->result = visit_by_record(run->select, row, chunk_meets_condition);
	return !status_failed(run->result);
}

static status visit_rows(const struct select *select, const struct entry *entry, bool by_record)
{
	struct run run = {select, posting_run_row(entry->key), NULL, status_ok()};
	SCOPED(rows) rows = NULL;
	status read = rows_read(entry->payload, &rows);

	if (read.code == STATUS_DATA_LOSS)
		return value_damaged(select->transaction, TABLE_POSTINGS, entry->key, read.detail);
	TRY(read);
	if (by_record)
		TRY(looked_in_run(select->looked, run.first_row, &run.looked));
	rows_each(rows, visit_in_run, &run);
	return run.result;
}

/* All at once, for who takes them so. */
static status visit_bits(const struct select *select, const struct entry *entry)
{
	const struct row_visitor *visitor = select->visitor;
	struct rows_bits bits;
	status read = rows_unpack(entry->payload, &bits);

	if (status_failed(read))
		return value_damaged(select->transaction, TABLE_POSTINGS, entry->key, read.detail);
	return visitor->visit_bits(visitor->context, posting_run_row(entry->key), &bits);
}

static status visit_run(const struct select *select, const struct entry *entry, bool by_record)
{
	if (!by_record && select->visitor->visit_bits)
		return visit_bits(select, entry);
	return visit_rows(select, entry, by_record);
}

static bool begins_with(struct bytes key, struct bytes beginning)
{
	return key.size >= beginning.size && memcmp(key.data, beginning.data, beginning.size) == 0;
}

/* All runs of one value. value  the key up to the run. */
static status visit_value(const struct select *select, const struct posting_key *value,
			  bool by_record)
{
	struct bytes beginning = posting_key_bytes(value);
	SCOPED(walk) walk = &(struct walk){
		.transaction = select->transaction, .table = TABLE_POSTINGS, .from = beginning};
	struct entry entry;
	bool found;

	for (;;) {
		TRY(walk_next(walk, &found, &entry));
		if (!found || !begins_with(entry.key, beginning))
			return status_ok();
		if (entry.key.size == beginning.size + RUN_BYTES)
			TRY(visit_run(select, &entry, by_record));
	}
}

static status select_present(const struct select *select)
{
	struct posting_key key;

	posting_key_begin(&key, select->condition->field, MARK_PRESENT);
	posting_key_add(&key, "", 1);
	return visit_value(select, &key, false);
}

static status select_bool(const struct select *select, bool boolean)
{
	struct posting_key key;

	posting_key_begin(&key, select->condition->field, MARK_BOOL);
	posting_key_add(&key, boolean ? "1" : "0", 1);
	posting_key_add(&key, "", 1);
	return visit_value(select, &key, false);
}

static status select_string(const struct select *select, struct bytes string)
{
	struct posting_key key;

	posting_key_begin(&key, select->condition->field, MARK_STRING);
	posting_key_add_string(&key, string);
	posting_key_add(&key, "", 1);
	return visit_value(select, &key, string.size > STRING_PLAIN_MAX);
}

/* --- a range of strings --- */

static struct bytes cut(struct bytes string)
{
	return bytes_of(string.data,
			string.size < STRING_PREFIX_BYTES ? string.size : STRING_PREFIX_BYTES);
}

/* The string that the range begins at, and the one behind which nothing of it is. Both cut, since
 * that is what keys of long strings are in the order of. ret_last.data is NULL: there is no end. */
static void range_ends(const struct condition *condition, struct bytes *ret_first,
		       struct bytes *ret_last)
{
	*ret_first = *ret_last = (struct bytes){0};
	if (condition->test == CONDITION_PREFIX) {
		*ret_first = *ret_last = cut(condition->prefix);
		return;
	}
	if (condition->low.kind != BOUND_NONE)
		*ret_first = cut(condition->low.value.string);
	if (condition->high.kind != BOUND_NONE)
		*ret_last = cut(condition->high.value.string);
}

/* Whether every key from here on is behind the range. Of a prefix: once the beginning differs. */
static bool is_behind(const struct condition *condition, struct bytes text, struct bytes last)
{
	struct bytes head = cut(text);

	if (!last.data)
		return false;
	if (condition->test == CONDITION_PREFIX && head.size > last.size)
		head.size = last.size;
	return bytes_compare(head, last) > 0;
}

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_BY_RECORD };

/* Whether the beginning of a long string decides how it compares with an operand: it does unless
 * the operand goes on behind it. */
static bool beginning_decides(struct bytes beginning, struct bytes operand)
{
	return operand.size <= beginning.size ||
	       memcmp(operand.data, beginning.data, beginning.size) != 0;
}

static bool bound_is_decided(struct bytes beginning, const struct bound *bound)
{
	return bound->kind == BOUND_NONE || beginning_decides(beginning, bound->value.string);
}

/* text  as it stands in a key. A long string compares with an operand that its beginning decides
 * about as the beginning and one more byte would: it is longer, so it is never equal. */
static enum verdict judge(const struct condition *condition, struct bytes text)
{
	struct bytes beginning = cut(text);
	uint8_t longer[STRING_PREFIX_BYTES + 1];
	bool decided;

	if (text.size != STRING_HASHED_BYTES)
		return condition_meets_string(condition, text) ? VERDICT_YES : VERDICT_NO;
	if (condition->test == CONDITION_PREFIX)
		decided = beginning_decides(beginning, condition->prefix);
	else
		decided = bound_is_decided(beginning, &condition->low) &&
			  bound_is_decided(beginning, &condition->high);
	if (!decided)
		return VERDICT_BY_RECORD;
	memcpy(longer, beginning.data, STRING_PREFIX_BYTES);
	longer[STRING_PREFIX_BYTES] = 1;
	return condition_meets_string(condition, bytes_of(longer, sizeof longer)) ? VERDICT_YES
										  : VERDICT_NO;
}

/* The string in a key of MARK_STRING. Fails: DATA_LOSS */
static status text_of(const struct select *select, struct bytes key, struct bytes *ret)
{
	if (key.size < POSTING_HEAD_BYTES + POSTING_TAIL_BYTES)
		return value_damaged(select->transaction, TABLE_POSTINGS, key,
				     "a key of the wrong size");
	*ret = bytes_of(key.data + POSTING_HEAD_BYTES,
			key.size - POSTING_HEAD_BYTES - POSTING_TAIL_BYTES);
	return status_ok();
}

static status select_strings(const struct select *select)
{
	const struct condition *condition = select->condition;
	struct bytes first, last, text = {0};
	struct posting_key from;
	struct walk memory = {.transaction = select->transaction, .table = TABLE_POSTINGS};
	SCOPED(walk) walk = &memory;
	struct entry entry;
	bool found;

	range_ends(condition, &first, &last);
	posting_key_begin(&from, condition->field, MARK_STRING);
	posting_key_add(&from, first.data, first.size);
	walk->from = posting_key_bytes(&from);
	for (;;) {
		enum verdict verdict;

		TRY(walk_next(walk, &found, &entry));
		if (!found || !begins_with(entry.key, bytes_of(from.bytes, POSTING_HEAD_BYTES)))
			return status_ok();
		TRY(text_of(select, entry.key, &text));
		if (is_behind(condition, text, last))
			return status_ok();
		verdict = judge(condition, text);
		if (verdict != VERDICT_NO)
			TRY(visit_run(select, &entry, verdict == VERDICT_BY_RECORD));
	}
}

/* --- numbers --- */

/* Rows of the numbers from low to high, as keys; an end that is excluded is passed over. */
struct number_range {
	const struct number_key *low, *high; /* NULL: no end */
	bool low_excluded, high_excluded;
};

static bool is_below(const struct number_range *range, const uint8_t *number)
{
	int order = range->low ? memcmp(number, range->low->bytes, NUMBER_KEY_BYTES) : 1;

	return order < 0 || (order == 0 && range->low_excluded);
}

static bool is_above(const struct number_range *range, const uint8_t *number)
{
	int order = range->high ? memcmp(number, range->high->bytes, NUMBER_KEY_BYTES) : -1;

	return order > 0 || (order == 0 && range->high_excluded);
}

static status select_numbers(const struct select *select, const struct number_range *range)
{
	uint8_t from[1 + NUMBER_KEY_BYTES] = {(uint8_t)select->condition->field};
	SCOPED(walk) walk = &(struct walk){.transaction = select->transaction,
					   .table = TABLE_NUMBERS,
					   .from = bytes_of(from, sizeof from)};
	const struct row_visitor *visitor = select->visitor;
	struct entry entry;
	bool found;

	if (range->low)
		memcpy(from + 1, range->low->bytes, NUMBER_KEY_BYTES);
	for (;;) {
		const uint8_t *key;

		TRY(walk_next(walk, &found, &entry));
		key = entry.key.data;
		if (!found || key[0] != from[0] || is_above(range, key + 1))
			return status_ok();
		if (!is_below(range, key + 1))
			TRY(visitor->visit(visitor->context,
					   load_u64_be(key + 1 + NUMBER_KEY_BYTES)));
	}
}

static status select_number(const struct select *select, const struct value *value)
{
	struct number_key key = number_key_of(value);

	return select_numbers(select, &(struct number_range){.low = &key, .high = &key});
}

static status select_number_range(const struct select *select)
{
	const struct bound *low = &select->condition->low, *high = &select->condition->high;
	struct number_key low_key, high_key;
	struct number_range range = {.low_excluded = low->kind == BOUND_EXCLUDED,
				     .high_excluded = high->kind == BOUND_EXCLUDED};

	if (low->kind != BOUND_NONE) {
		low_key = number_key_of(&low->value);
		range.low = &low_key;
	}
	if (high->kind != BOUND_NONE) {
		high_key = number_key_of(&high->value);
		range.high = &high_key;
	}
	return select_numbers(select, &range);
}

/* --- conditions --- */

static status select_equal(const struct select *select, const struct value *value)
{
	switch (value->kind) {
	case VALUE_STRING:
		return select_string(select, value->string);
	case VALUE_BOOL:
		return select_bool(select, value->boolean);
	case VALUE_INT:
	case VALUE_DOUBLE:
		return select_number(select, value);
	case VALUE_STRING_LIST:
		break;
	}
	return status_ok();
}

static bool range_is_of_strings(const struct condition *condition)
{
	const struct bound *low = &condition->low, *high = &condition->high;

	return (low->kind != BOUND_NONE ? low : high)->value.kind == VALUE_STRING;
}

static status select_tests(const struct select *select)
{
	const struct condition *condition = select->condition;

	switch (condition->test) {
	case CONDITION_EXISTS:
		return select_present(select);
	case CONDITION_PREFIX:
		return select_strings(select);
	case CONDITION_RANGE:
		return range_is_of_strings(condition) ? select_strings(select)
						      : select_number_range(select);
	case CONDITION_ANY_OF_VALUES:
		for (size_t i = 0; i < condition->n_values; i++)
			TRY(select_equal(select, &condition->values[i]));
		break;
	}
	return status_ok();
}

status select_condition(const struct select *select)
{
	SCOPED(looked) looked = &(struct looked){0};
	struct select own = *select;

	own.looked = looked;
	return select_tests(&own);
}

status select_document(const struct select *select)
{
	const struct row_visitor *visitor = select->visitor;
	bool by_record = select->document.size > STRING_PLAIN_MAX;
	struct walk memory = {.transaction = select->transaction, .table = TABLE_DOCUMENTS};
	SCOPED(walk) walk = &memory;
	struct posting_key from;
	struct entry entry;
	bool found;

	document_key_begin(&from, select->document);
	walk->from = posting_key_bytes(&from);
	for (;;) {
		uint64_t row;

		TRY(walk_next(walk, &found, &entry));
		if (!found || !begins_with(entry.key, posting_key_bytes(&from)))
			return status_ok();
		if (entry.key.size != from.size + ORDINAL_BYTES + ROW_KEY_BYTES)
			continue;
		row = load_u64_be(entry.key.data + entry.key.size - ROW_KEY_BYTES);
		if (by_record)
			TRY(visit_by_record(select, row, chunk_is_of_document));
		else
			TRY(visitor->visit(visitor->context, row));
	}
}

status store_select(struct store *store, const struct condition *condition, struct arena *arena,
		    const struct row_visitor *visitor)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};

	TRY(transaction_read(t));
	return select_condition(
		&(struct select){.transaction = t, .condition = condition, .visitor = visitor});
}

status store_select_document(struct store *store, struct bytes id, struct arena *arena,
			     const struct row_visitor *visitor)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};

	TRY(transaction_read(t));
	return select_document(
		&(struct select){.transaction = t, .document = id, .visitor = visitor});
}
