/* backup, of what is damaged - a snapshot of a collection one of whose files is not as it was written is
 * not made: the file is named, and nothing is left. Of files beside segments too, of either kind.
 */
#include "tests/index/backup_world.h"
#include "tests/index/waiter.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS 1200 /* inverted lists are made of a thousand or more */

static void begin(void)
{
	world_begin();
	/* Rows that were replaced stay: there are MODEL_IDS ids alone. */
	fixture.seal_rows = ROWS;
}

TestSuite(backup_damage, .init = begin, .fini = world_end, .timeout = 120);

static const struct {
	const char *name;
	enum index_kind kind;
	const char *factory;
	unsigned files; /* .segment and .ann */
} kinds[] = {
	{"flat", INDEX_FLAT, "", 1},
	{"lists", INDEX_IVF, "", 2},
	{"factory", INDEX_FAISS, "SQ8", 2},
};

/* One segment, whose index is made, in a database that changes nothing from then on. */
static struct collection *indexed(size_t kind)
{
	struct collection_config config = fixture_config(kinds[kind].name);
	struct collection *collection;
	uint32_t version = 0;

	config.index_kind = kinds[kind].kind;
	snprintf(config.faiss_factory, sizeof config.faiss_factory, "%s", kinds[kind].factory);
	config.n_fields = 1;
	config.fields[0] = (struct field_schema){"version", VALUE_INT, false};
	fixture_open(1);
	collection = fixture_collection_of(&config);
	for (unsigned row = 0; row < ROWS; row += CHANGE_ROWS) {
		unsigned items[CHANGE_ROWS];

		for (unsigned i = 0; i < CHANGE_ROWS; i++)
			items[i] = (row + i) % MODEL_IDS;
		change_now(collection, items, CHANGE_ROWS, ++version);
	}
	optimize_now(collection);
	collection_release(collection);
	fixture_close();
	fixture.seal_rows = 0;
	fixture_open(1);
	return fixture_collection_of(&config);
}

static void refused(struct collection *collection, const char *path, off_t at)
{
	const char *file = strrchr(path, '/') + 1;
	struct made made;

	fixture_flip(path, at, 0x10);
	made_begin(&made, collection);
	made_end(&made);
	cr_assert_eq(made.making.result.code, STATUS_DATA_LOSS, "%s at %ld: %s", path, (long)at,
		     made.making.result.detail);
	cr_assert(strstr(made.making.result.detail, file), "%s: %s", file,
		  made.making.result.detail);
	cr_assert(strstr(made.making.result.detail, collection_config(collection)->name), "%s",
		  made.making.result.detail);
	cr_assert_eq(world_entries("snapshots/*") + world_entries("snapshots/.[!.]*"), 0);
	fixture_flip(path, at, 0x10);
	arena_reset(&fixture.arena);
}

static void damage_each(size_t kind)
{
	struct collection *collection = indexed(kind);
	char pattern[400];
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/collections/%s/*[tn]", world_source,
		 kinds[kind].name); /* .segment, .ann */
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
	cr_assert_eq(found.gl_pathc, kinds[kind].files);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat about;

		cr_assert_eq(stat(found.gl_pathv[i], &about), 0);
		/* In the header, in the table, and in the first and the last block. */
		refused(collection, found.gl_pathv[i], 100);
		refused(collection, found.gl_pathv[i], 4096);
		refused(collection, found.gl_pathv[i], 2 * 65536);
		refused(collection, found.gl_pathv[i], about.st_size - 1);
	}
	globfree(&found);
	cr_assert_eq(world_make(collection).n_files, kinds[kind].files + 2);
	collection_release(collection);
	fixture_close();
}

Test(backup_damage, of_a_segment_is_named_and_nothing_is_made)
{
	damage_each(0);
}

Test(backup_damage, of_inverted_lists_is_named_and_nothing_is_made)
{
	damage_each(1);
}

Test(backup_damage, of_an_index_of_faiss_is_named_and_nothing_is_made)
{
	damage_each(2);
}
