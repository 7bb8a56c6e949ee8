/* check - a directory that is whole is fine, and is left as it was; whatever is done to its files is
 * told, or changes no answer. */
#include "index/check.h"
#include "tests/index/fixture.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FLIPS 40
#else
#define FLIPS 300
#endif

#define SEAL_ROWS 50
#define NAME "docs"

static struct model model;
static char original[300]; /* the directory as it was made */

/* Rows in segments and in the head, dead ones among them. */
static void make(void)
{
	struct collection_config config = fixture_config(NAME);
	struct collection *collection;

	config.n_fields = 1;
	config.fields[0] = (struct field_schema){"version", VALUE_INT, false};
	fixture_open(1);
	collection = fixture_collection_of(&config);
	model_fill(&model, collection, 40);
	collection_release(collection);
	fixture_close();
}

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	fixture.retention_ns = INT64_C(1) << 50;
	snprintf(original, sizeof original, "%s/original", fixture.directory);
	cr_assert_lt(strlen(original), sizeof fixture.directory);
	memcpy(fixture.directory, original, strlen(original) + 1);
	make();
}

TestSuite(check, .init = begin, .fini = fixture_end, .timeout = 120);

/* Another directory just like it, in which anything may be done. */
static void turn_to_copy(void)
{
	snprintf(fixture.directory, sizeof fixture.directory, "%.*s/copy",
		 (int)(strrchr(original, '/') - original), original);
	fixture_shell("rm -rf %s && cp -r %s %s", fixture.directory, original, fixture.directory);
}

/* --- what a check says --- */

struct heard {
	uint64_t damages, notes, collections;
	char last[512];
	struct check_counts counts; /* of the last collection */
	status result;
};

static void heard_finding(void *context, const struct check_finding *finding)
{
	struct heard *heard = context;

	heard->damages += finding->damage;
	heard->notes += !finding->damage;
	snprintf(heard->last, sizeof heard->last, "%s/%s: %s",
		 finding->collection ? finding->collection : "", finding->file, finding->what);
}

static void heard_collection(void *context, const struct check_collection *collection)
{
	struct heard *heard = context;

	heard->collections++;
	heard->counts = collection->counts;
}

static struct heard check(void)
{
	struct heard heard = {0};
	const struct check_listener listener = {heard_finding, heard_collection, &heard};

	heard.result = check_directory(fixture.directory, &listener, &fixture.arena);
	return heard;
}

static bool is_fine(const struct heard *heard)
{
	return !status_failed(heard->result) && heard->damages == 0;
}

/* --- files --- */

static const char *path_of(const char *pattern, size_t i)
{
	static char path[512];
	char all[512];
	glob_t found;

	snprintf(all, sizeof all, "%s/collections/%s/%s", fixture.directory, NAME, pattern);
	cr_assert_eq(glob(all, 0, NULL, &found), 0, "%s", all);
	snprintf(path, sizeof path, "%s", found.gl_pathv[i % found.gl_pathc]);
	globfree(&found);
	return path;
}

static void flip(const char *path, uint64_t *random)
{
	struct stat about;
	off_t at;

	cr_assert_eq(stat(path, &about), 0, "%s", path);
	at = (off_t)random_below(random, (uint64_t)about.st_size);
	fixture_flip(path, at, (uint8_t)(1U << random_below(random, 8)));
}

/* --- tests --- */

Test(check, of_a_whole_directory_finds_nothing_and_changes_nothing)
{
	struct heard heard;

	fixture_shell("cd %s && find . -type f -exec cksum {} + | sort >../before", original);
	heard = check();
	fixture_shell("cd %s && find . -type f -exec cksum {} + | sort | cmp - ../before",
		      original);
	cr_assert(is_fine(&heard), "%s%s", heard.last, heard.result.detail);
	cr_assert_eq(heard.notes, 0, "%s", heard.last);
	cr_assert_eq(heard.collections, 1);
	cr_assert_eq(heard.counts.chunks, model.n_live);
	cr_assert_gt(heard.counts.dead_rows, 0);
	cr_assert_gt(heard.counts.segments, 0);
	cr_assert_gt(heard.counts.values, 3 * model.n_live);
}

