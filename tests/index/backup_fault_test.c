/* backup, where calls on files fail - whichever does, nothing half made is left, of a snapshot or
 * of what is restored from one; and one that is not wanted any more ends.
 */
#include "index/file/file_io.h"
#include "tests/index/backup_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void begin(void)
{
	world_begin();
	failing.call = CALL_NONE;
	failing.always = false;
	failing.within = "snapshots";
}

TestSuite(backup_fault, .init = begin, .fini = world_end, .timeout = 120);

/* --- calls that fail --- */

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

/* --- what is left then --- */

Test(backup_fault, leaves_nothing_whichever_call_finds_the_disk_full)
{
	SCOPED(collection) collection = NULL;
	size_t n_failed = 0, n_made = 0;

	fixture_open(1);
	collection = world_filled();
	for (int call = CALL_OPEN; call < CALLS; call++) {
		for (int nth = 0;; nth++) {
			struct made made;

			made_begin(&made, collection);
			failing.call = (enum call)call;
			failing.error = ENOSPC;
			atomic_store(&failing.left, nth);
			file_io_set(&failing_io);
			made_end(&made);
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
			cr_assert_eq(world_entries("snapshots/.docs*"), 0);
			cr_assert_eq(world_entries("snapshots/docs*"), n_made);
			arena_reset(&fixture.arena);
		}
	}
	cr_log_info("%zu calls failed", n_failed);
	cr_assert_gt(n_failed, 15);
	collection_release(TAKE(collection));
	fixture_close();
}

Test(backup_fault, is_restored_whole_or_not_at_all_whichever_call_finds_the_disk_full)
{
	static char from[400];
	SCOPED(collection) collection = NULL;
	struct backup backup;
	size_t n_failed = 0;

	fixture_open(1);
	collection = world_filled();
	backup = world_make(collection);
	memcpy(from, world_path_of(&backup), sizeof from);
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
			s = world_restore(from, "poor");
			file_io_set(NULL);
			cr_assert_eq(world_entries("poor/collections/.d*"), 0);
			cr_assert_eq(world_entries("poor/collections/docs"),
				     status_failed(s) ? 0 : 1);
			if (status_failed(s))
				cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%s", s.detail);
			else
				fixture_shell("rm -r %s/poor/collections/docs", world_source);
			n_failed += status_failed(s);
			arena_reset(&fixture.arena);
			/* It was the call after the last. */
			if (atomic_load(&failing.left) >= 0)
				break;
		}
	}
	cr_log_info("%zu calls failed", n_failed);
	cr_assert_gt(n_failed, 15);
	cr_assert_not(status_failed(world_restore(from, "poor")));
	world_open_and_check("poor", &world_model);
}

Test(backup_fault, is_copied_where_there_can_be_no_links)
{
	SCOPED(collection) collection = NULL;
	struct backup linked, copied;

	fixture_open(1);
	collection = world_filled();
	linked = world_make(collection);
	failing.call = CALL_LINK;
	failing.error = EXDEV;
	failing.always = true;
	file_io_set(&failing_io);
	copied = world_make(collection);
	file_io_set(NULL);
	cr_assert_eq(linked.n_files, copied.n_files);
	cr_assert_eq(world_entries("snapshots/*/*.segment"),
		     2 * world_entries("collections/docs/*.segment"));
	collection_release(TAKE(collection));
	fixture_close();
	cr_assert_not(status_failed(world_restore(world_path_of(&copied), "copy")));
	world_open_and_check("copy", &world_model);
}

Test(backup_fault, ends_when_it_is_not_wanted_any_more)
{
	SCOPED(collection) collection = NULL;
	struct made made;

	fixture_open(1);
	collection = world_filled();
	made_begin(&made, collection);
	deadline_cancel(&made.deadline);
	made_end(&made);
	cr_assert_eq(made.making.result.code, STATUS_CANCELLED);
	made_begin(&made, collection);
	made.deadline.at_ns = 1;
	made_end(&made);
	cr_assert_eq(made.making.result.code, STATUS_DEADLINE_EXCEEDED);
	cr_assert_eq(world_entries("snapshots/*") + world_entries("snapshots/.d*"), 0);
	collection_release(TAKE(collection));
	fixture_close();
}
