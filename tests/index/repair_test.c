/* repair - whatever is damaged of segments and indexes, what comes of it is whole, and has every chunk whose
 * vector was whole; the others are handed out, and nothing else is harmed.
 */
#include "index/repair.h"

#include "index/check.h"
#include "index/collection.h"
#include "tests/index/fixture.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME "docs"
#define SEAL_ROWS 40

static struct model model;

/* Segments, a head and dead rows; and another collection. */
static void begin(void)
{
	SCOPED(collection) collection = NULL;
	SCOPED(collection) other = NULL;

	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	fixture.retention_ns = INT64_C(1) << 50;
	fixture_open(1);
	other = fixture_collection("other");
	change_now(other, (unsigned[]){1, 2}, 2, 1);
	collection = fixture_collection(NAME);
	model_fill(&model, collection, 40);
	collection_release(TAKE(collection));
	collection_release(TAKE(other));
	fixture_close();
}

TestSuite(repair, .init = begin, .fini = fixture_end, .timeout = 60);

/* --- what it says --- */

struct heard {
	uint64_t done, not_done, lost, damages;
	char last[512];
	bool refuses_loss;
};

static void heard_note(void *context, const struct repair_note *note)
{
	struct heard *heard = context;

	heard->done += note->done;
	heard->not_done += !note->done;
	snprintf(heard->last, sizeof heard->last, "%s/%s: %s",
		 note->collection ? note->collection : "", note->file, note->what);
}

static status heard_lost(void *context, const char *collection, const struct chunk *chunk)
{
	struct heard *heard = context;

	cr_assert_str_eq(collection, NAME);
	if (heard->refuses_loss)
		return status_make(STATUS_FAILED_PRECONDITION, "not wanted");
	heard->lost++;
	/* The last version of it, as it was written. */
	cr_assert_neq(model.versions[chunk->ordinal], 0);
	cr_assert_eq(chunk->metadata[0].value.integer, model.versions[chunk->ordinal]);
	model.versions[chunk->ordinal] = 0;
	model.n_live--;
	return status_ok();
}

static void heard_finding(void *context, const struct check_finding *finding)
{
	struct heard *heard = context;

	heard->damages += finding->damage;
}

static void heard_collection(void *context, const struct check_collection *collection)
{
	(void)context;
	(void)collection;
}

static struct heard repair_with(struct heard heard)
{
	const struct repair_listener listener = {heard_note, heard_lost, &heard};
	const struct check_listener check = {heard_finding, heard_collection, &heard};
	status s = repair_directory(fixture.directory, NULL, &listener, &fixture.arena);

	cr_assert_not(status_failed(s), "%s", s.detail);
	s = check_directory(fixture.directory, &check, &fixture.arena);
	cr_assert_not(status_failed(s), "%s", s.detail);
	return heard;
}

static struct heard repair(void)
{
	return repair_with((struct heard){0});
}

/* --- files --- */

static size_t count_of(const char *pattern)
{
	char all[512];
	glob_t found;
	size_t n = 0;

	snprintf(all, sizeof all, "%s/%s", fixture.directory, pattern);
	if (glob(all, 0, NULL, &found) == 0)
		n = found.gl_pathc;
	globfree(&found);
	return n;
}

static void holds_the_model(void)
{
	SCOPED(snapshot) snapshot = NULL;
	SCOPED(collection) collection = NULL;

	fixture_open(1);
	collection = fixture_collection(NAME);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	model_check(&model, snapshot);
	model_check_ids(&model, collection);
	snapshot_release(TAKE(snapshot));
	/* And goes on. */
	change_now(collection, (unsigned[]){1, 2, 3}, 3, 99);
	collection_release(TAKE(collection));
	fixture_close();
}

/* --- tests --- */

Test(repair, leaves_alone_what_is_whole)
{
	struct heard heard;

	fixture_shell("cd %s/collections && find . -type f -exec cksum {} + | sort >../before",
		      fixture.directory);
	heard = repair();
	fixture_shell(
		"cd %s/collections && find . -type f -exec cksum {} + | sort | cmp - ../before",
		fixture.directory);
	cr_assert_eq(heard.done + heard.not_done + heard.damages, 0, "%s", heard.last);
	cr_assert_eq(count_of("damaged"), 0);
}

