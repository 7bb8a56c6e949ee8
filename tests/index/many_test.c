/* Many collections in one directory: opened when they are asked for, and small while they are. */
#include "index/collection.h"
#include "tests/index/fixture.h"
#include "tests/support/skip.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define COLLECTIONS 200

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = 1000;
}

TestSuite(many, .init = begin, .fini = fixture_end, .timeout = 120);

/* Memory of the process that is not of files. */
static uint64_t memory_bytes(void)
{
	FILE *about = fopen("/proc/self/status", "r");
	char line[256];
	uint64_t kib = 0;

	cr_assert_not_null(about);
	while (fgets(line, sizeof line, about)) {
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtoull(line + 8, NULL, 10);
	}
	fclose(about);
	cr_assert_gt(kib, 0);
	return kib * 1024;
}

static unsigned open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	unsigned n = 0;

	cr_assert_not_null(files);
	while (readdir(files))
		n++;
	closedir(files);
	return n;
}

static void name_of(unsigned i, char name[32])
{
	snprintf(name, 32, "c%u", i);
}

static void make_all(void)
{
	fixture_open(2);
	for (unsigned i = 0; i < COLLECTIONS; i++) {
		struct collection *collection;
		char name[32];

		name_of(i, name);
		collection = fixture_collection(name);
		change_now(collection, (unsigned[]){i % MODEL_IDS}, 1, 1);
		collection_release(collection);
	}
	fixture_close();
}

static void ask_all(void)
{
	for (unsigned i = 0; i < COLLECTIONS; i++) {
		struct collection *collection = NULL;
		struct collection_status found;
		char name[32];

		name_of(i, name);
		cr_assert_not(status_failed(database_acquire(
			fixture.database, bytes_of_string(name), &fixture.arena, &collection)));
		collection_status(collection, &found);
		cr_assert_eq(found.chunk_count, 1);
		collection_release(collection);
	}
	arena_reset(&fixture.arena);
}

Test(many, are_opened_when_they_are_asked_for)
{
	struct collection *collection = NULL;
	unsigned before, after;

	make_all();
	fixture_open(2);
	before = open_files();
	cr_assert_not(status_failed(database_acquire(fixture.database, bytes_of_string("c7"),
						     &fixture.arena, &collection)));
	after = open_files();
	collection_release(collection);

	cr_assert_leq(after - before, 4);
	cr_assert_lt(before, COLLECTIONS);
	/* One that nobody has asked for can be dropped, and be made again. */
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string("c8"), &fixture.arena)));
	cr_assert_eq(database_acquire(fixture.database, bytes_of_string("c8"), &fixture.arena,
				      &collection)
			     .code,
		     STATUS_NOT_FOUND);
	collection_release(fixture_collection("c8"));
	fixture_close();
}

Test(many, take_little_memory_and_no_more_with_time)
{
	uint64_t closed, open, later;

#ifdef __SANITIZE_THREAD__
	SKIP_LOUDLY("ThreadSanitizer's own allocator touches all that it clears");
#endif
	make_all();
	fixture_open(2);
	closed = memory_bytes();
	ask_all();
	open = memory_bytes();
	for (int i = 0; i < 5; i++)
		ask_all();
	later = memory_bytes();

	/* Some 60 KiB each; a huge page for each head would be 400 MiB. */
	cr_assert_lt(open - closed, COLLECTIONS * UINT64_C(256) * 1024, "%lu KiB each",
		     (open - closed) / 1024 / COLLECTIONS);
	cr_assert_lt(later - open, COLLECTIONS * UINT64_C(16) * 1024, "%lu KiB more",
		     (later - open) / 1024);
	fixture_close();
}

static void *acquire_one(void *context)
{
	struct collection *collection = NULL;
	SCOPED(arena) arena = &(struct arena){0};
	status s;

	arena_init(arena, (size_t)1 << 20);
	s = database_acquire(fixture.database, bytes_of_string("c3"), arena, &collection);
	*(bool *)context = !status_failed(s);
	collection_release(collection);
	return NULL;
}

Test(many, are_opened_once_by_several_at_a_time)
{
	pthread_t threads[8];
	bool found[8] = {false};

	make_all();
	fixture_open(2);
	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, acquire_one, &found[i]), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 8; i++)
		cr_assert(found[i]);
	fixture_close();
}
