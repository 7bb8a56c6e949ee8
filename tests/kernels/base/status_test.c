#include "kernels/base/status.h"

#include "kernels/base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

Test(status, is_ok_when_all_zero)
{
	status zero = {0};

	cr_assert(!status_failed(zero));
	cr_assert(!status_failed(status_ok()));
	cr_assert(status_failed(status_make(STATUS_INTERNAL, "x")));
}

Test(status, names_every_code_and_survives_others)
{
	cr_assert_str_eq(status_code_name(STATUS_OK), "OK");
	cr_assert_str_eq(status_code_name(STATUS_DATA_LOSS), "DATA_LOSS");
	cr_assert_str_eq(status_code_name(STATUS_UNAUTHENTICATED), "UNAUTHENTICATED");
	for (int code = 0; code <= STATUS_UNAUTHENTICATED; code++)
		cr_assert_not_null(status_code_name((enum status_code)code), "code %d", code);
	cr_assert_str_eq(status_code_name((enum status_code)17), "UNKNOWN");
	cr_assert_str_eq(status_code_name((enum status_code) - 1), "UNKNOWN");
}

Test(status, prints_its_detail_into_the_arena)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	status s;

	arena_init(arena, 1 << 20);
	s = status_format(arena, STATUS_NOT_FOUND, "no collection %s of %d", "books", 3);

	cr_assert_eq(s.code, STATUS_NOT_FOUND);
	cr_assert_str_eq(s.detail, "no collection books of 3");
}

Test(status, is_one_line_whatever_it_quotes)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;

	arena_init(arena, 1 << 20);

	cr_assert_str_eq(
		status_format(arena, STATUS_NOT_FOUND, "no chunk \"%s\"", "a\n\x1B[2J\x7F\xC3\xA4")
			.detail,
		"no chunk \"a??[2J?\xC3\xA4\"");
}

Test(status, has_its_detail_where_the_arena_is_full)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;

	arena_init(arena, 16);
	cr_assert_null(arena_alloc(arena, 17));

	cr_assert_str_eq(status_format(arena, STATUS_INTERNAL, "row %d of a long story", 7).detail,
			 "row 7 of a long story");
	cr_assert(arena->exhausted);
	cr_assert_null(arena_alloc(arena, 17));
	cr_assert_str_eq(status_format(NULL, STATUS_INTERNAL, "row %d", 7).detail,
			 "no memory is left to say more");
}

static status three(int *steps, int fail_at)
{
	for (int i = 0; i < 3; i++) {
		TRY(i == fail_at ? status_make(STATUS_ABORTED, "stop") : status_ok());
		++*steps;
	}
	return status_ok();
}

Test(status, try_returns_at_the_first_failure)
{
	int steps = 0;

	cr_assert_eq(three(&steps, 1).code, STATUS_ABORTED);
	cr_assert_eq(steps, 1);
	cr_assert_eq(three(&steps, 9).code, STATUS_OK);
	cr_assert_eq(steps, 4);
}
