#include "tests/index/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(database, .init = fixture_begin, .fini = fixture_end, .timeout = 40);

static bool exists(const char *path_in_directory)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", fixture.directory, path_in_directory);
	return access(path, F_OK) == 0;
}

static status create(const char *name)
{
	struct collection_config config = fixture_config(name);

	return database_create(fixture.database, &config, &fixture.arena);
}

static status drop(const char *name)
{
	return database_drop(fixture.database, bytes_of_string(name), &fixture.arena);
}

/* Acquires and releases. */
static status touch(const char *name)
{
	SCOPED(collection) collection = NULL;

	return database_acquire(fixture.database, bytes_of_string(name), &fixture.arena,
				&collection);
}

static void check_names(const char *after, size_t max, const char *want)
{
	char got[512] = "";
	struct bytes *names = NULL;
	size_t n = 0;

	cr_assert_not(status_failed(database_list(fixture.database, bytes_of_string(after), max,
						  &fixture.arena, &names, &n)));
	for (size_t i = 0; i < n; i++) {
		strcat(got, (const char *)names[i].data);
		strcat(got, " ");
	}
	cr_assert_str_eq(got, want);
}

Test(database, lists_names_in_order_from_any_place)
{
	static const char *const names[] = {"news", "a", "docs", "docs-2", "docs_1", "zoo"};

	fixture_open(1);
	check_names("", 10, "");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_assert_not(status_failed(create(names[i])));

	check_names("", 10, "a docs docs-2 docs_1 news zoo ");
	check_names("", 2, "a docs ");
	check_names("docs", 2, "docs-2 docs_1 ");
	check_names("docs-", 9, "docs-2 docs_1 news zoo ");
	check_names("zoo", 9, "");
	check_names("", 0, "");
}

Test(database, a_collection_is_there_after_reopening_as_it_was_made)
{
	struct collection_config config = fixture_config("docs");
	const struct collection_config *kept;
	struct collection *collection;

	config.metric = METRIC_COSINE;
	config.n_fields = 1;
	config.fields[0] = (struct field_schema){"year", VALUE_INT, true};
	fixture_open(1);
	cr_assert_not(status_failed(database_create(fixture.database, &config, &fixture.arena)));
	cr_assert_eq(create("docs").code, STATUS_ALREADY_EXISTS);
	fixture_close();

	fixture_open(1);
	cr_assert_eq(create("docs").code, STATUS_ALREADY_EXISTS);
	collection = fixture_collection("docs");
	kept = collection_config(collection);
	cr_assert_str_eq(kept->name, "docs");
	cr_assert_eq(kept->dim, MODEL_DIM);
	cr_assert_eq(kept->metric, METRIC_COSINE);
	cr_assert_eq(kept->n_fields, 1);
	cr_assert_str_eq(kept->fields[0].name, "year");
	cr_assert(kept->fields[0].required);
	collection_release(collection);
}

static const char *const bad_names[] = {
	"",
	".",
	"..",
	".docs.old",
	"a/b",
	"/etc",
	"Docs",
	"1docs",
	"docs.old",
	"lost+found",
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk\xff",
};

Test(database, takes_no_name_that_could_leave_the_directory)
{
	fixture_open(1);
	for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
		if (strlen(bad_names[i]) <= COLLECTION_NAME_MAX)
			cr_assert_eq(create(bad_names[i]).code, STATUS_INVALID_ARGUMENT, "%s",
				     bad_names[i]);
		cr_assert_eq(touch(bad_names[i]).code, STATUS_NOT_FOUND, "%s", bad_names[i]);
		cr_assert_eq(drop(bad_names[i]).code, STATUS_NOT_FOUND, "%s", bad_names[i]);
	}
	cr_assert_eq(touch("docs").code, STATUS_NOT_FOUND);
	check_names("", 10, "");
}

