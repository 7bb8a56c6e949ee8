/* inspect - table by table. */
#include "index/store/inspect.h"

#include "index/store/dead.h"
#include "index/store/inspect_rows.h"
#include "index/store/manifest.h"
#include "index/store/pages.h"
#include "index/store/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void inspection_finish(struct inspection *inspection)
{
	buffer_finish(&inspection->dead);
	buffer_finish(&inspection->run_key);
	postings_finish(&inspection->postings);
	rows_close(inspection->run);
}

SCOPE_DEFINE(inspection, inspection_finish)

void inspection_tell(struct inspection *inspection, const char *format, ...)
{
	const struct inspect *inspect = inspection->inspect;
	char what[512];
	va_list args;

	if (inspection->told++ > INSPECT_TOLD_MAX)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	inspect->damaged(inspect->context,
			 inspection->told > INSPECT_TOLD_MAX ? "and so on" : what);
}

status inspection_tell_status(struct inspection *inspection, status s)
{
	if (s.code != STATUS_DATA_LOSS)
		return s;
	inspection_tell(inspection, "%s", s.detail);
	return status_ok();
}

static void enter(struct inspection *inspection, const char *part)
{
	const struct inspect *inspect = inspection->inspect;

	inspection->told = 0;
	inspect->enters(inspect->context, part);
}

/* --- a table --- */

/* What a table's entries are to be besides readable. */
typedef status entry_check(struct inspection *inspection, const struct entry *entry);

static status check_entries(struct inspection *inspection, enum table table, entry_check *check)
{
	const struct transaction *t = inspection->transaction;
	SCOPED(walk) walk = &(struct walk){.transaction = t, .table = table};
	size_t n_failed = 0;
	struct entry entry;
	MDB_stat about;
	bool found = true;

	if (mdb_stat(t->handle, t->store->tables[table], &about)) {
		inspection_tell(inspection, "table %s: it cannot be read", table_name(table));
		return status_ok();
	}
	/* A cursor goes past a value that is damaged, and perhaps not past a page. */
	while (inspection->entries[table] + n_failed <= about.ms_entries) {
		status s = walk_next(walk, &found, &entry);

		if (status_failed(s)) {
			TRY(inspection_tell_status(inspection, s));
			n_failed++;
			continue;
		}
		if (!found)
			break;
		inspection->entries[table]++;
		if (check)
			TRY(check(inspection, &entry));
	}
	inspection->inspect->values += inspection->entries[table];
	if (inspection->entries[table] + n_failed != about.ms_entries)
		inspection_tell(inspection, "table %s: should have %zu entries, and has %llu",
				table_name(table), about.ms_entries,
				(unsigned long long)inspection->entries[table]);
	return status_ok();
}

static status check_table(struct inspection *inspection, enum table table, entry_check *check)
{
	char part[64];

	snprintf(part, sizeof part, "table %s", table_name(table));
	enter(inspection, part);
	return check_entries(inspection, table, check);
}

/* --- what each table's entries are --- */

static status note_dead(struct inspection *inspection, const struct entry *entry)
{
	struct dead_row dead = {
		.generation = load_u64_be(entry->key.data),
		.row = load_u64_be(entry->key.data + 8),
	};

	if (dead.generation > inspection->state.generation)
		inspection_tell(inspection, "table dead, row %llu: it dies in the future",
				(unsigned long long)dead.row);
	buffer_append(&inspection->dead, &dead, sizeof dead);
	return inspection->dead.failed
		       ? status_make(STATUS_RESOURCE_EXHAUSTED, "memory for dead rows")
		       : status_ok();
}

