/* A crew's parts: each is done once, by however many; and what ends the work early. */
#include "index/build/crew.h"

#include <criterion/criterion.h>

#include <stdatomic.h>
#include <string.h>

enum { PARTS = 500 };

static const size_t sizes[] = {1, 2, 3, CREW_MAX, CREW_MAX + 5};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct done {
	atomic_int times[PARTS];
	_Atomic size_t workers_most;
	size_t fails_from, told; /* parts; how often */
	struct deadline deadline;
	size_t cancels; /* part */
};

static void done_init(struct done *done)
{
	memset(done, 0, sizeof *done);
	done->fails_from = done->cancels = PARTS;
	deadline_init(&done->deadline, DEADLINE_NEVER);
}

static status run(void *context, size_t part, const struct crew_place *place)
{
	struct done *done = context;

	atomic_fetch_add(&done->times[part], 1);
	if (place->worker > atomic_load(&done->workers_most))
		atomic_store(&done->workers_most, place->worker);
	if (part == done->cancels)
		deadline_cancel(&done->deadline);
	if (part >= done->fails_from)
		return status_format(place->arena, STATUS_INTERNAL, "part %zu", part);
	return status_ok();
}

static void told(void *context, size_t n_done)
{
	struct done *done = context;

	cr_assert_leq(n_done, PARTS);
	done->told++;
}

static status run_all(struct done *done, struct arena *arena, size_t n)
{
	const struct crew_work work = {
		.n = n,
		.run = run,
		.told = told,
		.context = done,
		.deadline = &done->deadline,
		.arena = arena,
	};

	return crew_run(&work);
}

Test(crew, does_each_part_once)
{
	struct done done;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		crew_limit(sizes[i]);
		done_init(&done);
		cr_assert(!status_failed(run_all(&done, NULL, PARTS)));
		for (size_t part = 0; part < PARTS; part++)
			cr_assert_eq(atomic_load(&done.times[part]), 1);
		cr_assert_lt(atomic_load(&done.workers_most), crew_size(PARTS));
		cr_assert_leq(done.told, PARTS);
	}
}

Test(crew, is_no_larger_than_its_limit_or_its_work)
{
	crew_limit(3);
	cr_assert_eq(crew_size(PARTS), 3);
	cr_assert_eq(crew_size(2), 2);
	cr_assert_eq(crew_size(0), 1);
	crew_limit(CREW_MAX + 1);
	cr_assert_eq(crew_size(PARTS), CREW_MAX);
	crew_limit(0);
	cr_assert_geq(crew_size(PARTS), 1);
}

Test(crew, of_no_parts_does_nothing)
{
	struct done done;

	done_init(&done);
	cr_assert(!status_failed(run_all(&done, NULL, 0)));
	cr_assert_eq(done.told, 0);
}

/* In the memory of who asked: that of the threads is gone. */
Test(crew, fails_with_the_first_part_that_failed)
{
	struct arena arena;
	struct done done;

	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		status s;

		crew_limit(sizes[i]);
		done_init(&done);
		done.fails_from = 100;
		s = run_all(&done, &arena, PARTS);
		cr_assert_eq(s.code, STATUS_INTERNAL);
		cr_assert_str_eq(s.detail, "part 100");
		/* Each thread has had one part at most behind it. */
		for (size_t part = 100 + CREW_MAX; part < PARTS; part++)
			cr_assert_eq(atomic_load(&done.times[part]), 0);
	}
	arena_finish(&arena);
}

Test(crew, begins_no_part_that_is_not_wanted)
{
	struct done done;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		crew_limit(sizes[i]);
		done_init(&done);
		done.cancels = 200;
		cr_assert_eq(run_all(&done, NULL, PARTS).code, STATUS_CANCELLED);
		cr_assert_eq(atomic_load(&done.times[PARTS - 1]), 0);
	}
}