Test(database, a_directory_is_served_once)
{
	struct database_options options = {.directory = fixture.directory};
	struct database *second = NULL;
	char pid[32];
	status s;

	fixture_open(1);
	options.writers = fixture.writers;
	s = database_open(&options, &fixture.arena, &second);

	snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
	cr_assert_eq(s.code, STATUS_FAILED_PRECONDITION);
	cr_assert(strstr(s.detail, pid), "%s", s.detail);
	cr_assert(strstr(s.detail, fixture.directory), "%s", s.detail);
	fixture_close();
	fixture_open(1);
}

Test(database, makes_its_directory_with_the_parents)
{
	struct database_options options = {0};
	struct database *database = NULL;
	char path[512];

	fixture_open(1);
	snprintf(path, sizeof path, "%s/some/where//deep/", fixture.directory);
	options.directory = path;
	options.writers = fixture.writers;
	cr_assert_not(status_failed(database_open(&options, &fixture.arena, &database)));
	database_close(database);
	cr_assert(exists("some/where/deep/collections"));
}

Test(database, says_which_path_it_cannot_use)
{
	struct database_options options = {.directory = "/proc/nothing/here"};
	struct database *database = NULL;
	char path[512];
	status s;

	fixture_open(1);
	options.writers = fixture.writers;
	s = database_open(&options, &fixture.arena, &database);
	cr_assert_eq(s.code, STATUS_NOT_FOUND);
	cr_assert(strstr(s.detail, "/proc/nothing"), "%s", s.detail);

	/* A file where a directory should be. */
	fixture_shell("touch '%s/file'", fixture.directory);
	snprintf(path, sizeof path, "%s/file", fixture.directory);
	options.directory = path;
	s = database_open(&options, &fixture.arena, &database);
	cr_assert(status_failed(s));
	cr_assert(strstr(s.detail, path), "%s", s.detail);
}

/* Looking whether it is there already must not cover up why it cannot be made. */
Test(database, says_why_it_cannot_make_its_directory)
{
	struct database_options options = {.directory = "/sys/sluice-test"};
	struct database *database = NULL;
	status s;

	fixture_open(1);
	options.writers = fixture.writers;
	s = database_open(&options, &fixture.arena, &database);
	cr_assert_eq(s.code, STATUS_PERMISSION_DENIED, "%s", s.detail);
	cr_assert(strstr(s.detail, "/sys/sluice-test"), "%s", s.detail);
}

Test(database, removes_what_was_left_half_made_or_half_removed_and_nothing_else)
{
	fixture_open(1);
	cr_assert_not(status_failed(create("docs")));
	fixture_close();
	fixture_shell("cd '%s/collections' && cp -r docs .docs.new && cp -r docs .other.old && "
		      "mkdir .empty.new .snapshot Strange && touch note.txt && touch .docs.old",
		      fixture.directory);

	fixture_open(1);

	check_names("", 10, "docs ");
	cr_assert_not(exists("collections/.docs.new"));
	cr_assert_not(exists("collections/.other.old"));
	cr_assert_not(exists("collections/.empty.new"));
	cr_assert(exists("collections/.snapshot"));
	cr_assert(exists("collections/Strange"));
	cr_assert(exists("collections/note.txt"));
	cr_assert_not(status_failed(touch("docs")));
}

Test(database, a_broken_collection_is_refused_by_name_and_the_others_are_served)
{
	status s;

	fixture_open(1);
	cr_assert_not(status_failed(create("good")));
	cr_assert_not(status_failed(create("torn")));
	cr_assert_not(status_failed(create("void")));
	cr_assert_not(status_failed(create("moved")));
	fixture_close();
	fixture_shell("cd '%s/collections' && "
		      "dd if=/dev/urandom of=torn/data.mdb bs=4096 count=8 status=none && "
		      "rm void/* && mv moved elsewhere",
		      fixture.directory);

	fixture_open(1);

	check_names("", 10, "elsewhere good torn void ");
	cr_assert_not(status_failed(touch("good")));
	s = touch("torn");
	cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s", s.detail);
	cr_assert(strstr(s.detail, "the collection torn is not served"), "%s", s.detail);
	s = touch("void");
	cr_assert(status_failed(s) && s.code != STATUS_NOT_FOUND, "%d %s", (int)s.code, s.detail);
	s = touch("elsewhere");
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert(strstr(s.detail, "holds the collection moved"), "%s", s.detail);

	/* Its name is taken until it is dropped. */
	cr_assert_eq(create("torn").code, STATUS_ALREADY_EXISTS);
	cr_assert_not(status_failed(drop("torn")));
	cr_assert_not(exists("collections/torn"));
	cr_assert_not(status_failed(create("torn")));
	cr_assert_not(status_failed(touch("torn")));
}

