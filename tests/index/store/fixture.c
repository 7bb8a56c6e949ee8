/* fixture - a store in a directory of its own, and chunks to put into it. */
#include "tests/index/store/fixture.h"

#include "kernels/base/checksum.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What must hold for a test to mean anything. */
static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fixture: %s\n", what);
	abort();
}

uint64_t fixture_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	return z ^ (z >> 31);
}

static struct scratch scratch;

const char *fixture_directory(void)
{
	scratch_open(&scratch);
	return scratch.path;
}

void fixture_remove(void)
{
	scratch_close(&scratch);
}

struct collection_config fixture_config(void)
{
	struct collection_config config = {
		.name = "docs",
		.dim = FIXTURE_DIM,
		.metric = METRIC_L2,
		.index_kind = INDEX_IVF,
		.encoding = ENCODING_FLOAT16,
		.faiss_factory = "IVF64,Flat",
		.lists = 64,
		.default_recall_target = 0.95F,
		.n_fields = 2,
	};

	config.fields[0] = (struct field_schema){"lang", VALUE_STRING, true};
	config.fields[1] = (struct field_schema){"tags", VALUE_STRING_LIST, false};
	return config;
}

static struct bytes print(struct arena *arena, const char *what, uint64_t number, uint64_t version)
{
	return bytes_of_string(arena_printf(arena, "%s %llu, version %llu", what,
					    (unsigned long long)number,
					    (unsigned long long)version));
}

static struct metadata *make_metadata(struct arena *arena, uint64_t number, uint64_t version)
{
	struct metadata *metadata = ARENA_ARRAY(arena, struct metadata, 5);
	struct bytes *items = ARENA_ARRAY(arena, struct bytes, 3);

	require(metadata && items, "memory");
	items[0] = print(arena, "item", number, version);
	items[1] = bytes_of_string("");
	items[2] = bytes_of_string("gr\xC3\xBC\xC3\x9F");
	metadata[0].key = bytes_of_string("flag");
	metadata[0].value.kind = VALUE_BOOL;
	metadata[0].value.boolean = number % 2 == 0;
	metadata[1].key = bytes_of_string("lang");
	metadata[1].value.kind = VALUE_STRING;
	metadata[1].value.string = bytes_of_string("de");
	metadata[2].key = bytes_of_string("page");
	metadata[2].value.kind = VALUE_INT;
	metadata[2].value.integer = -(int64_t)number;
	metadata[3].key = bytes_of_string("tags");
	metadata[3].value.kind = VALUE_STRING_LIST;
	metadata[3].value.list.items = items;
	metadata[3].value.list.n = 3;
	metadata[4].key = bytes_of_string("weight");
	metadata[4].value.kind = VALUE_DOUBLE;
	metadata[4].value.number = (double)version / 3.0;
	return metadata;
}

struct chunk fixture_chunk(struct arena *arena, uint64_t number, uint64_t version)
{
	struct chunk chunk = {
		.id = bytes_of_string(
			arena_printf(arena, "chunk %llu", (unsigned long long)number)),
		.document_id = print(arena, "document", number / 10, 0),
		.text = print(arena, "text of chunk", number, version),
		.ordinal = (uint32_t)number,
		.token_count = 300,
		.metadata = make_metadata(arena, number, version),
		.n_metadata = 5,
		.vector = ARENA_ARRAY(arena, float, FIXTURE_DIM),
	};

	require(chunk.vector, "memory");
	for (uint32_t i = 0; i < FIXTURE_DIM; i++)
		chunk.vector[i] = (float)(number * 31 + version * 7 + i);
	return chunk;
}

static bool same_value(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_STRING:
		return bytes_equal(a->string, b->string);
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_DOUBLE: /* bit for bit, NaN included */
		return memcmp(&a->number, &b->number, sizeof a->number) == 0;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_STRING_LIST:
		if (a->list.n != b->list.n)
			return false;
		for (size_t i = 0; i < a->list.n; i++)
			if (!bytes_equal(a->list.items[i], b->list.items[i]))
				return false;
		return true;
	}
	return false;
}

bool fixture_same(const struct chunk *a, const struct chunk *b)
{
	if (!bytes_equal(a->id, b->id) || !bytes_equal(a->document_id, b->document_id) ||
	    !bytes_equal(a->text, b->text) || a->ordinal != b->ordinal ||
	    a->token_count != b->token_count || a->n_metadata != b->n_metadata)
		return false;
	for (size_t i = 0; i < a->n_metadata; i++)
		if (!bytes_equal(a->metadata[i].key, b->metadata[i].key) ||
		    !same_value(&a->metadata[i].value, &b->metadata[i].value))
			return false;
	return true;
}

static status put_once(struct store *store, struct arena *arena, uint64_t row,
		       const struct chunk *chunk, struct store_state *state)
{
	SCOPED(store_write) write = NULL;
	struct store_state next = *state;
	bool replaced;
	uint64_t old_row;

	TRY(store_write_begin(store, arena, &write));
	next.next_row = row + 1;
	next.generation++;
	TRY(store_write_put(write, row, next.generation, chunk, &replaced, &old_row));
	next.live_rows += !replaced;
	next.dead_bytes += replaced ? store_write_row_bytes(write, old_row) : 0;
	TRY(store_write_state(write, &next));
	TRY(store_write_commit(TAKE(write)));
	*state = next;
	return status_ok();
}

status fixture_put(struct store *store, struct arena *arena, uint64_t row,
		   const struct chunk *chunk, struct store_state *state)
{
	for (;;) {
		status put = put_once(store, arena, row, chunk, state);

		if (put.code != STATUS_ABORTED)
			return put;
		TRY(store_grow(store, arena));
	}
}

static void fix(struct bytes key, uint8_t *value, size_t size)
{
	uint32_t crc = checksum_crc32c(checksum_crc32c(0, key), bytes_of(value, size - 4));

	store_u32(value + size - 4, crc);
}

void fixture_edit(const char *table, struct bytes key, void (*edit)(uint8_t *value, size_t size),
		  bool fix_checksum)
{
	MDB_val k = {key.size, (void *)(uintptr_t)key.data}, v;
	MDB_env *env = NULL;
	MDB_txn *txn;
	MDB_dbi dbi;

	require(!mdb_env_create(&env) && !mdb_env_set_maxdbs(env, TABLE_N), "environment");
	require(!mdb_env_open(env, scratch.path, 0, 0600), "open the environment");
	require(!mdb_txn_begin(env, NULL, 0, &txn), "transaction");
	require(!mdb_dbi_open(txn, table, 0, &dbi), "table");
	require(!mdb_get(txn, dbi, &k, &v), "the value to edit");
	if (edit) {
		uint8_t *value = malloc(v.mv_size);

		require(value, "memory");
		memcpy(value, v.mv_data, v.mv_size);
		edit(value, v.mv_size);
		if (fix_checksum)
			fix(key, value, v.mv_size);
		v.mv_data = value;
		require(!mdb_put(txn, dbi, &k, &v, 0), "put");
		free(value);
	} else {
		require(!mdb_del(txn, dbi, &k, NULL), "delete");
	}
	require(!mdb_txn_commit(txn), "commit");
	mdb_env_close(env);
}

status fixture_count_visit(void *context, uint64_t row, uint64_t died, const float *vector)
{
	(void)row;
	(void)vector;
	*(uint64_t *)context += died == STORE_ROW_LIVES;
	return status_ok();
}
