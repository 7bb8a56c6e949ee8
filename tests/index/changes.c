/* changes - see changes.h. */
#include "tests/index/changes.h"

#include "kernels/score.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 << 20)
#define CHUNKS_MAX 6
#define WRITES_MAX 16

struct change_of_some {
	struct write write; /* first */
	struct arena arena;
	struct group_filter matching;
	sem_t *answered;
	uint64_t inserted, replaced, deleted; /* as it has to be answered */
};

static struct collection_config config(void)
{
	struct collection_config config = fixture_config("changes");

	config.dim = CHANGES_DIM;
	config.n_fields = 1;
	config.fields[0] = (struct field_schema){"group", VALUE_INT, false};
	return config;
}

void changes_open(struct changes *changes)
{
	struct collection_config wanted = config();

	changes->collection = fixture_collection_of(&wanted);
}

void changes_close(struct changes *changes)
{
	collection_release(TAKE(changes->collection));
}

void changes_vector(struct changes *changes, float ret[CHANGES_DIM])
{
	for (size_t i = 0; i < CHANGES_DIM; i++)
		ret[i] = (float)random_below(&changes->random, 4);
}

static struct bytes id_of(unsigned id, struct arena *arena)
{
	return bytes_of_string(arena_printf(arena, "c%u", id));
}

static struct bytes text_of(const struct version *version, struct arena *arena)
{
	return bytes_of_string(arena_printf(arena, "row %llu of c%u",
					    (unsigned long long)version->row, version->id));
}

static void fill_chunk(struct chunk *chunk, const struct version *version, struct arena *arena)
{
	struct metadata *metadata = ARENA_NEW(arena, struct metadata);

	*metadata = (struct metadata){
		.key = bytes_of_string("group"),
		.value = {.kind = VALUE_INT, .integer = version->group},
	};
	*chunk = (struct chunk){
		.id = id_of(version->id, arena),
		.text = text_of(version, arena),
		.metadata = metadata,
		.n_metadata = 1,
		.vector = arena_copy(arena, version->vector, sizeof version->vector),
	};
}

/* n of the ids, all different. */
static void draw_ids(struct changes *changes, size_t n, unsigned *ret)
{
	for (size_t i = 0; i < n; i++) {
		bool again = true;

		while (again) {
			ret[i] = (unsigned)random_below(&changes->random, CHANGES_IDS);
			again = false;
			for (size_t j = 0; j < i; j++)
				again = again || ret[j] == ret[i];
		}
	}
}

static void upsert(struct changes *changes, struct change_of_some *change)
{
	size_t n = change->write.n;
	unsigned ids[CHUNKS_MAX];

	draw_ids(changes, n, ids);
	change->write.kind = WRITE_UPSERT;
	change->write.chunks = ARENA_ARRAY(&change->arena, struct chunk, n);
	for (size_t i = 0; i < n; i++) {
		struct version *version = &changes->now[ids[i]];

		change->inserted += !changes->lives[ids[i]];
		change->replaced += changes->lives[ids[i]];
		changes->lives[ids[i]] = true;
		version->row = changes->n_rows++;
		version->id = ids[i];
		version->group = (unsigned)random_below(&changes->random, CHANGES_GROUPS);
		changes_vector(changes, version->vector);
		fill_chunk(&change->write.chunks[i], version, &change->arena);
	}
	changes->n_written++;
}

static void delete(struct changes *changes, struct change_of_some *change)
{
	size_t n = change->write.n;
	struct bytes *ids = ARENA_ARRAY(&change->arena, struct bytes, n);
	unsigned drawn[CHUNKS_MAX];

	draw_ids(changes, n, drawn);
	change->write.kind = WRITE_DELETE;
	change->write.ids = ids;
	for (size_t i = 0; i < n; i++) {
		ids[i] = id_of(drawn[i], &change->arena);
		change->deleted += changes->lives[drawn[i]];
		changes->lives[drawn[i]] = false;
	}
	changes->n_deleted++;
}

