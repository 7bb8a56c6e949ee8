/* read - finding, fetching and loading: each within one read transaction, or within a reader's. */
#include "index/store/dead.h"
#include "index/store/id.h"
#include "index/store/manifest.h"
#include "index/store/record.h"
#include "index/store/walk.h"
#include "kernels/base/error_info.h"

static bool id_can_be_stored(struct bytes id)
{
	return id.size >= 1 && id.size <= CHUNK_ID_MAX;
}

status store_reader_find(struct store_reader *reader, struct bytes id, struct arena *arena,
			 bool *ret_found, uint64_t *ret_row)
{
	enum id_use use = ID_FREE;
	struct transaction t;
	struct id_key key;

	if (id_can_be_stored(id)) {
		id_key_make(id, &key);
		TRY(transaction_of_reader(reader, arena, &t));
		TRY(id_find(&t, id, &key, &use, ret_row));
	}
	*ret_found = use == ID_FOUND;
	return status_ok();
}

status store_find(struct store *store, struct bytes id, struct arena *arena, bool *ret_found,
		  uint64_t *ret_row)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = store};

	return store_reader_find(reader, id, arena, ret_found, ret_row);
}

/* The payload of a row, borrowed within the transaction. Fails: NOT_FOUND ... */
static status get_row(const struct transaction *transaction, enum table table, uint64_t row,
		      struct bytes *ret)
{
	struct row_key key = row_key_of(row);
	bool found;

	TRY(value_get(transaction, table, bytes_of(key.bytes, sizeof key.bytes), &found, ret));
	if (!found)
		return status_format(transaction->arena, STATUS_NOT_FOUND,
				     "collection \"%s\": table %s has no row %llu",
				     transaction->store->config.name, table_name(table),
				     (unsigned long long)row);
	return status_ok();
}

/* A copy of a row's payload in the transaction's arena. */
static status copy_row(const struct transaction *transaction, enum table table, uint64_t row,
		       struct bytes *ret)
{
	struct bytes payload;
	uint8_t *copy;

	TRY(get_row(transaction, table, row, &payload));
	copy = arena_copy(transaction->arena, payload.data, payload.size);
	if (!copy)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a chunk");
	*ret = bytes_of(copy, payload.size);
	return status_ok();
}

status store_reader_fetch(struct store_reader *reader, uint64_t row, struct arena *arena,
			  struct chunk *ret)
{
	struct transaction t;
	struct bytes record;
	status decoded;

	TRY(transaction_of_reader(reader, arena, &t));
	TRY(copy_row(&t, TABLE_RECORDS, row, &record));
	decoded = record_decode(record, arena, ret);
	if (decoded.code == STATUS_DATA_LOSS) {
		struct row_key key = row_key_of(row);

		return value_damaged(&t, TABLE_RECORDS, bytes_of(key.bytes, sizeof key.bytes),
				     decoded.detail);
	}
	return decoded;
}

status store_fetch_record(struct store *store, uint64_t row, struct arena *arena, struct chunk *ret)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = store};

	return store_reader_fetch(reader, row, arena, ret);
}

status store_fetch_vector(struct store *store, uint64_t row, struct arena *arena,
			  float **ret_vector)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
	struct bytes payload;
	float *vector;

	TRY(transaction_read(t));
	TRY(get_row(t, TABLE_VECTORS, row, &payload));
	vector = arena_alloc(arena, payload.size);
	if (!vector)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	memcpy(vector, payload.data, payload.size);
	*ret_vector = vector;
	return status_ok();
}

/* --- loading --- */

struct load {
	const struct transaction *transaction;
	struct store_state state;
	uint64_t head_row;  /* rows below are in segments */
	struct buffer dead; /* struct dead_row, ascending */
	size_t dead_at;     /* of dead, in bytes: what is before it was passed */
	float *vector;      /* [dim] aligned copy of the row in hand */
	uint64_t rows, live_rows, ids, vectors;
	store_visit *visit;
	void *context;
};

static status find_head(struct load *load)
{
	struct store_segment *segments = NULL;
	size_t n = 0;

	TRY(manifest_read_segments(load->transaction, &segments, &n));
	load->head_row = n ? segments[n - 1].last_row + 1 : 0;
	return status_ok();
}

static status load_row(struct load *load, uint64_t row, uint64_t died, const float *vector)
{
	load->rows++;
	load->live_rows += died == STORE_ROW_LIVES;
	return load->visit(load->context, row, died, vector);
}

/* Dead rows without a vector, which come before a row: those of segments; and, behind their last row, those
 * that a merge left out at the end. */
