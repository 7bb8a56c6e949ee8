/* unsettled - after a server that did not end by itself the pages of every data file are looked at before
 * LMDB is let near them; until all have been, every start does so.
 */
#include "index/collection.h"
#include "tests/index/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(unsettled, .init = fixture_begin, .fini = fixture_end, .timeout = 60);

/* Of a pid that no process has. */
#define CRASHED "4194305"

static off_t lock_bytes(void)
{
	char path[300];
	struct stat about;

	snprintf(path, sizeof path, "%s/lock", fixture.directory);
	cr_assert_eq(stat(path, &about), 0);
	return about.st_size;
}

static void make(const char *name)
{
	unsigned items[CHANGE_ROWS];
	SCOPED(collection) collection = fixture_collection(name);

	for (unsigned i = 0; i < CHANGE_ROWS; i++)
		items[i] = i;
	for (uint32_t version = 1; version < 9; version++)
		change_now(collection, items, CHANGE_ROWS, version);
}

static void make_two(void)
{
	fixture_open(1);
	make("whole");
	make("docs");
	fixture_close();
	fixture_shell("cp %s/collections/docs/data.mdb %s/kept", fixture.directory,
		      fixture.directory);
}

static void crash(void)
{
	fixture_shell("echo " CRASHED " >%s/lock", fixture.directory);
}

/* Pages that are in use become ones that LMDB would run into. */
static void damage(void)
{
	fixture_shell("cd %s/collections/docs && dd if=/dev/urandom of=data.mdb bs=4096 seek=4 "
		      "count=20 conv=notrunc 2>/dev/null",
		      fixture.directory);
}

static status acquire(const char *name)
{
	SCOPED(collection) collection = NULL;

	return database_acquire(fixture.database, bytes_of_string(name), &fixture.arena,
				&collection);
}

Test(unsettled, is_what_a_crash_leaves_and_no_end)
{
	fixture_open(1);
	cr_assert_gt(lock_bytes(), 1);
	fixture_close();
	cr_assert_eq(lock_bytes(), 1);
	crash();
	fixture_open(1);
	fixture_close();
	cr_assert_eq(lock_bytes(), 1);
}

Test(unsettled, damage_refuses_its_collection_by_name_and_no_other)
{
	status s;

	make_two();
	damage();
	crash();
	fixture_open(1);
	s = acquire("docs");
	cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s", s.detail);
	cr_assert(strstr(s.detail, "docs"), "%s", s.detail);
	cr_assert(strstr(s.detail, "data.mdb: page "), "%s", s.detail);
	cr_assert_not(status_failed(acquire("whole")));
	make("whole");
	fixture_close();
}

Test(unsettled, stays_until_all_has_been_looked_at)
{
	make_two();
	damage();
	crash();
	for (int i = 0; i < 2; i++) {
		fixture_open(1);
		cr_assert_eq(acquire("docs").code, STATUS_DATA_LOSS);
		fixture_close();
		cr_assert_gt(lock_bytes(), 1);
	}
	fixture_shell("mv %s/kept %s/collections/docs/data.mdb", fixture.directory,
		      fixture.directory);
	/* Nobody asks for it. */
	fixture_open(1);
	cr_assert_not(status_failed(acquire("whole")));
	fixture_close();
	cr_assert_gt(lock_bytes(), 1);

	fixture_open(1);
	cr_assert_not(status_failed(acquire("docs")));
	cr_assert_not(status_failed(acquire("whole")));
	fixture_close();
	cr_assert_eq(lock_bytes(), 1);
}
