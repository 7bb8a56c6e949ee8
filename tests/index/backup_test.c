/* backup - a snapshot that is made while its collection is written is the collection of one generation,
 * restored bit by bit; one that is damaged is refused by the name of its file; and whatever fails,
 * nothing half made is left.
 */
#include "index/backup_manifest.h"
#include "index/check.h"
#include "index/file/file_io.h"
#include "tests/index/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "docs"
#define SEAL_ROWS 40
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SNAPSHOTS 4
#define FLIPS 30
#else
#define SNAPSHOTS 12
#define FLIPS 120
#endif

/* Which call on a file fails. */
enum call {
	CALL_NONE,
	CALL_OPEN,
	CALL_WRITE,
	CALL_SYNC,
	CALL_LINK,
	CALL_RENAME,
	CALL_MKDIR,
	CALLS
};

static struct {
	enum call call; /* that fails, */
	int error;
	atomic_int left;    /* after so many that do not: once, */
	bool always;        /* or from then on */
	const char *within; /* a folder: calls on files elsewhere do not count */
} failing;

static char source[256]; /* the directory that is written and copied */

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	fixture.retention_ns = INT64_C(1) << 50;
	failing.call = CALL_NONE;
	failing.always = false;
	failing.within = "snapshots";
	memcpy(source, fixture.directory, sizeof source);
}

static void end(void)
{
	memcpy(fixture.directory, source, sizeof source);
	fixture_end();
}

TestSuite(backup, .init = begin, .fini = end, .timeout = 120);

/* --- making one, and waiting for it --- */

struct made {
	struct backup_making making; /* first */
	struct deadline deadline;
	sem_t done;
};

static void made_done(struct backup_making *making)
{
	sem_post(&((struct made *)making)->done);
}

static void make_begin(struct made *made, struct collection *collection)
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

static void make_end(struct made *made)
{
	backup_make(&made->making);
	while (sem_wait(&made->done))
		;
	sem_destroy(&made->done);
}

static struct backup make(struct collection *collection)
{
	struct made made;

	make_begin(&made, collection);
	make_end(&made);
	cr_assert_not(status_failed(made.making.result), "%s", made.making.result.detail);
	return made.making.backup;
}

static const char *path_of(const struct backup *backup)
{
	static char path[400];

	snprintf(path, sizeof path, "%s/snapshots/%s.%s", source, backup->collection, backup->id);
	return path;
}

static status restore(const char *from, const char *to)
{
	struct backup_restored restored = {0};
	char directory[300];

	snprintf(directory, sizeof directory, "%s/%s", source, to);
	return backup_restore(from, directory, &fixture.arena, &restored);
}

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
	churn->collection = fixture_collection(NAME);
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

static void open_and_check(const char *directory, const struct model *model)
{
	SCOPED(snapshot) snapshot = NULL;
	SCOPED(collection) collection = NULL;

	snprintf(fixture.directory, sizeof fixture.directory, "%.200s/%.50s", source, directory);
	fixture_open(1);
	collection = fixture_collection(NAME);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	model_check(model, snapshot);
	model_check_ids(model, collection);
	snapshot_release(TAKE(snapshot));
	collection_release(TAKE(collection));
	fixture_close();
	memcpy(fixture.directory, source, sizeof source);
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

	snprintf(path, sizeof path, "%s/%s", source, directory);
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
		backups[i] = make(churn.collection);
		cr_assert_geq(backups[i].generation, before);
		last = backups[i].generation;
	}
	churn_end(&churn);
	fixture_close();

	for (size_t i = 0; i < SNAPSHOTS; i++) {
		char name[32];
		status s;

		snprintf(name, sizeof name, "restored%zu", i);
		s = restore(path_of(&backups[i]), name);
		cr_assert_not(status_failed(s), "%s", s.detail);
		cr_assert_eq(churn.models[backups[i].generation].n_live, backups[i].chunks);
		check_is_fine(name);
		open_and_check(name, &churn.models[backups[i].generation]);
	}
	free(churn.models);
}

/* --- a collection at rest --- */

static struct model model;

/* Segments, a head, and dead rows. */
static struct collection *filled(void)
{
	struct collection *collection = fixture_collection(NAME);
	struct collection_status about;
	uint64_t random = 5;

