#include "tests/index/fixture.h"

#include "kernels/base/gauge.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(writer, .init = fixture_begin, .fini = fixture_end, .timeout = 40);

#define WRITES 300

/* What happened, in the order in which writes were answered. */
static struct answer {
	const struct write *write;
	uint64_t published; /* generation of the collection then */
} answers[WRITES];
static size_t n_answers;
static sem_t all_answered;
static struct collection *collection;
static struct change changes[WRITES];

static void note_answer(struct write *write)
{
	struct collection_status about;

	collection_status(collection, &about);
	answers[n_answers++] = (struct answer){write, about.generation};
	sem_post(&all_answered);
}

/* Holds the only thread of the pool until it is let go. */
struct plug {
	struct job job;
	sem_t in, gone;
};

static void plug_run(struct job *job)
{
	struct plug *plug = (struct plug *)job;

	sem_post(&plug->in);
	while (sem_wait(&plug->gone))
		;
}

static void plug_in(struct plug *plug)
{
	*plug = (struct plug){.job.run = plug_run};
	sem_init(&plug->in, 0, 0);
	sem_init(&plug->gone, 0, 0);
	pool_submit(fixture.writers, &plug->job);
	/* A writer that is still at work would take what is submitted next, and leave the plug alone. */
	while (sem_wait(&plug->in))
		;
}

static void submit(size_t n)
{
	n_answers = 0;
	sem_init(&all_answered, 0, 0);
	for (size_t i = 0; i < n; i++) {
		changes[i].write.done = note_answer;
		collection_write(collection, &changes[i].write);
	}
}

static void await(size_t n)
{
	for (size_t i = 0; i < n; i++)
		while (sem_wait(&all_answered))
			;
	sem_destroy(&all_answered);
}

static void finish_changes(size_t n)
{
	for (size_t i = 0; i < n; i++)
		change_finish(&changes[i]);
}

Test(writer, makes_one_transaction_of_all_that_waits_and_answers_in_order)
{
	uint64_t random = 7;
	struct model model = {0};
	size_t n_transactions = 0;
	struct plug plug;

	fixture_open(1);
	collection = fixture_collection("docs");
	plug_in(&plug);
	for (size_t i = 0; i < WRITES; i++)
		change_draw(&changes[i], &random, (uint32_t)i + 1);
	submit(WRITES);
	cr_assert_eq(gauge_read(GAUGE_WRITES), WRITES);
	sem_post(&plug.gone);
	await(WRITES);

	cr_assert_eq(n_answers, WRITES);
	for (size_t i = 0; i < WRITES; i++) {
		const struct write *write = &changes[i].write;
		struct model_counts counts = model_apply(&model, &changes[i]);

		cr_assert_eq(answers[i].write, write);
		cr_assert_not(status_failed(write->result));
		cr_assert_eq(write->generation, i + 1);
		cr_assert_leq(write->generation, answers[i].published);
		cr_assert_eq(write->inserted, counts.inserted);
		cr_assert_eq(write->replaced, counts.replaced);
		cr_assert_eq(write->deleted, counts.deleted);
		n_transactions += i == 0 || answers[i].published != answers[i - 1].published;
	}
	cr_assert_eq(n_transactions, (WRITES + 63) / 64);
	cr_assert_eq(gauge_read(GAUGE_WRITES), 0);
	model_check_ids(&model, collection);
	finish_changes(WRITES);
	collection_release(collection);
}

Test(writer, a_later_write_of_a_group_replaces_and_deletes_what_an_earlier_one_wrote)
{
	struct model want = {.versions = {[1] = 2, [3] = 1, [4] = 4}, .n_live = 3};
	struct snapshot *snapshot = NULL;
	struct plug plug;

	fixture_open(1);
	collection = fixture_collection("docs");
	plug_in(&plug);
	change_init(&changes[0], (unsigned[]){1, 2, 3, 4}, 4, 1);
	change_init(&changes[1], (unsigned[]){1}, 1, 2);
	change_init(&changes[2], (unsigned[]){2, 4, 2}, 3, 0);
	change_init(&changes[3], (unsigned[]){4}, 1, 4);
	submit(4);
	sem_post(&plug.gone);
	await(4);

	cr_assert_eq(changes[1].write.replaced, 1);
	cr_assert_eq(changes[2].write.deleted, 2);
	cr_assert_eq(changes[3].write.inserted, 1);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	model_check(&want, snapshot);
	snapshot_release(snapshot);
	model_check_ids(&want, collection);
	finish_changes(4);
	collection_release(collection);

	/* And so it is on disk. */
	fixture_close();
	fixture_open(1);
	collection = fixture_collection("docs");
	model_check_ids(&want, collection);
	collection_release(collection);
}