/* Room that is not in use is not looked at, so a bit there may go unseen; but then it counts for
 * nothing. */
Test(check, tells_of_any_bit_of_the_store_that_counts)
{
	uint64_t random = 11, told = 0;

	for (int i = 0; i < FLIPS; i++) {
		struct collection *collection;
		struct snapshot *snapshot = NULL;
		struct heard heard;

		turn_to_copy();
		flip(path_of("data.mdb", 0), &random);
		heard = check();
		arena_reset(&fixture.arena);
		told += !is_fine(&heard);
		if (!is_fine(&heard))
			continue;
		fixture_open(1);
		collection = fixture_collection(NAME);
		cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
		model_check(&model, snapshot);
		snapshot_release(snapshot);
		model_check_ids(&model, collection);
		collection_release(collection);
		fixture_close();
	}
	cr_log_info("%llu of %d flips were told", (unsigned long long)told, FLIPS);
	cr_assert_gt(told, FLIPS / 8);
}

Test(check, tells_of_every_bit_of_a_segment)
{
	uint64_t random = 12;

	for (int i = 0; i < FLIPS / 4; i++) {
		struct heard heard;

		turn_to_copy();
		flip(path_of("*.segment", (size_t)i), &random);
		heard = check();
		cr_assert_eq(heard.damages, 1, "%s", heard.last);
		cr_assert(strstr(heard.last, ".segment"), "%s", heard.last);
		cr_assert_eq(heard.collections, 1);
		arena_reset(&fixture.arena);
	}
}

static const struct {
	const char *command; /* printf: the collection's directory, twice */
	const char *says;
} deeds[] = {
	{"cd %s && rm *.segment", ".segment"},
	{"cd %s && for f in *.segment; do truncate -s -1 $f; done", ".segment"},
	{"cd %s && truncate -s 0 data.mdb", "data.mdb"},
	{"cd %s && truncate -s 8192 data.mdb", "data.mdb"},
	{"cd %s && rm data.mdb", "data.mdb"},
	{"cd %s && dd if=/dev/zero of=data.mdb bs=4096 seek=4 count=20 conv=notrunc 2>/dev/null",
	 "data.mdb"},
	{"mv %s %s2", "data.mdb"},
	{"cd %s/../.. && truncate -s 7 token.key", "token.key"},
};

Test(check, tells_of_files_that_are_cut_lost_or_anothers)
{
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		char directory[300], command[700];
		struct heard heard;

		turn_to_copy();
		snprintf(directory, sizeof directory, "%s/collections/" NAME, fixture.directory);
		/* The formats are those above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, sizeof command, deeds[i].command, directory, directory);
#pragma GCC diagnostic pop
		fixture_shell("%s", command);
		heard = check();
		cr_assert_not(status_failed(heard.result), "%s: %s", command, heard.result.detail);
		cr_assert_gt(heard.damages, 0, "%s", command);
		cr_assert(strstr(heard.last, deeds[i].says), "%s: %s", command, heard.last);
		arena_reset(&fixture.arena);
	}
}

Test(check, notes_what_a_crash_left_and_calls_it_no_damage)
{
	struct heard heard;

	turn_to_copy();
	fixture_shell("cd %s/collections && touch " NAME "/0123456789abcdef.segment " NAME
		      "/0123456789abcdef.ann.new && mkdir .gone.old .half.new",
		      fixture.directory);
	heard = check();
	cr_assert(is_fine(&heard), "%s", heard.last);
	cr_assert_eq(heard.notes, 4);
}

Test(check, leaves_a_directory_alone_that_somebody_has)
{
	struct heard heard;
	char process[32];

	snprintf(process, sizeof process, "process %d ", (int)getpid());
	fixture_open(1);
	heard = check();
	fixture_close();
	cr_assert_eq(heard.result.code, STATUS_FAILED_PRECONDITION);
	cr_assert(strstr(heard.result.detail, process), "%s", heard.result.detail);
	fixture_shell("rm -rf %s", fixture.directory);
	cr_assert_eq(check().result.code, STATUS_NOT_FOUND);
}