	model = (struct model){0};
	for (uint32_t version = 1; version < 30; version++) {
		struct change change;

		change_draw(&change, &random, version);
		change_write(&change, collection);
		model_apply(&model, &change);
		change_finish(&change);
	}
	do {
		change_now(collection, NULL, 0, 0);
		collection_status(collection, &about);
	} while (about.segment_count == 0);
	return collection;
}

static size_t entries(const char *pattern)
{
	char all[400];
	glob_t found;
	size_t n = 0;

	snprintf(all, sizeof all, "%s/%s", source, pattern);
	if (glob(all, 0, NULL, &found) == 0)
		n = found.gl_pathc;
	globfree(&found);
	return n;
}

Test(backup, is_listed_found_and_removed_by_name)
{
	struct backup *list = NULL, first, second, found;
	SCOPED(collection) collection = NULL;
	const char *path = NULL;
	size_t n = 9;

	fixture_open(1);
	collection = filled();
	cr_assert_not(status_failed(backup_list(fixture.database, &fixture.arena, &list, &n)));
	cr_assert_eq(n, 0);
	first = make(collection);
	second = make(collection);
	cr_assert_not(status_failed(backup_list(fixture.database, &fixture.arena, &list, &n)));
	cr_assert_eq(n, 2);
	cr_assert_eq(list[0].chunks, model.n_live);
	cr_assert_null(list[0].damage);
	cr_assert_str_eq(list[0].version, "1.2.3");

	cr_assert_not(status_failed(backup_find(fixture.database, bytes_of_string(NAME),
						bytes_of_string(first.id), &fixture.arena, &found,
						&path)));
	cr_assert_str_eq(path, path_of(&first));
	cr_assert_eq(found.n_files, first.n_files);
	cr_assert_not(status_failed(backup_remove(fixture.database, bytes_of_string(NAME),
						  bytes_of_string(first.id), &fixture.arena)));
	cr_assert_eq(backup_remove(fixture.database, bytes_of_string(NAME),
				   bytes_of_string(first.id), &fixture.arena)
			     .code,
		     STATUS_NOT_FOUND);
	cr_assert_eq(backup_find(fixture.database, bytes_of_string("other"),
				 bytes_of_string(second.id), &fixture.arena, &found, &path)
			     .code,
		     STATUS_NOT_FOUND);
	cr_assert_eq(backup_find(fixture.database, bytes_of_string(NAME),
				 bytes_of_string("../../collections"), &fixture.arena, &found,
				 &path)
			     .code,
		     STATUS_NOT_FOUND);

	/* It outlives its collection, and one that is damaged is listed as that. */
	collection_release(TAKE(collection));
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string(NAME), &fixture.arena)));
	fixture_shell("echo >>%s/MANIFEST", path_of(&second));
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
	collection = filled();
	backup = make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	fixture_shell("cd %s/snapshots && cp -r " NAME ".%s ." NAME ".%s.new && cp -r " NAME
		      ".%s ." NAME ".%s.old && mkdir .mine.new",
		      source, backup.id, backup.id, backup.id, backup.id);
	fixture_open(1);
	cr_assert_eq(entries("snapshots/." NAME "*"), 0);
	cr_assert_eq(entries("snapshots/.mine.new"), 1);
	cr_assert_eq(entries("snapshots/" NAME ".*/MANIFEST"), 1);
	fixture_close();
}

/* --- what is damaged --- */

static void flip(const char *path, off_t at, uint8_t mask)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= mask;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Nothing of it is there then. */
static void refused(const char *path, const char *file)
{
	status s = restore(path, "refused");

	cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s: %s", file, s.detail);
	cr_assert(strstr(s.detail, file), "%s: %s", file, s.detail);
	cr_assert_eq(entries("refused/collections/*"), 0);
	cr_assert_eq(entries("refused/collections/.d*"), 0);
	arena_reset(&fixture.arena);
}

