/* skip - a test that lacks what it needs says so where people look.
 *
 * Criterion counts a skipped test as passed or not at all; the line that is printed here is
 * collected by bazel/test and shown again at its end.
 */
#ifndef SLUICE_TESTS_SUPPORT_SKIP_H
#define SLUICE_TESTS_SUPPORT_SKIP_H

#include <criterion/criterion.h>

#include <stdio.h>

/* SKIP_LOUDLY - leave the running test and say why; from the test or a function it calls.
 * why  a string literal: what is absent, as in "no Vulkan device". */
#define SKIP_LOUDLY(why)                                                                           \
	do {                                                                                       \
		fprintf(stderr, "\nSKIPPED: %s/%s: " why "\n", criterion_current_test->category,   \
			criterion_current_test->name);                                             \
		fflush(stderr);                                                                    \
		cr_skip_test(why);                                                                 \
	} while (0)

#endif