static status load_dead_before(struct load *load, uint64_t row)
{
	struct dead_row dead;

	for (; load->dead_at < load->dead.size; load->dead_at += sizeof dead) {
		memcpy(&dead, load->dead.data + load->dead_at, sizeof dead);
		if (dead.row >= row)
			break;
		TRY(load_row(load, dead.row, dead.generation, NULL));
	}
	return status_ok();
}

/* The generation at which a row with a vector died; STORE_ROW_LIVES. Those before it were passed. */
static uint64_t take_death(struct load *load, uint64_t row)
{
	struct dead_row dead;

	if (load->dead_at == load->dead.size)
		return STORE_ROW_LIVES;
	memcpy(&dead, load->dead.data + load->dead_at, sizeof dead);
	if (dead.row != row)
		return STORE_ROW_LIVES;
	load->dead_at += sizeof dead;
	return dead.generation;
}

/* Each id is read, since one that is damaged would not be found, and be put a second time. */
static status load_ids(struct load *load)
{
	SCOPED(walk) walk = &(struct walk){.transaction = load->transaction, .table = TABLE_IDS};
	struct entry entry;
	bool found;

	for (;;) {
		uint64_t row;

		TRY(walk_next(walk, &found, &entry));
		if (!found)
			return status_ok();
		row = load_u64(entry.payload.data);
		if (row >= load->state.next_row)
			return value_damaged(load->transaction, TABLE_IDS, entry.key,
					     "an id names a row that was never given out");
		load->ids++;
		if (row < load->head_row)
			TRY(load_row(load, row, STORE_ROW_LIVES, NULL));
	}
}

/* What is before them was sealed, and may not have been removed yet. */
static status load_vectors(struct load *load)
{
	struct row_key first = row_key_of(load->head_row);
	SCOPED(walk) walk = &(struct walk){.transaction = load->transaction,
					   .table = TABLE_VECTORS,
					   .from = bytes_of(first.bytes, sizeof first.bytes)};
	struct entry entry;
	bool found;

	for (;;) {
		uint64_t row;

		TRY(walk_next(walk, &found, &entry));
		if (!found)
			return load_dead_before(load, UINT64_MAX);
		row = load_u64_be(entry.key.data);
		if (row >= load->state.next_row)
			return value_damaged(load->transaction, TABLE_VECTORS, entry.key,
					     "the row was never given out");
		load->vectors++;
		memcpy(load->vector, entry.payload.data, entry.payload.size);
		TRY(load_dead_before(load, row));
		TRY(load_row(load, row, take_death(load, row), load->vector));
	}
}

/* What the tables say of each other: a lost table or page would otherwise look like fewer rows. */
static status check_counts(const struct load *load)
{
	const struct transaction *t = load->transaction;
	MDB_stat records;
	int result = mdb_stat(t->handle, t->store->tables[TABLE_RECORDS], &records);

	if (result)
		return store_failure(t->store, t->arena, result, "count its rows");
	if (load->live_rows == load->state.live_rows && load->ids == load->live_rows &&
	    records.ms_entries == load->rows)
		return status_ok();
	return status_reason(
		status_format(
			t->arena, STATUS_DATA_LOSS,
			"collection \"%s\": %llu rows should be live, and there are %llu, with "
			"%llu ids, %zu records, %llu vectors of %llu rows in memory and sealed",
			t->store->config.name, (unsigned long long)load->state.live_rows,
			(unsigned long long)load->live_rows, (unsigned long long)load->ids,
			records.ms_entries, (unsigned long long)load->vectors,
			(unsigned long long)load->rows),
		t->arena, REASON_DATA_CORRUPT, "collection", t->store->config.name, NULL);
}

/* Dead ones are looked up one by one: there are few, or a bound. */
static void count_dead_bytes(struct load *load)
{
	struct dead_row dead;

	load->state.dead_bytes = 0;
	for (size_t at = 0; at < load->dead.size; at += sizeof dead) {
		memcpy(&dead, load->dead.data + at, sizeof dead);
		load->state.dead_bytes += dead_row_bytes(load->transaction, dead.row);
	}
}

static void load_finish(struct load *load)
{
	buffer_finish(&load->dead);
}

SCOPE_DEFINE(load, load_finish)

status store_load(struct store *store, struct arena *arena, struct store_state *ret_state,
		  store_visit *visit, void *context)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
	SCOPED(load) load = &(struct load){.transaction = t, .visit = visit, .context = context};

	load->vector = ARENA_ARRAY(arena, float, store->config.dim);
	if (!load->vector)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	TRY(transaction_read(t));
	TRY(manifest_read_state(t, &load->state));
	TRY(find_head(load));
	TRY(dead_rows(t, &load->dead));
	count_dead_bytes(load);
	TRY(load_dead_before(load, load->head_row));
	TRY(load_vectors(load));
	TRY(load_ids(load));
	TRY(check_counts(load));
	*ret_state = load->state;
	return status_ok();
}