/* Changes one byte wherever the file has the word. */
static void damage(const char *path, const char *word)
{
	FILE *file = fopen(path, "r+b");
	size_t size, n_found = 0;
	char *data;

	cr_assert_not_null(file, "%s", path);
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	data = malloc(size);
	rewind(file);
	cr_assert_eq(fread(data, 1, size, file), size);
	for (char *at = data; (at = memmem(at, size - (size_t)(at - data), word, strlen(word)));
	     at++) {
		fseek(file, at - data, SEEK_SET);
		fputc('#', file);
		n_found++;
	}
	cr_assert_gt(n_found, 0);
	free(data);
	cr_assert_eq(fclose(file), 0);
}

/* The record of a long id is read when the id is written again, so a damaged one fails that write
 * and no other. */
static void make_damaged(void)
{
	char path[512];

	fixture_open(1);
	collection = fixture_collection("docs");
	change_now(collection, (unsigned[]){8, 1}, 2, 77);
	collection_release(collection);
	fixture_close();
	snprintf(path, sizeof path, "%s/collections/docs/data.mdb", fixture.directory);
	damage(path, "77 of 8");
	fixture_open(1);
	collection = fixture_collection("docs");
}

/* As model_check, without the records, of which one is damaged. */
static void check_vectors(const struct model *model, const struct snapshot *snapshot)
{
	uint64_t want = 0, got = 0, n = 0;

	for (unsigned i = 0; i < MODEL_IDS; i++)
		want += model->versions[i];
	for (uint64_t place = 0; place < snapshot_places(snapshot); place++) {
		if (!snapshot_visible(snapshot, place))
			continue;
		n++;
		got += (uint64_t)snapshot_vector(snapshot, place, NULL)[0];
	}
	cr_assert_eq(n, model->n_live);
	cr_assert_eq(got, want);
	cr_assert_eq(snapshot_count(snapshot), model->n_live);
}

Test(writer, a_write_that_fails_leaves_no_trace_and_the_others_stand)
{
	struct model want = {.versions = {[1] = 2, [2] = 1, [3] = 4, [8] = 77}, .n_live = 4};
	struct snapshot *snapshot = NULL;
	struct plug plug;

	make_damaged();
	plug_in(&plug);
	change_init(&changes[0], (unsigned[]){1, 2}, 2, 1);
	change_init(&changes[1], (unsigned[]){1, 5, 2, 8, 6}, 5, 3);
	change_init(&changes[2], (unsigned[]){1}, 1, 2);
	change_init(&changes[3], (unsigned[]){2, 8}, 2, 0);
	change_init(&changes[4], (unsigned[]){3}, 1, 4);
	submit(5);
	sem_post(&plug.gone);
	await(5);

	for (size_t i = 0; i < 5; i++) {
		const struct write *write = &changes[i].write;
		bool fails = i == 1 || i == 3;

		cr_assert_eq(answers[i].write, write);
		cr_assert_eq(write->result.code, fails ? STATUS_DATA_LOSS : STATUS_OK, "write %zu",
			     i);
		cr_assert_eq(answers[i].published, 4);
		if (!fails)
			continue;
		cr_assert(strstr(write->result.detail, "docs"), "%s", write->result.detail);
		cr_assert_eq(write->inserted + write->replaced + write->deleted, 0);
	}
	cr_assert_eq(changes[0].write.generation, 2);
	cr_assert_eq(changes[2].write.generation, 3);
	cr_assert_eq(changes[4].write.generation, 4);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	check_vectors(&want, snapshot);
	snapshot_release(snapshot);
	finish_changes(5);
	collection_release(collection);
}

