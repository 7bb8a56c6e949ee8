#include "service/retrieval/sent_rows.h"

#include <criterion/criterion.h>

static struct sent_rows sent;

static void finish(void)
{
	sent_rows_finish(&sent);
}

TestSuite(sent_rows, .fini = finish);

static void add(uint64_t from, uint64_t to)
{
	for (uint64_t row = from; row < to; row++)
		cr_assert_not(status_failed(sent_rows_add(&sent, row)));
}

Test(sent_rows, has_nothing_at_first)
{
	cr_assert_not(sent_rows_have(&sent, 0));
	cr_assert_eq(sent.capacity, 0U);
}

Test(sent_rows, has_what_was_added)
{
	add(5, 300);
	for (uint64_t row = 0; row < 400; row++)
		cr_assert_eq(sent_rows_have(&sent, row), row >= 5 && row < 300, "%lu",
			     (unsigned long)row);
}

Test(sent_rows, forgets_the_oldest_and_no_other)
{
	for (uint64_t n = SENT_ROWS_MAX - 2; n < 2 * SENT_ROWS_MAX + 3; n += 1999) {
		uint64_t first = n > SENT_ROWS_MAX ? n - SENT_ROWS_MAX : 0;

		finish();
		add(0, n);
		for (uint64_t row = 0; row < n + 10; row++)
			cr_assert_eq(sent_rows_have(&sent, row), row >= first && row < n,
				     "%lu of %lu", (unsigned long)row, (unsigned long)n);
	}
	cr_assert_leq(sent.capacity, (size_t)SENT_ROWS_MAX);
}
