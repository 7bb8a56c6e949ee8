/* backup - a snapshot that is made while its collection is written is the collection of one generation,
 * restored bit by bit; and one that is damaged is refused by the name of its file.
 */
#include "index/backup_manifest.h"
#include "index/check.h"
#include "tests/index/backup_world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SNAPSHOTS 4
#define FLIPS 30
#else
#define SNAPSHOTS 12
#define FLIPS 120
#endif

TestSuite(backup, .init = world_begin, .fini = world_end, .timeout = 120);

/* --- a collection that is being written --- */

#define GENERATIONS 20000

struct churn {
	struct collection *collection;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint_fast64_t acknowledged;
	/* [GENERATIONS] what it holds at each; a generation that is not there was never written. */
	struct model *models;
};

static void *churn_run(void *context)
{
	struct churn *churn = context;
	struct model model = {0};
	uint64_t random = 7;

	for (uint32_t version = 1; !atomic_load(&churn->stop) && version < GENERATIONS; version++) {
		struct change change;

		change_draw(&change, &random, version);
		change_write(&change, churn->collection);
		model_apply(&model, &change);
		cr_assert_lt(change.write.generation, GENERATIONS);
		churn->models[change.write.generation] = model;
		atomic_store(&churn->acknowledged, change.write.generation);
		change_finish(&change);
	}
	return NULL;
}

static void churn_begin(struct churn *churn)
{
	churn->collection = fixture_collection(WORLD_NAME);
	churn->models = calloc(GENERATIONS, sizeof *churn->models);
	cr_assert_not_null(churn->models);
	pthread_create(&churn->thread, NULL, churn_run, churn);
}

static void churn_end(struct churn *churn)
{
	atomic_store(&churn->stop, true);
	pthread_join(churn->thread, NULL);
	collection_release(TAKE(churn->collection));
}

static void no_finding(void *context, const struct check_finding *finding)
{
	(void)context;
	cr_assert_fail("%s: %s", finding->file, finding->what);
}

static void no_count(void *context, const struct check_collection *collection)
{
	(void)context;
	(void)collection;
}

static void check_is_fine(const char *directory)
{
	const struct check_listener listener = {no_finding, no_count, NULL};
	char path[300];
	status s;

	snprintf(path, sizeof path, "%s/%s", world_source, directory);
	s = check_directory(path, &listener, &fixture.arena);
	cr_assert_not(status_failed(s), "%s", s.detail);
}

Test(backup, is_one_generation_whatever_is_written_meanwhile)
{
	struct churn churn = {0};
	struct backup backups[SNAPSHOTS];
	uint64_t last = 0;

	fixture_open(1);
	churn_begin(&churn);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		uint64_t before = atomic_load(&churn.acknowledged);

		/* Something new between two. */
		while (atomic_load(&churn.acknowledged) < last + 5)
			sched_yield();
		backups[i] = world_make(churn.collection);
		cr_assert_geq(backups[i].generation, before);
		last = backups[i].generation;
	}
	churn_end(&churn);
	fixture_close();

	for (size_t i = 0; i < SNAPSHOTS; i++) {
		char name[32];
		status s;

		snprintf(name, sizeof name, "restored%zu", i);
		s = world_restore(world_path_of(&backups[i]), name);
		cr_assert_not(status_failed(s), "%s", s.detail);
		cr_assert_eq(churn.models[backups[i].generation].n_live, backups[i].chunks);
		check_is_fine(name);
		world_open_and_check(name, &churn.models[backups[i].generation]);
	}
	free(churn.models);
}

/* --- a collection at rest --- */

