#include "kernels/base/deadline.h"

#include "kernels/base/gauge.h"

#include <criterion/criterion.h>
#include <string.h>

Test(deadline, says_why_work_is_not_wanted)
{
	static const struct {
		int64_t after_ns;
		bool cancel;
		enum status_code want;
	} cases[] = {
		{3600000000000, false, STATUS_OK},        {0, false, STATUS_DEADLINE_EXCEEDED},
		{-1000, false, STATUS_DEADLINE_EXCEEDED}, {3600000000000, true, STATUS_CANCELLED},
		{-1000, true, STATUS_CANCELLED},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct deadline deadline;

		deadline_init(&deadline, clock_ns() + cases[i].after_ns);
		if (cases[i].cancel)
			deadline_cancel(&deadline);
		cr_assert_eq(deadline_check(&deadline).code, cases[i].want, "case %zu", i);
	}
}

Test(deadline, may_be_never_or_none)
{
	struct deadline never;

	deadline_init(&never, DEADLINE_NEVER);
	cr_assert_eq(deadline_check(&never).code, STATUS_OK);
	cr_assert_eq(deadline_check(NULL).code, STATUS_OK);
}

Test(gauge, counts_up_and_down_and_has_a_name)
{
	for (int i = 0; i < GAUGE_N; i++) {
		enum gauge gauge = (enum gauge)i;

		gauge_add(gauge, 5);
		gauge_add(gauge, -3);
		cr_assert_eq(gauge_read(gauge), 2);
		gauge_add(gauge, -2);
		cr_assert_eq(gauge_read(gauge), 0);
		cr_assert_gt(strlen(gauge_name(gauge)), 0);
	}
}
