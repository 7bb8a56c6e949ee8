/* serve_life - how the process ends, by what is still alive. */
#include "kernels/base/gauge.h"
#include "service/serve_life.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(serve_life);

/* What life_end writes to standard error. ret  [size] */
static int end_and_read(char *ret, size_t size)
{
	int ends[2], kept = dup(STDERR_FILENO), result;
	ssize_t n;

	cr_assert_geq(kept, 0);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_geq(dup2(ends[1], STDERR_FILENO), 0);
	result = life_end();
	/* Where tests share a process, their sum is told there. */
	cr_assert_geq(dup2(kept, STDERR_FILENO), 0);
	close(kept);
	close(ends[1]);
	n = read(ends[0], ret, size - 1);
	cr_assert_gt(n, 0);
	ret[n] = 0;
	close(ends[0]);
	return result;
}

Test(serve_life, ends_with_0_where_nothing_is_alive)
{
	char said[4096];

	cr_assert_eq(end_and_read(said, sizeof said), 0);
	cr_assert_null(strstr(said, "alive"), "%s", said);
}

Test(serve_life, ends_with_70_and_names_what_is_alive)
{
	char said[4096];

	for (enum gauge gauge = 0; gauge < GAUGE_N; gauge++) {
		gauge_add(gauge, gauge == GAUGE_CURSORS ? -1 : 3);
		cr_assert_eq(end_and_read(said, sizeof said), 70, "%s", gauge_name(gauge));
		cr_assert_not_null(strstr(said, gauge_name(gauge)), "%s", said);
		cr_assert_not_null(strstr(said, "alive at exit"), "%s", said);
		gauge_add(gauge, gauge == GAUGE_CURSORS ? 1 : -3);
	}
}
