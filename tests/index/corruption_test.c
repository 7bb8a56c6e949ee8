/* corruption - files that were changed while no server had them: the collection is refused, by its name and
 * the file's, or what was changed counts for nothing; and the collection beside it is served as ever.
 */
#include "index/collection.h"
#include "tests/index/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STEP 640
#else
#define STEP 64
#endif

#define SEAL_ROWS 40
#define HEADER_BYTES 4096
#define BLOCK_BYTES 65536
#define PAGE_BYTES 4096

static struct model model;

static void fill(const char *name)
{
	SCOPED(collection) collection = fixture_collection(name);

	model_fill(&model, collection, 30);
}

/* Two collections with the same chunks. */
static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	fixture.retention_ns = INT64_C(1) << 50;
	fixture_open(1);
	fill("docs");
	fill("other");
	fixture_close();
}

TestSuite(corruption, .init = begin, .fini = fixture_end, .timeout = 120);

/* Whether it is served; then it is right. */
static bool is_served(const char *name, const char *file)
{
	SCOPED(collection) collection = NULL;
	SCOPED(snapshot) snapshot = NULL;
	status s = database_acquire(fixture.database, bytes_of_string(name), &fixture.arena,
				    &collection);

	if (status_failed(s)) {
		cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s: %s", name, s.detail);
		cr_assert(strstr(s.detail, name), "%s", s.detail);
		cr_assert(strstr(s.detail, file), "%s is not in: %s", file, s.detail);
		return false;
	}
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	model_check(&model, snapshot);
	snapshot_release(TAKE(snapshot));
	model_check_ids(&model, collection);
	return true;
}

/* A server over it, and whether docs is served. file  what else its refusal names. */
static bool serves(const char *file)
{
	bool served;

	fixture_open(1);
	cr_assert(is_served("other", ""));
	served = is_served("docs", file);
	fixture_close();
	arena_reset(&fixture.arena);
	return served;
}

/* All bytes of a header: tests/index/segment. */
Test(corruption, of_a_segment_refuses_its_collection_alone)
{
	const char *path = fixture_segment("docs"), *file = strrchr(path, '/') + 1;
	struct stat about;

	cr_assert_eq(stat(path, &about), 0);
	for (off_t at = 0; at < about.st_size; at += at < HEADER_BYTES ? STEP : BLOCK_BYTES / 2) {
		fixture_flip(path, at, 0x10);
		cr_assert_not(serves(file), "byte %ld", (long)at);
		fixture_flip(path, at, 0x10);
	}
	cr_assert(serves(""));
}

static const struct {
	const char *command; /* printf: the segment of docs, and that of other */
	const char *file;    /* of the refusal; NULL: the segment */
} deeds[] = {
	{"rm %s; : %s", NULL},
	{"truncate -s 0 %s; : %s", NULL},
	{"truncate -s -1 %s; : %s", NULL},
	{"truncate -s +1 %s; : %s", NULL},
	{"cp %2$s %1$s", NULL},
	{"cp $(dirname %2$s)/data.mdb $(dirname %1$s)/data.mdb", "other"},
	{"rm $(dirname %1$s)/data.mdb; : %2$s", "data.mdb"},
	{"truncate -s 0 $(dirname %1$s)/data.mdb; : %2$s", "data.mdb"},
	{"truncate -s 8192 $(dirname %1$s)/data.mdb; : %2$s", "data"},
	{"cp %1$s $(dirname %1$s)/data.mdb; : %2$s", "docs"},
};

Test(corruption, of_whole_files_refuses_their_collection_alone)
{
	fixture_shell("cp -r %s/collections %s/kept", fixture.directory, fixture.directory);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		const char *path = fixture_segment("docs");
		char command[1200], file[64];

		snprintf(file, sizeof file, "%.63s", strrchr(path, '/') + 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, sizeof command, deeds[i].command, path, fixture_segment("other"));
#pragma GCC diagnostic pop
		fixture_shell("%s", command);
		cr_assert_not(serves(deeds[i].file ? deeds[i].file : file), "%s", command);
		fixture_shell("cd %s && rm -rf collections && cp -r kept collections",
			      fixture.directory);
	}
	cr_assert(serves(""));
}

/* The place to change after at: the number of each page, at its start, is what the walk over a tree asks of
 * every page in use, so some are refused whatever the pages hold; and between them bytes of any kind.
 */
static off_t next_place(off_t at)
{
	off_t page = (at / PAGE_BYTES + 1) * PAGE_BYTES,
	      any = at - at % (13 * STEP) + 13 * STEP + 1;

	return page < any ? page : any;
}

/* Its pages are looked at first, as after any crash; a bit of a value is seen where it is read. */
Test(corruption, of_the_store_is_refused_or_counts_for_nothing)
{
	char path[400];
	struct stat about;
	size_t n = 0, refused = 0;

	snprintf(path, sizeof path, "%s/collections/docs/data.mdb", fixture.directory);
	fixture_shell("cp %s %s/kept", path, fixture.directory);
	cr_assert_eq(stat(path, &about), 0);
	for (off_t at = 1; at < about.st_size; at = next_place(at)) {
		SCOPED(collection) collection = NULL;
		status s;

		fixture_flip(path, at, 0x10);
		fixture_shell("echo 4194305 >%s/lock", fixture.directory);
		fixture_open(1);
		cr_assert(is_served("other", ""));
		s = database_acquire(fixture.database, bytes_of_string("docs"), &fixture.arena,
				     &collection);
		cr_assert(!status_failed(s) || s.code == STATUS_DATA_LOSS, "%s", s.detail);
		n++;
		refused += status_failed(s);
		for (unsigned i = 0; !status_failed(s) && i < MODEL_IDS; i++) {
			struct chunk chunk = {0};
			bool found = false;
			uint64_t row = 0;

			s = collection_find(collection, model_id(i, &fixture.arena), &fixture.arena,
					    &found, &row);
			if (!status_failed(s)) {
				cr_assert_eq(found, model.versions[i] != 0);
				if (found)
					s = collection_fetch(collection, row,
							     FETCH_RECORD | FETCH_VECTOR,
							     &fixture.arena, &chunk);
			}
			if (!status_failed(s) && found)
				cr_assert_eq(chunk.metadata[0].value.integer, model.versions[i]);
			cr_assert(!status_failed(s) || s.code == STATUS_DATA_LOSS, "%s", s.detail);
			s = status_ok();
		}
		collection_release(TAKE(collection));
		fixture_close();
		arena_reset(&fixture.arena);
		fixture_shell("cp %s/kept %s", fixture.directory, path);
	}
	cr_log_info("%zu of %zu were refused at once", refused, n);
	cr_assert_gt(refused, 0);
}