Test(backup, is_listed_found_and_removed_by_name)
{
	struct backup *list = NULL, first, second, found;
	SCOPED(collection) collection = NULL;
	const char *path = NULL;
	size_t n = 9;

	fixture_open(1);
	collection = world_filled();
	cr_assert_not(status_failed(backup_list(fixture.database, &fixture.arena, &list, &n)));
	cr_assert_eq(n, 0);
	first = world_make(collection);
	second = world_make(collection);
	cr_assert_not(status_failed(backup_list(fixture.database, &fixture.arena, &list, &n)));
	cr_assert_eq(n, 2);
	cr_assert_eq(list[0].chunks, world_model.n_live);
	cr_assert_null(list[0].damage);
	cr_assert_str_eq(list[0].version, "1.2.3");

	cr_assert_not(status_failed(backup_find(fixture.database, bytes_of_string(WORLD_NAME),
						bytes_of_string(first.id), &fixture.arena, &found,
						&path)));
	cr_assert_str_eq(path, world_path_of(&first));
	cr_assert_eq(found.n_files, first.n_files);
	cr_assert_not(status_failed(backup_remove(fixture.database, bytes_of_string(WORLD_NAME),
						  bytes_of_string(first.id), &fixture.arena)));
	cr_assert_eq(backup_remove(fixture.database, bytes_of_string(WORLD_NAME),
				   bytes_of_string(first.id), &fixture.arena)
			     .code,
		     STATUS_NOT_FOUND);
	cr_assert_eq(backup_find(fixture.database, bytes_of_string("other"),
				 bytes_of_string(second.id), &fixture.arena, &found, &path)
			     .code,
		     STATUS_NOT_FOUND);
	cr_assert_eq(backup_find(fixture.database, bytes_of_string(WORLD_NAME),
				 bytes_of_string("../../collections"), &fixture.arena, &found,
				 &path)
			     .code,
		     STATUS_NOT_FOUND);

	/* It outlives its collection, and one that is damaged is listed as that. */
	collection_release(TAKE(collection));
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string(WORLD_NAME), &fixture.arena)));
	fixture_shell("echo >>%s/MANIFEST", world_path_of(&second));
	cr_assert_not(status_failed(backup_list(fixture.database, &fixture.arena, &list, &n)));
	cr_assert_eq(n, 1);
	cr_assert(strstr(list[0].damage, "MANIFEST"), "%s", list[0].damage);
	fixture_close();
}

Test(backup, that_was_half_made_or_half_removed_is_gone_after_a_start)
{
	struct backup backup;
	SCOPED(collection) collection = NULL;

	fixture_open(1);
	collection = world_filled();
	backup = world_make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	fixture_shell("cd %s/snapshots && cp -r " WORLD_NAME ".%s ." WORLD_NAME
		      ".%s.new && cp -r " WORLD_NAME ".%s ." WORLD_NAME
		      ".%s.old && mkdir .mine.new",
		      world_source, backup.id, backup.id, backup.id, backup.id);
	fixture_open(1);
	cr_assert_eq(world_entries("snapshots/." WORLD_NAME "*"), 0);
	cr_assert_eq(world_entries("snapshots/.mine.new"), 1);
	cr_assert_eq(world_entries("snapshots/" WORLD_NAME ".*/MANIFEST"), 1);
	fixture_close();
}

/* --- what is damaged --- */

/* Nothing of it is there then. */
static void refused(const char *path, const char *file)
{
	status s = world_restore(path, "refused");

	cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s: %s", file, s.detail);
	cr_assert(strstr(s.detail, file), "%s: %s", file, s.detail);
	cr_assert_eq(world_entries("refused/collections/*"), 0);
	cr_assert_eq(world_entries("refused/collections/.d*"), 0);
	arena_reset(&fixture.arena);
}

Test(backup, that_is_damaged_is_refused_by_the_name_of_its_file)
{
	static char path[400];
	uint64_t random = 3;
	struct backup backup;
	SCOPED(collection) collection = NULL;

	fixture_open(1);
	collection = world_filled();
	backup = world_make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	/* The fixture's arena is reset below. */
	struct backup_file files[16];

	cr_assert_leq(backup.n_files, 16);
	memcpy(files, backup.files, backup.n_files * sizeof *files);
	memcpy(path, world_path_of(&backup), sizeof path);
	for (int i = 0; i < FLIPS; i++) {
		const struct backup_file *file = &files[(size_t)i % backup.n_files];
		char name[500];
		off_t at = (off_t)random_below(&random, file->bytes);
		uint8_t mask = (uint8_t)(1U << random_below(&random, 8));

		snprintf(name, sizeof name, "%s/%s", path, file->name);
		fixture_flip(name, at, mask);
		refused(path, file->name);
		fixture_flip(name, at, mask);
	}
	for (size_t i = 0; i < backup.n_files; i++) {
		fixture_shell("cd %s && cp %s ../kept && truncate -s -1 %s", path, files[i].name,
			      files[i].name);
		refused(path, files[i].name);
		fixture_shell("cd %s && cp ../kept %s && echo >>%s", path, files[i].name,
			      files[i].name);
		refused(path, files[i].name);
		fixture_shell("cd %s && rm %s", path, files[i].name);
		refused(path, files[i].name);
		fixture_shell("mv %s/../kept %s/%s", path, path, files[i].name);
	}
	cr_assert_not(status_failed(world_restore(path, "whole")));
	world_open_and_check("whole", &world_model);
	cr_assert_eq(world_restore(path, "whole").code, STATUS_ALREADY_EXISTS);
}

