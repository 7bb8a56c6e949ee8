/* fixture - see fixture.h. */
#include "tests/index/fixture.h"

#include "kernels/base/log.h"
#include "tests/support/scratch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)64 << 20)

struct fixture fixture;
static struct scratch scratch;

void fixture_begin(void)
{
	const char *seal_rows = getenv("SLUICE_TEST_SEAL_ROWS");

	log_set_level(LOG_ERROR);
	fixture = (struct fixture){.seal_rows = seal_rows ? strtoull(seal_rows, NULL, 10) : 0};
	arena_init(&fixture.arena, ARENA_BYTES);
	scratch_open(&scratch);
	snprintf(fixture.directory, sizeof fixture.directory, "%s", scratch.path);
}

void fixture_end(void)
{
	fixture_close();
	scratch_close(&scratch);
	arena_finish(&fixture.arena);
}

void fixture_shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	cr_assert_eq(system(command), 0, "%s", command);
}

void fixture_open(size_t n_threads)
{
	struct database_options options = {.directory = fixture.directory,
					   .retention_ns = fixture.retention_ns,
					   .dead_rows_max = fixture.dead_rows_max,
					   .dead_bytes_max = fixture.dead_bytes_max,
					   .seal_rows = fixture.seal_rows,
					   .opening = fixture.opening};
	status s;

	cr_assert_not(status_failed(pool_open(n_threads, "writer", &fixture.writers)));
	options.writers = fixture.writers;
	s = database_open(&options, &fixture.arena, &fixture.database);
	cr_assert_not(status_failed(s), "%s", s.detail);
}

void fixture_close(void)
{
	database_close(TAKE(fixture.database));
	pool_close(TAKE(fixture.writers));
}

struct collection_config fixture_config(const char *name)
{
	struct collection_config config = {
		.dim = MODEL_DIM,
		.metric = METRIC_L2,
		.index_kind = INDEX_FLAT,
		.encoding = ENCODING_FLOAT32,
	};

	snprintf(config.name, sizeof config.name, "%s", name);
	return config;
}

struct collection *fixture_collection(const char *name)
{
	struct collection_config config = fixture_config(name);

	return fixture_collection_of(&config);
}

struct collection *fixture_collection_of(const struct collection_config *config)
{
	struct collection *collection = NULL;
	status s = database_create(fixture.database, config, &fixture.arena);

	cr_assert(!status_failed(s) || s.code == STATUS_ALREADY_EXISTS, "%s", s.detail);
	s = database_acquire(fixture.database, bytes_of_string(config->name), &fixture.arena,
			     &collection);
	cr_assert_not(status_failed(s), "%s", s.detail);
	return collection;
}

struct submitted {
	struct write write; /* first */
	sem_t answered;
};

static void submitted_answered(struct write *write)
{
	sem_post(&((struct submitted *)write)->answered);
}

uint64_t fixture_write(struct collection *collection, struct write write)
{
	struct submitted submitted = {.write = write};

	sem_init(&submitted.answered, 0, 0);
	submitted.write.done = submitted_answered;
	collection_write(collection, &submitted.write);
	while (sem_wait(&submitted.answered))
		;
	sem_destroy(&submitted.answered);
	cr_assert_not(status_failed(submitted.write.result), "%s", submitted.write.result.detail);
	return submitted.write.deleted;
}

uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717U;
}

uint64_t random_below(uint64_t *state, uint64_t n)
{
	return (random_next(state) >> 11) % n;
}

/* Every eighth is long: the store keys those by a hash. */
struct bytes model_id(unsigned i, struct arena *arena)
{
	char *id = arena_printf(arena, "%s%u", "id-", i);

	if (i % 8 == 0)
		id = arena_printf(arena, "%0450u-%u", 7, i);
	cr_assert_not_null(id);
	return bytes_of_string(id);
}

static float model_value(unsigned i, uint32_t version, unsigned at)
{
	return (float)(version % 1000) + (float)i / 256.0F + (float)at / 65536.0F;
}

