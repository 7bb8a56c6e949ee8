/* Without memory: a status, and nothing left behind. */
#include "tests/index/segment/sealed_fixture.h"

#include "tests/kernels/failing_malloc.h"

#include <criterion/criterion.h>

#include <dirent.h>

static const struct sealed_made_of made_of = {
	.metric = METRIC_L2, .dim = 100, .n = 300, .head = 64, .rotated = true};

static size_t count_files(const char *directory)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	size_t n = 0;

	cr_assert(stream);
	while ((entry = readdir(stream)))
		n += entry->d_name[0] != '.';
	closedir(stream);
	return n;
}

Test(sealed_memory, any_allocation_of_a_write_may_fail)
{
	struct room room;
	struct sealed_file file;
	struct sealed_source source;
	long nth = 0;

	room_init(&room, &made_of, 1);
	file = room_file(&room, 1);
	source = room_source(&room);
	for (;; nth++) {
		status s;

		failing_malloc_set(nth);
		s = sealed_write(&file, &source, &room.coding, NULL, &room.arena);
		if (!failing_malloc_struck())
			break;
		failing_malloc_set(-1);
		cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%ld: %s", nth, s.detail);
		cr_assert_eq(count_files(room.scratch.path), 0);
	}
	failing_malloc_set(-1);
	cr_assert_geq(nth, 3);
	cr_assert(!status_failed(room_opens(&room, 1)));
	room_finish(&room);
}

Test(sealed_memory, any_allocation_of_an_open_may_fail)
{
	struct room room;
	long nth = 0;

	room_init(&room, &made_of, 2);
	room_write(&room, 1);
	for (;; nth++) {
		status s;

		failing_malloc_set(nth);
		s = room_opens(&room, 1);
		if (!failing_malloc_struck())
			break;
		failing_malloc_set(-1);
		cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%ld: %s", nth, s.detail);
	}
	failing_malloc_set(-1);
	cr_assert_geq(nth, 3);
	room_finish(&room);
}