/* Blocks of 64 KiB: header and table, rows, vectors, heads, and so on. */
Test(repair, makes_codes_anew_of_vectors)
{
	struct heard heard;

	fixture_flip(fixture_segment(NAME), 3 * 65536 + 10, 1);
	heard = repair();
	cr_assert_eq(heard.lost, 0);
	cr_assert_eq(heard.damages, 0);
	cr_assert_eq(heard.not_done, 0, "%s", heard.last);
	cr_assert_eq(count_of("damaged/" NAME ".*/*.segment"),
		     count_of("collections/docs/*.segment"));
	holds_the_model();
}

Test(repair, hands_out_chunks_whose_vectors_are_lost)
{
	uint64_t before = model.n_live;
	struct heard heard;

	fixture_flip(fixture_segment(NAME), 2 * 65536 + 10, 1);
	heard = repair();
	cr_assert_gt(heard.lost, 0);
	cr_assert_lt(heard.lost, before);
	cr_assert_eq(heard.damages, 0);
	cr_assert_eq(model.n_live, before - heard.lost);
	holds_the_model();
}

Test(repair, changes_nothing_where_the_loss_is_not_wanted)
{
	struct heard heard;

	fixture_flip(fixture_segment(NAME), 2 * 65536 + 10, 1);
	heard = repair_with((struct heard){.refuses_loss = true});
	cr_assert_gt(heard.not_done, 0);
	cr_assert_gt(heard.damages, 0);
	cr_assert_eq(count_of("damaged/*") + count_of("collections/.d*"), 0);
	fixture_flip(fixture_segment(NAME), 2 * 65536 + 10, 1);
	holds_the_model();
}

static const char *const deeds[] = {
	"rm %s",
	"truncate -s 100 %s",
	"truncate -s 70000 %s",
	"truncate -s 200000 %s",
	"dd if=/dev/urandom of=%s bs=4096 count=1 conv=notrunc 2>/dev/null",
	"dd if=/dev/urandom of=%s bs=65536 count=9 2>/dev/null",
};

Test(repair, does_without_a_segment_that_is_gone_cut_or_nonsense)
{
	struct model whole = model;

	fixture_shell("cp -r %s/collections %s/kept", fixture.directory, fixture.directory);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		struct heard heard;
		char command[700];

		model = whole;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, sizeof command, deeds[i], fixture_segment(NAME));
#pragma GCC diagnostic pop
		fixture_shell("%s", command);
		heard = repair();
		cr_assert_eq(heard.damages, 0, "%s: %s", command, heard.last);
		holds_the_model();
		fixture_shell("cd %s && rm -rf collections damaged && cp -r kept collections",
			      fixture.directory);
		arena_reset(&fixture.arena);
	}
}

Test(repair, gives_a_folder_the_name_of_its_collection)
{
	struct heard heard;

	fixture_shell("cd %s/collections && mv " NAME " elsewhere", fixture.directory);
	heard = repair();
	cr_assert_eq(heard.done, 1, "%s", heard.last);
	cr_assert_eq(heard.damages, 0);
	holds_the_model();
	fixture_shell("cd %s/collections && mv " NAME " x && mv other " NAME " && mv x other",
		      fixture.directory);
	heard = repair();
	cr_assert_eq(heard.done, 1, "%s", heard.last);
	cr_assert_eq(heard.damages, 0);
}

Test(repair, says_what_it_cannot_do_and_harms_nothing)
{
	struct heard heard;

	fixture_shell("cd %s/collections/" NAME " && cp data.mdb ../../kept && dd if=/dev/urandom "
		      "of=data.mdb bs=4096 seek=4 count=20 conv=notrunc 2>/dev/null",
		      fixture.directory);
	fixture_shell("echo short >%s/token.key", fixture.directory);
	heard = repair();
	cr_assert_eq(heard.done, 1);
	cr_assert_eq(heard.not_done, 1);
	cr_assert(strstr(heard.last, NAME "/data.mdb: page "), "%s", heard.last);
	cr_assert_gt(heard.damages, 0);
	cr_assert_eq(count_of("damaged/token.key.*"), 1);
	fixture_shell("mv %s/kept %s/collections/" NAME "/data.mdb", fixture.directory,
		      fixture.directory);
	holds_the_model();
}
