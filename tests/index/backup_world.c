/* backup_world - restored directories are opened as the fixture's, one after the other. */
#include "tests/index/backup_world.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#define SEAL_ROWS 40
#define WORLD_SEGMENTS 3

char world_source[256];
struct model world_model;

void world_begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	fixture.retention_ns = INT64_C(1) << 50;
	memcpy(world_source, fixture.directory, sizeof world_source);
}

void world_end(void)
{
	memcpy(fixture.directory, world_source, sizeof world_source);
	fixture_end();
}

/* --- making one, and waiting for it --- */

static void made_done(struct backup_making *making)
{
	sem_post(&((struct made *)making)->done);
}

void made_begin(struct made *made, struct collection *collection)
{
	made->making = (struct backup_making){
		.database = fixture.database,
		.collection = collection,
		.version = "1.2.3",
		.deadline = &made->deadline,
		.arena = &fixture.arena,
		.done = made_done,
	};
	deadline_init(&made->deadline, DEADLINE_NEVER);
	sem_init(&made->done, 0, 0);
}

void made_end(struct made *made)
{
	backup_make(&made->making);
	while (sem_wait(&made->done))
		;
	sem_destroy(&made->done);
}

struct backup world_make(struct collection *collection)
{
	struct made made;

	made_begin(&made, collection);
	made_end(&made);
	cr_assert_not(status_failed(made.making.result), "%s", made.making.result.detail);
	return made.making.backup;
}

const char *world_path_of(const struct backup *backup)
{
	static char path[400];

	snprintf(path, sizeof path, "%s/snapshots/%s.%s", world_source, backup->collection,
		 backup->id);
	return path;
}

status world_restore(const char *from, const char *to)
{
	struct backup_restored restored = {0};
	char directory[300];

	snprintf(directory, sizeof directory, "%s/%s", world_source, to);
	return backup_restore(from, directory, &fixture.arena, &restored);
}

/* --- what is restored --- */

void world_open_and_check(const char *directory, const struct model *model)
{
	SCOPED(snapshot) snapshot = NULL;
	SCOPED(collection) collection = NULL;

	snprintf(fixture.directory, sizeof fixture.directory, "%.200s/%.50s", world_source,
		 directory);
	fixture_open(1);
	collection = fixture_collection(WORLD_NAME);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	model_check(model, snapshot);
	model_check_ids(model, collection);
	snapshot_release(TAKE(snapshot));
	collection_release(TAKE(collection));
	fixture_close();
	memcpy(fixture.directory, world_source, sizeof world_source);
}

/* --- a collection at rest --- */

/* Opened anew, where segments are sealed in the background and merged, or where none is. */
static struct collection *reopened(struct collection *collection, uint64_t seal_rows)
{
	collection_release(collection);
	fixture_close();
	fixture.seal_rows = seal_rows;
	fixture_open(1);
	return fixture_collection(WORLD_NAME);
}

static uint32_t n_segments(struct collection *collection)
{
	struct collection_status about;

	collection_status(collection, &about);
	return about.segment_count;
}

struct collection *world_filled(void)
{
	struct collection *collection = fixture_collection(WORLD_NAME);
	uint64_t random = 6;

	model_fill(&world_model, collection, 30);
	collection = reopened(collection, 0);
	for (uint32_t version = 30; n_segments(collection) < WORLD_SEGMENTS; version++) {
		struct change change;

		collection = reopened(collection, SEAL_ROWS);
		change_draw(&change, &random, version);
		change_write(&change, collection);
		model_apply(&world_model, &change);
		change_finish(&change);
		collection = reopened(collection, 0);
	}
	return collection;
}

size_t world_entries(const char *pattern)
{
	char all[400];
	glob_t found;
	size_t n = 0;

	snprintf(all, sizeof all, "%s/%s", world_source, pattern);
	if (glob(all, 0, NULL, &found) == 0)
		n = found.gl_pathc;
	globfree(&found);
	return n;
}