static size_t n_findings;

static void count_finding(void *context, const struct check_finding *finding)
{
	cr_assert(finding->damage);
	cr_assert_null(finding->collection);
	cr_assert(strstr(finding->file, context), "%s", finding->file);
	n_findings++;
}

Test(backup, that_is_damaged_is_found_by_a_check)
{
	static char file[500];
	const struct check_listener listener = {count_finding, no_count, file};
	struct backup backup;
	SCOPED(collection) collection = NULL;
	status s;

	fixture_open(1);
	collection = world_filled();
	backup = world_make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	check_is_fine("");
	/* The collection's own files stay as they are. */
	fixture_shell("cd %s && for f in *; do cp $f ../x && mv ../x $f; done",
		      world_path_of(&backup));
	for (size_t i = 0; i <= backup.n_files; i++) {
		const char *name = i < backup.n_files ? backup.files[i].name : BACKUP_MANIFEST;

		snprintf(file, sizeof file, "%s/%s", world_path_of(&backup), name);
		fixture_flip(file, 20, 1);
		snprintf(file, sizeof file, "snapshots/" WORLD_NAME ".%s", backup.id);
		n_findings = 0;
		s = check_directory(world_source, &listener, &fixture.arena);
		cr_assert_not(status_failed(s), "%s", s.detail);
		cr_assert_eq(n_findings, 1, "%s", name);
		snprintf(file, sizeof file, "%s/%s", world_path_of(&backup), name);
		fixture_flip(file, 20, 1);
	}
}

Test(backup, manifest_is_refused_at_every_flipped_bit_and_length)
{
	static char text[8192], changed[8192];
	struct backup backup, read;
	SCOPED(collection) collection = NULL;
	FILE *file;
	size_t size;

	fixture_open(1);
	collection = world_filled();
	backup = world_make(collection);
	snprintf(text, sizeof text, "%s/MANIFEST", world_path_of(&backup));
	file = fopen(text, "rb");
	cr_assert_not_null(file);
	size = fread(text, 1, sizeof text, file);
	fclose(file);
	cr_assert_not(status_failed(
		backup_manifest_parse(bytes_of(text, size), "MANIFEST", &fixture.arena, &read)));
	cr_assert_eq(read.n_files, backup.n_files);
	cr_assert_eq(read.bytes, backup.bytes);
	for (size_t i = 0; i < 8 * size; i++) {
		status s;

		memcpy(changed, text, size);
		changed[i / 8] ^= (char)(1 << i % 8);
		s = backup_manifest_parse(bytes_of(changed, size), "MANIFEST", &fixture.arena,
					  &read);
		/* A digit of the format may become that of a newer one. */
		cr_assert(s.code == STATUS_DATA_LOSS || s.code == STATUS_FAILED_PRECONDITION,
			  "bit %zu: %s", i, s.detail);
		arena_reset(&fixture.arena);
	}
	for (size_t length = 0; length < size; length++) {
		cr_assert_eq(backup_manifest_parse(bytes_of(text, length), "MANIFEST",
						   &fixture.arena, &read)
				     .code,
			     STATUS_DATA_LOSS);
		arena_reset(&fixture.arena);
	}
	collection_release(TAKE(collection));
	fixture_close();
}

Test(backup, of_a_newer_format_is_refused_as_that)
{
	struct backup backup;
	SCOPED(collection) collection = NULL;
	status s;

	fixture_open(1);
	collection = world_filled();
	backup = world_make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	/* Of which this program knows no more than the first line. */
	fixture_shell("printf 'sluice-snapshot 2\\nanything at all\\n' >%s/MANIFEST",
		      world_path_of(&backup));
	s = world_restore(world_path_of(&backup), "refused");
	cr_assert_eq(s.code, STATUS_FAILED_PRECONDITION, "%s", s.detail);
	cr_assert(strstr(s.detail, "version 2, and this program reads those up to 1"), "%s",
		  s.detail);
	cr_assert_eq(world_entries("refused"), 0);
}