Test(database, a_dropped_collection_is_gone_and_its_name_is_free)
{
	struct collection *collection;
	struct collection_status about;

	fixture_open(1);
	collection = fixture_collection("docs");
	change_now(collection, (unsigned[]){1, 2, 3}, 3, 1);

	cr_assert_not(status_failed(drop("docs")));

	cr_assert_not(exists("collections/docs"));
	cr_assert_not(exists("collections/.docs.old"));
	cr_assert_eq(touch("docs").code, STATUS_NOT_FOUND);
	cr_assert_eq(drop("docs").code, STATUS_NOT_FOUND);
	check_names("", 10, "");
	cr_assert(collection_is_dropped(collection));
	collection_release(collection);

	collection = fixture_collection("docs");
	collection_status(collection, &about);
	cr_assert_eq(about.chunk_count, 0);
	cr_assert_eq(about.generation, 0);
	collection_release(collection);
}

Test(database, leftovers_are_in_nobodys_way)
{
	fixture_open(1);
	fixture_shell("cd '%s/collections' && mkdir .docs.new .docs.old && "
		      "touch .docs.new/data.mdb .docs.old/data.mdb",
		      fixture.directory);

	cr_assert_not(status_failed(create("docs")));
	cr_assert_not(status_failed(touch("docs")));
	cr_assert_not(status_failed(drop("docs")));
	cr_assert_not(exists("collections/.docs.old"));
}

/* What somebody put there meanwhile is not overwritten, and not removed. */
Test(database, a_directory_in_the_way_stays)
{
	status s;

	fixture_open(1);
	fixture_shell("cd '%s/collections' && mkdir docs && touch docs/precious",
		      fixture.directory);

	s = create("docs");

	cr_assert_eq(s.code, STATUS_INTERNAL, "%s", s.detail);
	cr_assert(exists("collections/docs/precious"));
	cr_assert_not(exists("collections/.docs.new"));
}

Test(database, a_dropped_collection_does_not_come_back)
{
	fixture_open(1);
	cr_assert_not(status_failed(create("docs")));
	cr_assert_not(status_failed(drop("docs")));
	fixture_close();

	fixture_open(1);
	check_names("", 10, "");
}

/* --- many threads --- */

#define THREADS 4
#define TURNS 10

static void *maker_run(void *argument)
{
	struct arena arena;
	struct collection_config config = fixture_config(argument);
	struct bytes name = bytes_of_string(argument);
	intptr_t n_made = 0;

	arena_init(&arena, (size_t)1 << 20);
	for (int i = 0; i < TURNS; i++) {
		SCOPED(collection) collection = NULL;
		struct bytes *names;
		size_t n;

		n_made += !status_failed(database_create(fixture.database, &config, &arena));
		(void)!database_acquire(fixture.database, name, &arena, &collection).code;
		(void)!database_list(fixture.database, name, 10, &arena, &names, &n).code;
		n_made -= !status_failed(database_drop(fixture.database, name, &arena));
	}
	arena_finish(&arena);
	return (void *)n_made;
}

Test(database, collections_come_and_go_on_many_threads)
{
	pthread_t threads[THREADS];
	char names[THREADS][8] = {"a", "b", "a", "b"};
	intptr_t n_left = 0;
	struct bytes *left = NULL;
	size_t n = 0;

	fixture_open(1);
	for (size_t i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, maker_run, names[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *made;

		pthread_join(threads[i], &made);
		n_left += (intptr_t)made;
	}
	cr_assert_not(status_failed(database_list(fixture.database, bytes_of_string(""), 10,
						  &fixture.arena, &left, &n)));
	cr_assert_eq((intptr_t)n, n_left);
}
