/* A disk that is full: LMDB writes to one of its files through a map, where that would be SIGBUS. */
#include "tests/index/store/fixture.h"
#include "tests/support/skip.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena[1];
static const char *directory;

static void open_directory(void)
{
	arena_init(arena, FIXTURE_ARENA_BYTES);
	directory = fixture_directory();
}

static void close_directory(void)
{
	arena_finish(arena);
	fixture_remove();
}

TestSuite(full_disk, .init = open_directory, .fini = close_directory);

static const char *path_of(const char *name)
{
	return arena_printf(arena, "%s/%s", directory, name);
}

static status create(void)
{
	struct collection_config config = fixture_config();

	return store_create(directory, &config, arena);
}

static void assert_no_holes(void)
{
	struct stat file;

	cr_assert_eq(stat(path_of("lock.mdb"), &file), 0);
	cr_assert_gt(file.st_size, STORE_READERS_MAX * 64);
	cr_assert_geq(file.st_blocks * 512, file.st_size);
}

Test(full_disk, the_file_of_locks_has_its_room_before_it_is_mapped)
{
	SCOPED(store) store = NULL;
	unsigned readers = 0;

	cr_assert(!status_failed(create()));
	assert_no_holes();
	/* One that was made with holes, as LMDB does. */
	cr_assert_eq(truncate(path_of("lock.mdb"), 0), 0);
	cr_assert_eq(truncate(path_of("lock.mdb"), 65664), 0);
	cr_assert(!status_failed(store_open(directory, arena, &store)));
	assert_no_holes();
	cr_assert_eq(mdb_env_get_maxreaders(store->env, &readers), 0);
	cr_assert_geq(readers, STORE_READERS_MAX);
}

/* Over the directory, seen by this process alone. */
static bool mount_small(void)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", directory, "tmpfs", 0, "size=1m");
}

/* Leaves less than a page. */
static void fill_disk(void)
{
	static const char page[4096];
	int fd = open(path_of("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	while (write(fd, page, sizeof page) > 0)
		;
	close(fd);
}

Test(full_disk, is_an_answer_and_not_a_signal)
{
	SCOPED(store) store = NULL;
	status created;

	if (!mount_small())
		SKIP_LOUDLY("no right to mount a small file system");
	fill_disk();
	created = create();
	cr_assert_eq(created.code, STATUS_RESOURCE_EXHAUSTED, "%s", created.detail);
	cr_assert_not_null(strstr(created.detail, directory), "%s", created.detail);

	unlink(path_of("filler"));
	cr_assert(!status_failed(create()));
	fill_disk();
	cr_assert(!status_failed(store_open(directory, arena, &store)));
	store_close(TAKE(store));
	umount2(directory, MNT_DETACH);
}