Test(backup, that_is_damaged_is_refused_by_the_name_of_its_file)
{
	static char path[400];
	uint64_t random = 3;
	struct backup backup;
	SCOPED(collection) collection = NULL;

	fixture_open(1);
	collection = filled();
	backup = make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	/* The fixture's arena is reset below. */
	struct backup_file files[16];

	cr_assert_leq(backup.n_files, 16);
	memcpy(files, backup.files, backup.n_files * sizeof *files);
	memcpy(path, path_of(&backup), sizeof path);
	for (int i = 0; i < FLIPS; i++) {
		const struct backup_file *file = &files[(size_t)i % backup.n_files];
		char name[500];
		off_t at = (off_t)random_below(&random, file->bytes);
		uint8_t mask = (uint8_t)(1U << random_below(&random, 8));

		snprintf(name, sizeof name, "%s/%s", path, file->name);
		flip(name, at, mask);
		refused(path, file->name);
		flip(name, at, mask);
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
	cr_assert_not(status_failed(restore(path, "whole")));
	open_and_check("whole", &model);
	cr_assert_eq(restore(path, "whole").code, STATUS_ALREADY_EXISTS);
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
	collection = filled();
	backup = make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	check_is_fine("");
	/* The collection's own files stay as they are. */
	fixture_shell("cd %s && for f in *; do cp $f ../x && mv ../x $f; done", path_of(&backup));
	for (size_t i = 0; i <= backup.n_files; i++) {
		const char *name = i < backup.n_files ? backup.files[i].name : BACKUP_MANIFEST;

		snprintf(file, sizeof file, "%s/%s", path_of(&backup), name);
		flip(file, 20, 1);
		snprintf(file, sizeof file, "snapshots/" NAME ".%s", backup.id);
		n_findings = 0;
		s = check_directory(source, &listener, &fixture.arena);
		cr_assert_not(status_failed(s), "%s", s.detail);
		cr_assert_eq(n_findings, 1, "%s", name);
		snprintf(file, sizeof file, "%s/%s", path_of(&backup), name);
		flip(file, 20, 1);
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
	collection = filled();
	backup = make(collection);
	snprintf(text, sizeof text, "%s/MANIFEST", path_of(&backup));
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
	collection = filled();
	backup = make(collection);
	collection_release(TAKE(collection));
	fixture_close();
	/* Of which this program knows no more than the first line. */
	fixture_shell("printf 'sluice-snapshot 2\\nanything at all\\n' >%s/MANIFEST",
		      path_of(&backup));
	s = restore(path_of(&backup), "refused");
	cr_assert_eq(s.code, STATUS_FAILED_PRECONDITION, "%s", s.detail);
	cr_assert(strstr(s.detail, "version 2, and this program reads those up to 1"), "%s",
		  s.detail);
	cr_assert_eq(entries("refused"), 0);
}

/* --- what fails --- */

static bool fails(enum call call, const char *path)
{
	if (call != failing.call || (path && !strstr(path, failing.within)))
		return false;
	if (!failing.always && atomic_fetch_sub(&failing.left, 1) != 0)
		return false;
	errno = failing.error;
	return true;
}

static bool is_within(int fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return strstr(path, failing.within);
}

static int failing_open(const char *path, int flags, mode_t mode)
{
	return flags & O_CREAT && fails(CALL_OPEN, path) ? -1 : open(path, flags, mode);
}

static ssize_t failing_pwrite(int fd, const void *data, size_t size, off_t offset)
{
	if (failing.call == CALL_WRITE && is_within(fd) && fails(CALL_WRITE, NULL))
		return -1;
	return pwrite(fd, data, size, offset);
}

static int failing_fsync(int fd)
{
	if (failing.call == CALL_SYNC && is_within(fd) && fails(CALL_SYNC, NULL))
		return -1;
	return fsync(fd);
}

static int failing_link(const char *from, const char *to)
{
	return fails(CALL_LINK, to) ? -1 : link(from, to);
}

static int failing_rename(const char *from, const char *to)
{
	return fails(CALL_RENAME, to) ? -1 : rename(from, to);
}

static int failing_mkdir(const char *path, mode_t mode)
{
	return fails(CALL_MKDIR, path) ? -1 : mkdir(path, mode);
}

static const struct file_io failing_io = {
	.open = failing_open,
	.pread = pread,
	.pwrite = failing_pwrite,
	.fallocate = fallocate,
	.ftruncate = ftruncate,
	.fsync = failing_fsync,
	.close = close,
	.rename = failing_rename,
	.link = failing_link,
	.unlink = unlink,
	.mkdir = failing_mkdir,
	.rmdir = rmdir,
	.opendir = opendir,
	.mmap = mmap,
};

Test(backup, leaves_nothing_whichever_call_finds_the_disk_full)
{
	SCOPED(collection) collection = NULL;
	size_t n_failed = 0, n_made = 0;

	fixture_open(1);
	collection = filled();
	for (int call = CALL_OPEN; call < CALLS; call++) {
		for (int nth = 0;; nth++) {
			struct made made;

			make_begin(&made, collection);
			failing.call = (enum call)call;
			failing.error = ENOSPC;
			atomic_store(&failing.left, nth);
			file_io_set(&failing_io);
			make_end(&made);
			file_io_set(NULL);
			/* It was the call after the last. */
			if (atomic_load(&failing.left) >= 0) {
				cr_assert_not(status_failed(made.making.result));
				n_made++;
				break;
			}
			/* The folder of all snapshots is there already. */
			if (call == CALL_MKDIR && nth == 0) {
				cr_assert_not(status_failed(made.making.result));
				n_made++;
				continue;
			}
			n_failed++;
			cr_assert_eq(made.making.result.code, STATUS_RESOURCE_EXHAUSTED,
				     "%d/%d: %s", call, nth, made.making.result.detail);
			cr_assert_eq(entries("snapshots/.docs*"), 0);
			cr_assert_eq(entries("snapshots/docs*"), n_made);
			arena_reset(&fixture.arena);
		}
	}
	cr_log_info("%zu calls failed", n_failed);
	cr_assert_gt(n_failed, 15);
	collection_release(TAKE(collection));
	fixture_close();
}

Test(backup, is_restored_whole_or_not_at_all_whichever_call_finds_the_disk_full)
{
	static char from[400];
	SCOPED(collection) collection = NULL;
	struct backup backup;
	size_t n_failed = 0;

	fixture_open(1);
	collection = filled();
	backup = make(collection);
	memcpy(from, path_of(&backup), sizeof from);
	collection_release(TAKE(collection));
	fixture_close();
	failing.within = "poor";
	failing.error = ENOSPC;
	for (int call = CALL_OPEN; call < CALLS; call++) {
		for (int nth = 0;; nth++) {
			status s;

			failing.call = (enum call)call;
			atomic_store(&failing.left, nth);
			file_io_set(&failing_io);
			s = restore(from, "poor");
			file_io_set(NULL);
			cr_assert_eq(entries("poor/collections/.d*"), 0);
			cr_assert_eq(entries("poor/collections/docs"), status_failed(s) ? 0 : 1);
			if (status_failed(s))
				cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%s", s.detail);
			else
				fixture_shell("rm -r %s/poor/collections/docs", source);
			n_failed += status_failed(s);
			arena_reset(&fixture.arena);
			/* It was the call after the last. */
			if (atomic_load(&failing.left) >= 0)
				break;
		}
	}
	cr_log_info("%zu calls failed", n_failed);
	cr_assert_gt(n_failed, 15);
	cr_assert_not(status_failed(restore(from, "poor")));
	open_and_check("poor", &model);
}

Test(backup, is_copied_where_there_can_be_no_links)
{
	SCOPED(collection) collection = NULL;
	struct backup linked, copied;

	fixture_open(1);
	collection = filled();
	linked = make(collection);
	failing.call = CALL_LINK;
	failing.error = EXDEV;
	failing.always = true;
	file_io_set(&failing_io);
	copied = make(collection);
	file_io_set(NULL);
	cr_assert_eq(linked.n_files, copied.n_files);
	cr_assert_eq(entries("snapshots/*/*.segment"), 2 * entries("collections/docs/*.segment"));
	collection_release(TAKE(collection));
	fixture_close();
	cr_assert_not(status_failed(restore(path_of(&copied), "copy")));
	open_and_check("copy", &model);
}

Test(backup, ends_when_it_is_not_wanted_any_more)
{
	SCOPED(collection) collection = NULL;
	struct made made;

	fixture_open(1);
	collection = filled();
	make_begin(&made, collection);
	deadline_cancel(&made.deadline);
	make_end(&made);
	cr_assert_eq(made.making.result.code, STATUS_CANCELLED);
	make_begin(&made, collection);
	made.deadline.at_ns = 1;
	make_end(&made);
	cr_assert_eq(made.making.result.code, STATUS_DEADLINE_EXCEEDED);
	cr_assert_eq(entries("snapshots/*") + entries("snapshots/.d*"), 0);
	collection_release(TAKE(collection));
	fixture_close();
}