static int compare_rows(const void *a, const void *b)
{
	const struct dead_row *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

static void sort_dead(struct inspection *inspection)
{
	size_t n = inspection->dead.size / sizeof(struct dead_row);

	if (n > 0)
		qsort(inspection->dead.data, n, sizeof(struct dead_row), compare_rows);
	inspection->inspect->dead_rows = n;
}

static status check_has_record(struct inspection *inspection, const struct entry *entry)
{
	if (value_size(inspection->transaction, TABLE_RECORDS, entry->key) == 0)
		inspection_tell(inspection, "table vectors, row %llu: it has no record",
				(unsigned long long)load_u64_be(entry->key.data));
	return status_ok();
}

static bool count_row(uint32_t row, void *context)
{
	uint64_t *n = context;

	(void)row;
	(*n)++;
	return true;
}

static status count_posting(struct inspection *inspection, const struct entry *entry)
{
	SCOPED(rows) rows = NULL;
	status s = rows_read(entry->payload, &rows);

	if (s.code == STATUS_DATA_LOSS)
		return inspection_tell_status(inspection,
					      value_damaged(inspection->transaction, TABLE_POSTINGS,
							    entry->key, s.detail));
	TRY(s);
	rows_each(rows, count_row, &inspection->posting_rows);
	return status_ok();
}

/* --- what they say of each other --- */

static void want(struct inspection *inspection, const char *what, uint64_t wanted, uint64_t found)
{
	if (wanted != found)
		inspection_tell(inspection, "%s: should be %llu, and are %llu", what,
				(unsigned long long)wanted, (unsigned long long)found);
}

static status check_manifest(struct inspection *inspection)
{
	const struct transaction *t = inspection->transaction;
	struct store_segment *segments = NULL;
	size_t n = 0;

	enter(inspection, "its state");
	TRY(inspection_tell_status(inspection, manifest_read_state(t, &inspection->state)));
	TRY(inspection_tell_status(inspection, manifest_read_segments(t, &segments, &n)));
	inspection->head_row = n ? segments[n - 1].last_row + 1 : 0;
	return status_ok();
}

static status check_rows(struct inspection *inspection)
{
	const struct inspect *inspect = inspection->inspect;

	TRY(check_table(inspection, TABLE_CONFIG, NULL));
	TRY(check_table(inspection, TABLE_STATE, NULL));
	TRY(check_table(inspection, TABLE_DEAD, note_dead));
	sort_dead(inspection);
	TRY(check_table(inspection, TABLE_RECORDS, inspection_record));
	TRY(inspection_postings(inspection));
	want(inspection, "table records: live rows", inspection->state.live_rows,
	     inspect->live_rows);
	want(inspection, "table dead: rows with a record", inspect->dead_rows,
	     inspection->dead_found);
	TRY(check_table(inspection, TABLE_IDS, NULL));
	want(inspection, "table ids: its entries", inspect->live_rows,
	     inspection->entries[TABLE_IDS]);
	return check_table(inspection, TABLE_VECTORS, check_has_record);
}

static status check_postings(struct inspection *inspection)
{
	TRY(check_table(inspection, TABLE_POSTINGS, count_posting));
	want(inspection, "table postings: its rows", inspection->wanted[TABLE_POSTINGS],
	     inspection->posting_rows);
	TRY(check_table(inspection, TABLE_NUMBERS, NULL));
	want(inspection, "table numbers: its entries", inspection->wanted[TABLE_NUMBERS],
	     inspection->entries[TABLE_NUMBERS]);
	TRY(check_table(inspection, TABLE_DOCUMENTS, NULL));
	want(inspection, "table documents: its entries", inspection->wanted[TABLE_DOCUMENTS],
	     inspection->entries[TABLE_DOCUMENTS]);
	return status_ok();
}

/* --- what others call --- */

status inspect_pages(const char *directory, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/" STORE_DATA_FILE, directory);
	struct pages_count count;

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	return pages_walk(path, arena, &count);
}

status inspect_open(const char *directory, struct arena *arena, struct store **ret)
{
	SCOPED(store) store = NULL;

	TRY(store_open_read_only(directory, arena, &store));
	if (store->format < STORE_FORMAT)
		return status_format(
			arena, STATUS_FAILED_PRECONDITION,
			"its format is version %u: a server has to open it once, which "
			"makes it version %d",
			store->format, STORE_FORMAT);
	*ret = TAKE(store);
	return status_ok();
}

status inspect_tables(struct store *store, struct inspect *inspect, struct arena *arena)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
	SCOPED(inspection) inspection = &(struct inspection){.inspect = inspect, .transaction = t};

	inspect->values = inspect->live_rows = inspect->dead_rows = 0;
	TRY(transaction_read(t));
	TRY(check_manifest(inspection));
	TRY(check_rows(inspection));
	return check_postings(inspection);
}