void changes_filter(unsigned group, struct group_filter *ret)
{
	ret->value = (struct value){.kind = VALUE_INT, .integer = group};
	ret->condition = (struct condition){
		.test = CONDITION_ANY_OF_VALUES,
		.values = &ret->value,
		.n_values = 1,
	};
	ret->filter = (struct filter){.all_of = &ret->condition, .n_all_of = 1};
}

static void delete_matching(struct changes *changes, struct change_of_some *change)
{
	unsigned group = (unsigned)random_below(&changes->random, CHANGES_GROUPS);

	changes_filter(group, &change->matching);
	change->write.kind = WRITE_DELETE_MATCHING;
	change->write.filter = &change->matching.filter;
	change->write.n = 0;
	for (size_t id = 0; id < CHANGES_IDS; id++) {
		if (!changes->lives[id] || changes->now[id].group != group)
			continue;
		change->deleted++;
		changes->lives[id] = false;
	}
	changes->n_matched++;
}

static void answered(struct write *write)
{
	sem_post(((struct change_of_some *)write)->answered);
}

static void change_draw_some(struct changes *changes, struct change_of_some *change)
{
	uint64_t kind = random_below(&changes->random, 20);

	arena_init(&change->arena, ARENA_BYTES);
	change->write.arena = &change->arena;
	change->write.done = answered;
	change->write.n = 1 + random_below(&changes->random, CHUNKS_MAX);
	if (kind == 0)
		delete_matching(changes, change);
	else if (kind < 5)
		delete (changes, change);
	else
		upsert(changes, change);
}

static void check_answer(const struct change_of_some *change)
{
	const struct write *write = &change->write;

	cr_assert_not(status_failed(write->result), "%s", write->result.detail);
	cr_assert_eq(write->inserted, change->inserted);
	cr_assert_eq(write->replaced, change->replaced);
	cr_assert_eq(write->deleted, change->deleted);
}

void changes_make(struct changes *changes, size_t n)
{
	struct change_of_some some[WRITES_MAX] = {0};
	sem_t done;

	cr_assert_leq(n, WRITES_MAX);
	sem_init(&done, 0, 0);
	for (size_t i = 0; i < n; i++) {
		some[i].answered = &done;
		change_draw_some(changes, &some[i]);
		collection_write(changes->collection, &some[i].write);
	}
	for (size_t i = 0; i < n; i++)
		while (sem_wait(&done))
			;
	for (size_t i = 0; i < n; i++) {
		check_answer(&some[i]);
		arena_finish(&some[i].arena);
	}
	sem_destroy(&done);
}

static int compare_expected(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->version.row < y->version.row ? -1 : x->version.row > y->version.row;
}

size_t changes_order(const struct changes *changes, const float *query, unsigned group,
		     struct expected *ret)
{
	size_t n = 0;

	for (size_t id = 0; id < CHANGES_IDS; id++) {
		const struct version *version = &changes->now[id];

		if (!changes->lives[id] || (group != CHANGES_ANY_GROUP && version->group != group))
			continue;
		ret[n].score = score_exact(METRIC_L2, query, version->vector, CHANGES_DIM);
		ret[n++].version = *version;
	}
	qsort(ret, n, sizeof *ret, compare_expected);
	return n;
}

void changes_check_record(const struct changes *changes, const struct version *version)
{
	struct arena arena;
	struct chunk chunk;
	status s;

	arena_init(&arena, ARENA_BYTES);
	s = collection_fetch(changes->collection, version->row, FETCH_RECORD | FETCH_VECTOR, &arena,
			     &chunk);
	cr_assert_not(status_failed(s), "row %lu: %s", (unsigned long)version->row, s.detail);
	cr_assert(bytes_equal(chunk.id, id_of(version->id, &arena)));
	cr_assert(bytes_equal(chunk.text, text_of(version, &arena)), "%s", chunk.text.data);
	cr_assert_arr_eq(chunk.vector, version->vector, sizeof version->vector);
	arena_finish(&arena);
}
