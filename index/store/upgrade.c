/* upgrade - builds what an older store lacks. */
#include "index/store/upgrade.h"

#include "index/store/manifest.h"
#include "index/store/postings.h"
#include "index/store/record.h"
#include "index/store/walk.h"
#include "kernels/base/log.h"

/* The first format that had them. */
#define UPGRADE_FORMAT_POSTINGS 2

#define ROWS_AT_ONCE 8192
#define RECORD_ARENA_BYTES ((size_t)8 << 20)

static status note_row(const struct transaction *transaction, const struct entry *entry,
		       struct postings *postings)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct chunk chunk;
	status decoded;

	arena_init(arena, RECORD_ARENA_BYTES);
	decoded = record_decode(entry->payload, arena, &chunk);
	if (decoded.code == STATUS_DATA_LOSS)
		return value_damaged(transaction, TABLE_RECORDS, entry->key, decoded.detail);
	TRY(decoded);
	postings_add(postings, &transaction->store->config, load_u64_be(entry->key.data), &chunk);
	return status_ok();
}

/* Notes what the next records have. ret_next  the row behind the last of them. */
static status note_rows(const struct transaction *transaction, uint64_t first,
			struct postings *postings, uint64_t *ret_next, bool *ret_done)
{
	struct row_key key = row_key_of(first);
	SCOPED(walk) walk = &(struct walk){.transaction = transaction,
					   .table = TABLE_RECORDS,
					   .from = bytes_of(key.bytes, sizeof key.bytes)};
	struct entry entry;
	bool found = true;

	for (size_t n = 0; n < ROWS_AT_ONCE; n++) {
		TRY(walk_next(walk, &found, &entry));
		if (!found)
			break;
		TRY(note_row(transaction, &entry, postings));
		*ret_next = load_u64_be(entry.key.data) + 1;
	}
	*ret_done = !found;
	return status_ok();
}

SCOPE_DEFINE(postings, postings_finish)

/* One part, within its transaction. */
static status fill_part(const struct transaction *transaction, uint64_t first, uint64_t *ret_next,
			bool *ret_done)
{
	SCOPED(postings) postings = &(struct postings){0};

	TRY(note_rows(transaction, first, postings, ret_next, ret_done));
	TRY(postings_apply(postings, transaction));
	return *ret_done ? manifest_write_config(transaction) : status_ok();
}

struct building {
	struct store *store;
	struct arena *arena;
	uint64_t row; /* of the next part */
	bool done;
};

/* For store_grow_while_full. */
static status try_part(void *context)
{
	struct building *building = context;
	struct transaction transaction = {.store = building->store, .arena = building->arena};
	uint64_t next = building->row;
	bool done = false;
	status s;

	TRY(transaction_write(&transaction));
	s = fill_part(&transaction, building->row, &next, &done);
	if (status_failed(s)) {
		transaction_abort(&transaction);
		return s;
	}
	TRY(transaction_commit(&transaction));
	building->row = next;
	building->done = done;
	return status_ok();
}

/* What an upgrade that broke off had built. */
static status clear(struct store *store, struct arena *arena)
{
	static const enum table built[] = {TABLE_POSTINGS, TABLE_NUMBERS, TABLE_DOCUMENTS};
	struct transaction transaction = {.store = store, .arena = arena};
	int result = 0;

	TRY(transaction_write(&transaction));
	for (size_t i = 0; i < sizeof built / sizeof *built && !result; i++)
		result = mdb_drop(transaction.handle, store->tables[built[i]], 0);
	if (result) {
		transaction_abort(&transaction);
		return store_failure(store, arena, result, "empty its tables for filters");
	}
	return transaction_commit(&transaction);
}

static status build_postings(struct store *store, struct arena *arena)
{
	struct building building = {.store = store, .arena = arena};

	log_write(LOG_INFO, "collection %s: is of an older format; building its postings",
		  store->config.name);
	TRY(clear(store, arena));
	while (!building.done)
		TRY(store_grow_while_full(store, arena, try_part, &building));
	return status_ok();
}

/* All that differs is what may be missing from now on. */
static status take_version(void *context)
{
	struct transaction *transaction = context;
	status written;

	TRY(transaction_write(transaction));
	written = manifest_write_config(transaction);
	if (status_failed(written)) {
		transaction_abort(transaction);
		return written;
	}
	return transaction_commit(transaction);
}

status store_upgrade(struct store *store, struct arena *arena)
{
	struct transaction transaction = {.store = store, .arena = arena};

	if (store->format < UPGRADE_FORMAT_POSTINGS)
		return build_postings(store, arena);
	return store_grow_while_full(store, arena, take_version, &transaction);
}