static void fill_chunk(struct chunk *chunk, unsigned i, uint32_t version, struct arena *arena)
{
	struct metadata *metadata = ARENA_NEW(arena, struct metadata);

	*metadata = (struct metadata){
		.key = bytes_of_string("version"),
		.value = {.kind = VALUE_INT, .integer = version},
	};
	*chunk = (struct chunk){
		.id = model_id(i, arena),
		.text = bytes_of_string(arena_printf(arena, "%u of %u", version, i)),
		.ordinal = i,
		.metadata = metadata,
		.n_metadata = 1,
		.vector = ARENA_ARRAY(arena, float, MODEL_DIM),
	};
	for (unsigned at = 0; at < MODEL_DIM; at++)
		chunk->vector[at] = model_value(i, version, at);
}

static void change_answered(struct write *write)
{
	sem_post(&((struct change *)write)->answered);
}

void change_init(struct change *change, const unsigned *items, size_t n, uint32_t version)
{
	struct arena *arena = &change->arena;

	cr_assert_leq(n, CHANGE_ROWS);
	*change = (struct change){.version = version};
	sem_init(&change->answered, 0, 0);
	arena_init(arena, ARENA_BYTES);
	if (n)
		memcpy(change->items, items, n * sizeof *items);
	change->write.kind = version ? WRITE_UPSERT : WRITE_DELETE;
	change->write.n = n;
	change->write.arena = arena;
	change->write.done = change_answered;
	if (version) {
		change->write.chunks = ARENA_ARRAY(arena, struct chunk, n);
		for (size_t j = 0; j < n; j++)
			fill_chunk(&change->write.chunks[j], items[j], version, arena);
	} else {
		struct bytes *ids = ARENA_ARRAY(arena, struct bytes, n);

		for (size_t j = 0; j < n; j++)
			ids[j] = model_id(items[j], arena);
		change->write.ids = ids;
	}
}

void change_draw(struct change *change, uint64_t *random, uint32_t version)
{
	unsigned items[CHANGE_ROWS];
	bool taken[MODEL_IDS] = {false};
	size_t n = random_below(random, CHANGE_ROWS + 1), kept = 0;
	bool upsert = random_below(random, 3) > 0;

	/* A delete may name an id twice. */
	for (size_t j = 0; j < n; j++) {
		unsigned i = (unsigned)random_below(random, MODEL_IDS);

		if (upsert && taken[i])
			continue;
		taken[i] = true;
		items[kept++] = i;
	}
	change_init(change, items, kept, upsert ? version : 0);
}

void change_finish(struct change *change)
{
	sem_destroy(&change->answered);
	arena_finish(&change->arena);
}

void change_write(struct change *change, struct collection *collection)
{
	collection_write(collection, &change->write);
	while (sem_wait(&change->answered))
		;
	cr_assert_not(status_failed(change->write.result), "%s", change->write.result.detail);
}

void change_now(struct collection *collection, const unsigned *items, size_t n, uint32_t version)
{
	struct change change;

	change_init(&change, items, n, version);
	change_write(&change, collection);
	change_finish(&change);
}

struct model_counts model_apply(struct model *model, const struct change *change)
{
	struct model_counts counts = {0};

	for (size_t j = 0; j < change->write.n; j++) {
		uint32_t *version = &model->versions[change->items[j]];

		counts.inserted += change->version && !*version;
		counts.replaced += change->version && *version;
		counts.deleted += !change->version && *version;
		*version = change->version;
	}
	model->n_live += counts.inserted;
	model->n_live -= counts.deleted;
	return counts;
}

void model_fill(struct model *model, struct collection *collection, uint32_t versions)
{
	struct collection_status about;
	uint64_t random = 5;

	*model = (struct model){0};
	for (uint32_t version = 1; version < versions; version++) {
		struct change change;

		change_draw(&change, &random, version);
		change_write(&change, collection);
		model_apply(model, &change);
		change_finish(&change);
	}
	do {
		change_now(collection, NULL, 0, 0);
		collection_status(collection, &about);
	} while (about.segment_count == 0);
}

