#include "index/retention.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND ((int64_t)1000000000)
#define KEEP (160 * SECOND)

static struct retention retention;

static void keep(int64_t keep_ns)
{
	retention_init(&retention, keep_ns);
}

Test(retention, of_no_time_gives_what_is_in_use)
{
	keep(0);
	retention_note(&retention, SECOND, 3);
	cr_assert_eq(retention_least(&retention, SECOND, 7), 7U);
}

Test(retention, keeps_what_was_in_use_for_the_time_and_not_much_longer)
{
	keep(KEEP);
	retention_note(&retention, 1000 * SECOND, 3);
	for (int64_t at = 1000; at <= 1160; at++)
		cr_assert_eq(retention_least(&retention, at * SECOND, 7), 3U, "%ld", (long)at);
	cr_assert_eq(retention_least(&retention, (1160 + 10) * SECOND, 7), 7U);
}

Test(retention, gives_the_least_of_all_that_was_in_use)
{
	keep(KEEP);
	retention_note(&retention, 1000 * SECOND, 5);
	retention_note(&retention, 1001 * SECOND, 4);
	retention_note(&retention, 1002 * SECOND, 6);
	retention_note(&retention, 1100 * SECOND, 9);
	cr_assert_eq(retention_least(&retention, 1150 * SECOND, 12), 4U);
	cr_assert_eq(retention_least(&retention, 1150 * SECOND, 2), 2U);
	cr_assert_eq(retention_least(&retention, 1200 * SECOND, 12), 9U);
	cr_assert_eq(retention_least(&retention, 1300 * SECOND, 12), 12U);
}

/* Against a list of everything that was noted. */
Test(retention, never_forgets_too_early)
{
	enum { NOTES = 3000 };
	static struct {
		int64_t at;
		uint64_t generation;
	} notes[NOTES];
	uint64_t state = 1, generation = 1;
	int64_t now = 5 * SECOND;

	keep(KEEP);
	for (int i = 0; i < NOTES; i++) {
		uint64_t true_least, early_least, given;

		state = state * 6364136223846793005U + 1442695040888963407U;
		now += (int64_t)(state >> 33) % (12 * SECOND);
		generation += state >> 60;
		notes[i].at = now;
		notes[i].generation = generation - (state >> 40) % generation % 5;
		retention_note(&retention, now, notes[i].generation);
		true_least = early_least = generation;
		for (int j = 0; j <= i; j++) {
			if (notes[j].generation < true_least && notes[j].at >= now - KEEP)
				true_least = notes[j].generation;
			if (notes[j].generation < early_least &&
			    notes[j].at >= now - KEEP * 17 / 16)
				early_least = notes[j].generation;
		}
		given = retention_least(&retention, now, generation);
		cr_assert_leq(given, true_least, "note %d", i);
		cr_assert_geq(given, early_least, "note %d", i);
	}
}
