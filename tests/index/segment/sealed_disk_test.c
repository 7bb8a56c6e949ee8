/* A disk that is full, and one that cannot be written. */
#include "tests/index/segment/sealed_fixture.h"

#include "kernels/base/error_info.h"
#include "tests/support/skip.h"

#include <criterion/criterion.h>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

static const struct sealed_made_of made_of = {
	.metric = METRIC_COSINE, .dim = 100, .n = 300, .head = 64};

/* Over the directory, seen by this process alone. */
static bool mount_small(const char *directory, const char *options)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", directory, "tmpfs", 0, options);
}

Test(sealed_disk, one_that_is_full_keeps_what_it_had)
{
	struct room room;
	struct sealed_file file, second;
	struct sealed_source source;
	status s;

	room_init(&room, &made_of, 1);
	cr_assert_lt(sealed_file_bytes(&room.config, 300, &room.coding), 400000);
	if (!mount_small(room.scratch.path, "size=600k")) {
		room_finish(&room);
		SKIP_LOUDLY("no right to mount a small file system");
	}
	room_write(&room, 1);
	file = room_file(&room, 1);
	second = room_file(&room, 2);
	source = room_source(&room);
	s = sealed_write(&second, &source, &room.coding, NULL, &room.arena);
	cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%s", s.detail);
	cr_assert_eq(s.info->reason, REASON_DISK_FULL);
	cr_assert_not_null(strstr(s.detail, "books"), "%s", s.detail);

	/* The attempt has given its room back, and the first is as it was. */
	cr_assert(!status_failed(room_opens(&room, 1)));
	cr_assert_eq(room_opens(&room, 2).code, STATUS_DATA_LOSS);
	cr_assert(!status_failed(sealed_remove(&file, &room.arena)));
	room_write(&room, 2);
	umount2(room.scratch.path, MNT_DETACH);
	room_finish(&room);
}

Test(sealed_disk, a_directory_that_is_not_there_is_no_place_to_write)
{
	struct room room;
	struct sealed_file file;
	struct sealed_source source;

	room_init(&room, &made_of, 2);
	file = room_file(&room, 1);
	file.directory = "/nowhere";
	source = room_source(&room);
	cr_assert_eq(sealed_write(&file, &source, &room.coding, NULL, &room.arena).code,
		     STATUS_INTERNAL);
	room_finish(&room);
}
