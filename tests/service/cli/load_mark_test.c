/* load_mark - what was used within a window. */
#include "service/cli/load_mark.h"

#include <criterion/criterion.h>

#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

/* In windows of two seconds. */
static const struct {
	double used, share;
} windows[] = {
	{1.8, 0.9},
	{0.5, 0.25},
	{0, 0},
};

Test(load_mark, counts_what_the_thread_has_used_in_the_window)
{
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
		/* It has run for a minute before, in other windows. */
		struct load_mark begin = {.at_ns = SECOND_NS, .thread_seconds = 60};
		struct load_mark end = {.at_ns = 3 * SECOND_NS, .thread_seconds = 60};
		struct load_step step = {0};

		end.thread_seconds += windows[i].used;
		load_mark_end(&begin, &end, &step);

		cr_assert_float_eq(step.client_busiest_share, windows[i].share, 1e-9, "%zu: %g", i,
				   step.client_busiest_share);
	}
}

Test(load_mark, has_the_most_memory_of_the_looks_between)
{
	struct load_mark begin = {.server = {.rss_bytes = 200}};
	struct load_mark end = {.at_ns = SECOND_NS, .server = {.rss_bytes = 100}};
	struct load_step step = {0};

	load_mark_begin(&begin, &step);
	load_mark_look(0, &step);
	load_mark_end(&begin, &end, &step);

	cr_assert_eq(step.server.rss_start_bytes, 200);
	cr_assert_eq(step.server.rss_max_bytes, 200);
	cr_assert_eq(step.server.rss_end_bytes, 100);
	cr_assert(!step.server.known);
}

Test(load_mark, takes_what_this_process_has_used)
{
	struct load_mark begin, end;
	struct load_step step = {0};

	load_mark_take(getpid(), &begin);
	/* Its clock goes on while it works. */
	do
		load_mark_take(getpid(), &end);
	while (end.server.cpu_seconds <= begin.server.cpu_seconds);
	load_mark_end(&begin, &end, &step);

	cr_assert(step.server.known);
	cr_assert_gt(step.server.cpu_seconds, 0);
	cr_assert_gt(step.client_busiest_share, 0);
	cr_assert_gt(step.server.rss_end_bytes, 0);
}
