/* backup_world - a collection in the fixture's database, the snapshots that are made of it, and what
 * is restored from them, in directories beside.
 */
#ifndef SLUICE_TESTS_INDEX_BACKUP_WORLD_H
#define SLUICE_TESTS_INDEX_BACKUP_WORLD_H

#include "index/backup.h"
#include "tests/index/fixture.h"

#define WORLD_NAME "docs"

/* For TestSuite's init and fini: the fixture, with segments of few rows. */
void world_begin(void);
void world_end(void);

/* The directory that is written and copied. */
extern char world_source[256];

/* A snapshot in the making, of the version 1.2.3. */
struct made {
	struct backup_making making; /* first */
	struct deadline deadline;
	sem_t done;
};

/* made_begin - with a deadline that never comes, the caller's to change.
 * made_end - makes it, and returns when it is done, whatever its result. */
void made_begin(struct made *made, struct collection *collection);
void made_end(struct made *made);

/* world_make - both of them, asserting OK; in the fixture's arena. */
struct backup world_make(struct collection *collection);

/* world_path_of - its folder; until the next call. */
const char *world_path_of(const struct backup *backup);

/* world_restore - the snapshot at a path, into a directory of that name in world_source. */
status world_restore(const char *from, const char *to);

/* world_open_and_check - asserts that such a directory holds the model. The fixture's database is
 * closed before and after. */
void world_open_and_check(const char *directory, const struct model *model);

/* What the collection of world_filled holds. */
extern struct model world_model;

/* world_filled - one with three segments or more, and dead rows; a reference of the caller's. Nothing is
 * sealed or merged from then on, so its files stay as they are. */
struct collection *world_filled(void);

/* world_entries - how many files and folders in world_source match the pattern. */
size_t world_entries(const char *pattern);

#endif