Test(writer, a_group_in_which_all_fail_publishes_nothing)
{
	struct collection_status about;

	make_damaged();
	change_init(&changes[0], (unsigned[]){5, 8}, 2, 3);
	submit(1);
	await(1);

	cr_assert_eq(changes[0].write.result.code, STATUS_DATA_LOSS);
	collection_status(collection, &about);
	cr_assert_eq(about.generation, 1);
	cr_assert_eq(about.chunk_count, 2);
	finish_changes(1);
	collection_release(collection);
}

/* No file may grow beyond what it has: the commit fails as on a full disk. */
static void limit_files(rlim_t size)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(writer, publishes_nothing_of_a_failed_commit_and_goes_on)
{
	static char text[1 << 20];
	struct model want = {.versions = {[1] = 1, [2] = 1}, .n_live = 2};
	struct collection_status about;
	struct snapshot *snapshot = NULL;

	fixture_open(1);
	collection = fixture_collection("docs");
	change_now(collection, (unsigned[]){1, 2}, 2, 1);
	change_init(&changes[0], (unsigned[]){1, 3}, 2, 2);
	memset(text, 'x', sizeof text);
	changes[0].write.chunks[1].text = bytes_of(text, sizeof text);
	change_init(&changes[1], (unsigned[]){2}, 1, 0);
	collection_status(collection, &about);

	limit_files(about.disk_bytes);
	submit(2);
	await(2);
	limit_files(RLIM_INFINITY);

	/* The second may have been in the same transaction or in one of its own. */
	cr_assert(status_failed(changes[0].write.result));
	cr_assert_eq(changes[0].write.generation + changes[0].write.replaced, 0);
	if (!status_failed(changes[1].write.result))
		model_apply(&want, &changes[1]);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	model_check(&want, snapshot);
	snapshot_release(snapshot);
	model_check_ids(&want, collection);
	finish_changes(2);
	change_now(collection, (unsigned[]){1, 3}, 2, 9);
	want.versions[1] = want.versions[3] = 9;
	want.n_live++;
	model_check_ids(&want, collection);
	collection_release(collection);

	fixture_close();
	fixture_open(1);
	collection = fixture_collection("docs");
	model_check_ids(&want, collection);
	collection_release(collection);
}

/* More than the map of a new store holds, so it grows in the midst of groups. */
Test(writer, goes_on_where_the_map_must_grow, .timeout = 50)
{
	static float vectors[64][DIMENSION_MAX];
	static char text[65536];
	struct collection_config config = fixture_config("wide");
	struct collection_status about;

	config.dim = DIMENSION_MAX;
	fixture_open(1);
	cr_assert_not(status_failed(database_create(fixture.database, &config, &fixture.arena)));
	cr_assert_not(status_failed(database_acquire(fixture.database, bytes_of_string("wide"),
						     &fixture.arena, &collection)));
	memset(text, 'x', sizeof text);
	for (size_t i = 0; i < 32; i++) {
		struct chunk *chunks;

		change_init(&changes[i], NULL, 0, 1);
		chunks = ARENA_ARRAY(&changes[i].arena, struct chunk, 64);
		for (size_t j = 0; j < 64; j++) {
			chunks[j].id =
				bytes_of_string(arena_printf(&changes[i].arena, "%zu-%zu", i, j));
			chunks[j].text = bytes_of(text, sizeof text);
			chunks[j].vector = vectors[j];
		}
		changes[i].write.chunks = chunks;
		changes[i].write.n = 64;
	}
	submit(32);
	await(32);

	for (size_t i = 0; i < 32; i++) {
		cr_assert_not(status_failed(changes[i].write.result), "%s",
			      changes[i].write.result.detail);
		cr_assert_eq(changes[i].write.inserted, 64);
		cr_assert_eq(changes[i].write.generation, i + 1);
	}
	collection_status(collection, &about);
	cr_assert_eq(about.chunk_count, 32 * 64);
	cr_assert_gt(about.disk_bytes, (uint64_t)128 << 20);
	finish_changes(32);
	collection_release(collection);
}