/* The row is that of an item at the model's version; gives the item. */
static unsigned check_row(const struct model *model, const struct snapshot *snapshot,
			  uint64_t place, struct arena *arena)
{
	struct chunk chunk, want;
	uint64_t row = snapshot_row(snapshot, place), found = 0;
	const float *vector = snapshot_vector(snapshot, place, NULL);
	status s = collection_fetch(snapshot_collection(snapshot), row, FETCH_RECORD | FETCH_VECTOR,
				    arena, &chunk);
	unsigned i;

	cr_assert_not(status_failed(s), "row %lu: %s", row, s.detail);
	i = chunk.ordinal;
	cr_assert_lt(i, MODEL_IDS);
	cr_assert_neq(model->versions[i], 0, "%u was deleted", i);
	fill_chunk(&want, i, model->versions[i], arena);
	cr_assert(bytes_equal(chunk.id, want.id));
	cr_assert(bytes_equal(chunk.text, want.text), "%s, not %s", chunk.text.data,
		  want.text.data);
	cr_assert_eq(chunk.n_metadata, 1);
	cr_assert_eq(chunk.metadata[0].value.integer, model->versions[i]);
	cr_assert_arr_eq(vector, want.vector, MODEL_DIM * sizeof(float));
	cr_assert_arr_eq(chunk.vector, want.vector, MODEL_DIM * sizeof(float));
	cr_assert(snapshot_find(snapshot, row, &found));
	cr_assert_eq(found, place);
	return i;
}

#define RANGE_ROWS 100

static bool range_sees(const struct scan_range *range, uint32_t i)
{
	return !range->visible || (range->visible[i / 64] >> (i % 64) & 1);
}

void model_check(const struct model *model, const struct snapshot *snapshot)
{
	uint64_t bitmap[(RANGE_ROWS + 63) / 64], places = snapshot_places(snapshot), n = 0,
						 last = 0;
	bool seen[MODEL_IDS] = {false};
	struct scan_range range;
	struct arena arena;

	arena_init(&arena, ARENA_BYTES);
	for (uint64_t place = 0; place < places; place += range.n) {
		snapshot_range(snapshot, place, RANGE_ROWS, bitmap, &range);
		cr_assert_eq(range.row_base + range.first, place);
		for (uint32_t j = 0; j < range.n; j++) {
			uint64_t row = snapshot_row(snapshot, place + j);
			unsigned i;

			cr_assert(place + j == 0 || row > last);
			last = row;
			cr_assert_eq(range_sees(&range, j), snapshot_visible(snapshot, place + j));
			if (!range_sees(&range, j))
				continue;
			i = check_row(model, snapshot, place + j, &arena);
			cr_assert_not(seen[i], "%u is there twice", i);
			seen[i] = true;
			n++;
		}
		arena_reset(&arena);
	}
	cr_assert_eq(n, model->n_live);
	cr_assert_eq(snapshot_count(snapshot), model->n_live);
	arena_finish(&arena);
}

void model_check_ids(const struct model *model, struct collection *collection)
{
	SCOPED(snapshot) snapshot = NULL;
	struct arena arena;

	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	arena_init(&arena, ARENA_BYTES);
	for (unsigned i = 0; i < MODEL_IDS; i++) {
		bool found = false;
		uint64_t row = 0, place = 0;
		status s = collection_find(collection, model_id(i, &arena), &arena, &found, &row);

		cr_assert_not(status_failed(s), "%s", s.detail);
		cr_assert_eq(found, model->versions[i] != 0);
		if (!found)
			continue;
		cr_assert(snapshot_find(snapshot, row, &place));
		cr_assert_eq(check_row(model, snapshot, place, &arena), i);
	}
	arena_finish(&arena);
}
