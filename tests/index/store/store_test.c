#include "tests/index/store/opened.h"

#include <criterion/criterion.h>

TestSuite(store, .init = opened_begin, .fini = opened_end);

/* The id of a chunk leads to row, where the chunk is, whole. */
static void check(uint64_t number, uint64_t version, uint64_t row)
{
	struct chunk chunk = fixture_chunk(opened.arena, number, version), got;
	uint64_t got_row;
	float *vector;
	bool found;

	cr_assert(
		!status_failed(store_find(opened.store, chunk.id, opened.arena, &found, &got_row)));
	cr_assert(found);
	cr_assert_eq(got_row, row);
	cr_assert(!status_failed(store_fetch_record(opened.store, row, opened.arena, &got)));
	cr_assert(fixture_same(&chunk, &got));
	cr_assert_null(got.vector);
	cr_assert(!status_failed(store_fetch_vector(opened.store, row, opened.arena, &vector)));
	cr_assert_eq(memcmp(vector, chunk.vector, FIXTURE_DIM * sizeof(float)), 0);
}

static bool delete_id(struct bytes id)
{
	SCOPED(store_write) write = NULL;
	uint64_t row;
	bool found;

	cr_assert(!status_failed(store_write_begin(opened.store, opened.arena, &write)));
	opened.state.generation++;
	cr_assert(!status_failed(
		store_write_delete(write, id, opened.state.generation, &found, &row)));
	opened.state.live_rows -= found;
	opened.state.dead_bytes += found ? store_write_row_bytes(write, row) : 0;
	cr_assert(!status_failed(store_write_state(write, &opened.state)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	return found;
}

static size_t purge(uint64_t generation, size_t max)
{
	SCOPED(store_write) write = NULL;
	struct store_purge purge = {
		.generation = generation,
		.rows_max = max,
		.rows_wanted = SIZE_MAX,
		.readable_from = opened.state.readable_from,
	};

	cr_assert(!status_failed(store_write_begin(opened.store, opened.arena, &write)));
	cr_assert(!status_failed(store_write_purge(write, &purge)));
	opened.state.readable_from = purge.readable_from;
	opened.state.dead_bytes -= purge.bytes;
	cr_assert(!status_failed(store_write_state(write, &opened.state)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	return purge.rows;
}

/* The living rows that store_load visits, as a bitmap of rows below 64. */
static status note_row(void *context, uint64_t row, uint64_t died, const float *vector)
{
	(void)vector;
	cr_assert_lt(row, 64U);
	*(uint64_t *)context |= (uint64_t)(died == STORE_ROW_LIVES) << row;
	return status_ok();
}

/* The generations at which rows below 64 died; 0: they live, or are not there. */
static status note_death(void *context, uint64_t row, uint64_t died, const float *vector)
{
	(void)vector;
	cr_assert_lt(row, 64U);
	((uint64_t *)context)[row] = died == STORE_ROW_LIVES ? 0 : died;
	return status_ok();
}

static uint64_t loaded_rows(void)
{
	struct store_state loaded;
	uint64_t rows = 0;

	cr_assert(!status_failed(store_load(opened.store, opened.arena, &loaded, note_row, &rows)));
	cr_assert_eq(memcmp(&loaded, &opened.state, sizeof opened.state), 0);
	return rows;
}

Test(store, keeps_its_config)
{
	struct collection_config want = fixture_config();
	const struct collection_config *got = store_config(opened.store);
	uint8_t incarnation[16];

	cr_assert_str_eq(got->name, want.name);
	cr_assert_eq(got->dim, want.dim);
	cr_assert_eq(got->metric, want.metric);
	cr_assert_eq(got->index_kind, want.index_kind);
	cr_assert_eq(got->encoding, want.encoding);
	cr_assert_str_eq(got->faiss_factory, want.faiss_factory);
	cr_assert_eq(got->lists, want.lists);
	cr_assert_eq(memcmp(&got->default_recall_target, &want.default_recall_target, 4), 0);
	cr_assert_eq(got->n_fields, want.n_fields);
	for (size_t i = 0; i < want.n_fields; i++) {
		cr_assert_str_eq(got->fields[i].name, want.fields[i].name);
		cr_assert_eq(got->fields[i].type, want.fields[i].type);
		cr_assert_eq(got->fields[i].required, want.fields[i].required);
	}

	int64_t created = store_create_time_ns(opened.store);

	cr_assert_gt(created, INT64_C(1600000000000000000));
	memcpy(incarnation, store_incarnation(opened.store), sizeof incarnation);
	opened_again();
	cr_assert_eq(store_create_time_ns(opened.store), created);
	cr_assert_eq(memcmp(store_incarnation(opened.store), incarnation, sizeof incarnation), 0);
	cr_assert_gt(store_disk_bytes(opened.store), 0U);
}

Test(store, gives_back_what_was_put)
{
	for (uint64_t i = 0; i < 20; i++)
		opened_put(i, 1);

	for (uint64_t i = 0; i < 20; i++)
		check(i, 1, i);
	opened_again();
	for (uint64_t i = 0; i < 20; i++)
		check(i, 1, i);
	cr_assert_eq(loaded_rows(), 0xFFFFFU);
}

Test(store, loads_an_empty_one)
{
	cr_assert_eq(loaded_rows(), 0U);
}

Test(store, knows_nothing_of_what_was_not_put)
{
	struct chunk got;
	float *vector;
	uint64_t row;
	bool found = true;

	opened_put(1, 1);
	cr_assert(!status_failed(
		store_find(opened.store, bytes_of_string("chunk 2"), opened.arena, &found, &row)));
	cr_assert(!found);
	cr_assert_eq(store_fetch_record(opened.store, 1, opened.arena, &got).code,
		     STATUS_NOT_FOUND);
	cr_assert_eq(store_fetch_vector(opened.store, 1, opened.arena, &vector).code,
		     STATUS_NOT_FOUND);
	cr_assert(!delete_id(bytes_of_string("chunk 2")));
}

Test(store, gives_a_replaced_chunk_a_new_row_and_keeps_the_old)
{
	struct chunk old = fixture_chunk(opened.arena, 1, 1), got;

	opened_put(1, 1);
	opened_put(2, 1);
	opened_put(1, 2);

	check(1, 2, 2);
	check(2, 1, 1);
	cr_assert(!status_failed(store_fetch_record(opened.store, 0, opened.arena, &got)));
	cr_assert(fixture_same(&old, &got));
	opened_again();
	cr_assert_eq(loaded_rows(), 0x6U);
}

Test(store, finds_no_deleted_chunk_and_keeps_its_row)
{
	struct bytes id = bytes_of_string("chunk 1");
	struct chunk got;
	uint64_t row;
	bool found;

	opened_put(1, 1);
	opened_put(2, 1);
	cr_assert(delete_id(id));

	cr_assert(!status_failed(store_find(opened.store, id, opened.arena, &found, &row)));
	cr_assert(!found);
	cr_assert(!delete_id(id));
	cr_assert(!status_failed(store_fetch_record(opened.store, 0, opened.arena, &got)));
	cr_assert_eq(loaded_rows(), 0x2U);
	opened_put(1, 3);
	check(1, 3, 2);
}

Test(store, purges_what_died_at_or_below_a_generation)
{
	struct chunk got;
	float *vector;

	for (uint64_t i = 0; i < 6; i++)
		opened_put(i, 1); /* generations 1 to 6 */
	for (uint64_t i = 0; i < 4; i++)
		opened_put(i, 2); /* 7 to 10: rows 0 to 3 die */

	cr_assert_eq(purge(6, 100), 0U);
	cr_assert_eq(opened.state.readable_from, 0U);
	cr_assert_eq(purge(9, 2), 2U);
	cr_assert_eq(opened.state.readable_from, 8U);
	cr_assert_eq(purge(9, 2), 1U);
	cr_assert_eq(opened.state.readable_from, 9U);
	cr_assert_eq(purge(9, 2), 0U);
	cr_assert_eq(opened.state.readable_from, 9U);
	for (uint64_t row = 0; row < 3; row++) {
		cr_assert_eq(store_fetch_record(opened.store, row, opened.arena, &got).code,
			     STATUS_NOT_FOUND);
		cr_assert_eq(store_fetch_vector(opened.store, row, opened.arena, &vector).code,
			     STATUS_NOT_FOUND);
	}
	cr_assert(!status_failed(store_fetch_record(opened.store, 3, opened.arena, &got)));
	cr_assert_eq(loaded_rows(), 0x3F0U);
}

Test(store, loads_dead_rows_with_the_generation_of_their_death)
{
	uint64_t deaths[64] = {0};
	struct store_state loaded;

	for (uint64_t i = 0; i < 4; i++)
		opened_put(i, 1); /* generations 1 to 4 */
	opened_put(3, 2);         /* 5: row 3 dies */
	opened_put(0, 2);         /* 6: row 0 dies */

	cr_assert(!status_failed(
		store_load(opened.store, opened.arena, &loaded, note_death, deaths)));
	cr_assert_eq(deaths[3], 5U);
	cr_assert_eq(deaths[0], 6U);
	cr_assert_eq(deaths[1] + deaths[2] + deaths[4] + deaths[5], 0U);
	cr_assert_eq(loaded.live_rows, 4U);
}

static status fail(void *context, uint64_t row, uint64_t died, const float *vector)
{
	(void)context;
	(void)row;
	(void)died;
	(void)vector;
	return status_make(STATUS_CANCELLED, "enough");
}

Test(store, stops_loading_where_the_visitor_fails)
{
	struct store_state loaded = {77, 77, 77, 77, 77};

	opened_put(1, 1);
	cr_assert_eq(store_load(opened.store, opened.arena, &loaded, fail, NULL).code,
		     STATUS_CANCELLED);
	cr_assert_eq(loaded.next_row, 77U);
}

Test(store, says_when_memory_is_short)
{
	SCOPED(arena) small = &(struct arena){0};
	struct chunk got;
	float *vector;

	opened_put(1, 1);
	arena_init(small, 16);
	cr_assert_eq(store_fetch_record(opened.store, 0, small, &got).code,
		     STATUS_RESOURCE_EXHAUSTED);
	cr_assert_eq(store_fetch_vector(opened.store, 0, small, &vector).code,
		     STATUS_RESOURCE_EXHAUSTED);
	check(1, 1, 0);
}

Test(store, keeps_a_vector_of_many_pages)
{
	struct collection_config config = fixture_config();
	struct chunk chunk;
	float *vector;

	config.dim = DIMENSION_MAX;
	opened_anew(&config);
	chunk = fixture_chunk(opened.arena, 1, 1);
	chunk.vector = ARENA_ARRAY(opened.arena, float, DIMENSION_MAX);
	for (size_t i = 0; i < DIMENSION_MAX; i++)
		chunk.vector[i] = (float)i;
	cr_assert(
		!status_failed(fixture_put(opened.store, opened.arena, 0, &chunk, &opened.state)));
	opened_again();

	cr_assert(!status_failed(store_fetch_vector(opened.store, 0, opened.arena, &vector)));
	cr_assert_eq(memcmp(vector, chunk.vector, DIMENSION_MAX * sizeof(float)), 0);
}