Test(writer, refuses_what_still_waits_when_the_collection_is_dropped)
{
	struct plug plug;

	fixture_open(1);
	collection = fixture_collection("docs");
	plug_in(&plug);
	for (unsigned i = 0; i < 5; i++)
		change_init(&changes[i], &i, 1, 1);
	submit(5);
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string("docs"), &fixture.arena)));
	sem_post(&plug.gone);
	await(5);

	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(answers[i].write, &changes[i].write);
		cr_assert_eq(changes[i].write.result.code, STATUS_FAILED_PRECONDITION);
		cr_assert_str_eq(changes[i].write.result.detail, "collection docs was deleted");
	}
	finish_changes(5);
	collection_release(collection);
}

/* The last reference goes with the last answer, on the writer's own thread. */
static void release_and_note(struct write *write)
{
	collection_release(collection);
	sem_post(&((struct change *)write)->answered);
}

Test(writer, outlives_the_last_reference_given_back_in_an_answer)
{
	fixture_open(2);
	for (unsigned i = 0; i < 20; i++) {
		collection = fixture_collection("docs");
		change_init(&changes[0], &i, 1, 1);
		changes[0].write.done = release_and_note;
		collection_write(collection, &changes[0].write);
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("docs"), &fixture.arena)));
		while (sem_wait(&changes[0].answered))
			;
		change_finish(&changes[0]);
	}
}

/* --- many threads --- */

#define TOGETHER 8 /* items that every write has, all of one version */
#define ROUNDS 600

static atomic_bool stop;
static atomic_int n_wrong, n_looks;

static void check(bool right)
{
	if (!right)
		atomic_fetch_add(&n_wrong, 1);
}

/* A write is seen whole: all items are of one version, whatever the moment. */
static void look_at_all(void)
{
	uint64_t n = 0, visible, bitmap[1];
	struct scan_range range;
	SCOPED(snapshot) snapshot = NULL;
	float version = -1;

	if (status_failed(snapshot_acquire(collection, &snapshot)))
		return check(false);
	for (uint64_t place = 0; place < snapshot_places(snapshot); place += range.n) {
		snapshot_range(snapshot, place, 64, bitmap, &range);
		visible = range.visible ? *range.visible : UINT64_MAX >> (64 - range.n);
		n += (uint64_t)__builtin_popcountll(visible);
		for (; visible; visible &= visible - 1) {
			uint64_t at = place + (uint64_t)__builtin_ctzll(visible);
			float value = truncf(snapshot_vector(snapshot, at, NULL)[0]);

			check(version < 0 || value == version);
			version = value;
		}
	}
	check(n == TOGETHER && n == snapshot_count(snapshot));
}

/* What is found is seen by a snapshot taken after it, or was replaced in between. */
static void look_for_one(struct bytes id, struct arena *arena)
{
	for (int tries = 0; tries < 1000; tries++) {
		SCOPED(snapshot) snapshot = NULL;
		uint64_t row = 0, place = 0;
		struct chunk chunk;
		bool found = false;

		if (status_failed(collection_find(collection, id, arena, &found, &row)) || !found ||
		    status_failed(snapshot_acquire(collection, &snapshot)))
			return check(false);
		check(row < snapshot_row_limit(snapshot));
		if (!snapshot_find(snapshot, row, &place))
			continue;
		check(!status_failed(
			collection_fetch(collection, row, FETCH_RECORD, arena, &chunk)));
		return check(bytes_equal(chunk.id, id));
	}
	check(false);
}

static void *reader_run(void *unused)
{
	struct arena arena;

	arena_init(&arena, (size_t)1 << 20);
	while (!atomic_load(&stop)) {
		look_at_all();
		look_for_one(bytes_of_string("id-3"), &arena);
		arena_reset(&arena);
		atomic_fetch_add(&n_looks, 1);
	}
	arena_finish(&arena);
	return unused;
}

Test(writer, writes_are_whole_to_readers_on_other_threads)
{
	unsigned items[TOGETHER] = {0, 1, 2, 3, 4, 5, 6, 7};
	pthread_t readers[3];

	fixture_open(2);
	collection = fixture_collection("docs");
	change_now(collection, items, TOGETHER, 1);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, reader_run, NULL), 0);
	for (uint32_t version = 2; version < ROUNDS; version++)
		change_now(collection, items, TOGETHER, version);
	atomic_store(&stop, true);
	for (size_t i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);

	cr_assert_eq(atomic_load(&n_wrong), 0);
	cr_assert_gt(atomic_load(&n_looks), 0);
	collection_release(collection);
}
