/* revive - LMDB could not write the page that makes a commit count: the collection serves on, or says that it
 * cannot until a restart, which then finds the write whole.
 */
#include "tests/faults/libc.h"
#include "tests/faults/look.h"

#include "kernels/base/log.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct scratch scratch;
static struct house house;
static struct model models[HOUSE_PLANS];
static char data[300];

/* The descriptor by which LMDB writes those pages: it syncs each write. */
static int page_fd = -1;
static enum { WRITES, FAILS, FAILS_AND_STAYS, FAILS_TO_UNDO } next;

static int note_open(const char *path, int flags, mode_t mode)
{
	int fd = libc_real.open(path, flags, mode);

	if (flags & O_DSYNC)
		page_fd = fd;
	return fd;
}

/* LMDB takes back what failed by another descriptor. */
static ssize_t fail_page(int fd, const void *bytes, size_t size, off_t offset)
{
	if (fd == page_fd && next == FAILS) {
		next = WRITES;
		errno = EIO;
		return -1;
	}
	if (fd == page_fd && next == FAILS_AND_STAYS) {
		next = FAILS_TO_UNDO;
		(void)libc_real.pwrite(fd, bytes, size, offset);
		errno = EIO;
		return -1;
	}
	if (next == FAILS_TO_UNDO) {
		next = WRITES;
		errno = EIO;
		return -1;
	}
	return libc_real.pwrite(fd, bytes, size, offset);
}

static struct file_io failing;

static void begin(void)
{
	log_set_level(LOG_ERROR);
	scratch_open(&scratch);
	snprintf(data, sizeof data, "%s/data", scratch.path);
	house_init(&house, data);
	failing = libc_real;
	failing.open = note_open;
	failing.pwrite = fail_page;
	libc_stand_in(&failing);
	memset(models, 0, sizeof models);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		models[plan].plan = house_plans + plan;
	cr_assert_not(status_failed(house_open(&house)));
}

static void end(void)
{
	house_finish(&house);
	libc_stand_in(NULL);
	scratch_close(&scratch);
}

TestSuite(revive, .init = begin, .fini = end, .timeout = 60);

/* Of the first plan; how it ended. */
static status upsert(uint16_t first)
{
	struct op op = {.kind = OP_UPSERT, .version = ++models[0].last_version, .n = 20};
	static struct errand errand;
	status s;

	for (size_t i = 0; i < op.n; i++)
		op.ids[i] = (uint16_t)(first + i);
	model_send(&models[0], &op);
	errand_make(&errand, &op);
	s = errand_send(&errand, &house, house_plans);
	if (!status_failed(s))
		s = errand_await(&errand);
	if (!status_failed(s))
		model_acknowledge(&models[0]);
	else
		s = status_make(s.code, arena_printf(&house.arena, "%s", s.detail));
	errand_finish(&errand);
	return s;
}

static void create(void)
{
	const struct op op = {.kind = OP_CREATE, .version = ++models[0].last_version};

	model_send(&models[0], &op);
	cr_assert_not(status_failed(house_create(&house, house_plans)));
	model_acknowledge(&models[0]);
}

Test(revive, what_was_committed_before_is_read_and_written_on)
{
	create();
	cr_assert_not(status_failed(upsert(0)));
	for (uint16_t round = 0; round < 3; round++) {
		next = FAILS;
		cr_assert_eq(upsert((uint16_t)(5 * round)).code, STATUS_INTERNAL);
		cr_assert_eq(next, WRITES);
		look_where("after failure %u", round);
		look_settle(&house, models);
		cr_assert_not(status_failed(upsert((uint16_t)(5 * round + 3))));
		look_settle(&house, models);
	}
	house_close(&house);
	look_check(data);
	cr_assert_not(status_failed(house_open(&house)));
	look_settle(&house, models);
}

Test(revive, a_write_that_failed_and_stayed_is_for_a_restart_to_find)
{
	status s;

	create();
	cr_assert_not(status_failed(upsert(0)));
	next = FAILS_AND_STAYS;
	cr_assert_eq(upsert(40).code, STATUS_INTERNAL);
	cr_assert_eq(next, WRITES);
	/* Nobody may answer from, or write behind, what nobody knows of. */
	for (int i = 0; i < 2; i++) {
		size_t n_pending = models[0].n_pending;

		s = upsert(80);
		models[0].n_pending = n_pending;
		cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%s", s.detail);
		cr_assert(strstr(s.detail, "restart"), "%s", s.detail);
		cr_assert(strstr(s.detail, house_plans[0].name), "%s", s.detail);
	}
	house_close(&house);
	cr_assert_not(status_failed(house_open(&house)));
	look_where("after a restart");
	look_settle(&house, models);
	look_files(&house, models);
	cr_assert_eq(state_count(&models[0].state), 40);
	cr_assert_not(status_failed(upsert(10)));
	look_settle(&house, models);
}
