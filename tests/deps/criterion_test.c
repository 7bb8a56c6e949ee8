/* Criterion - what the tests rely on, from the library and from its stand-in under TSan. */
#include <criterion/criterion.h>

static int suite_inits, test_inits;

static void suite_init(void)
{
	suite_inits++;
}

static void test_init(void)
{
	test_inits++;
	cr_assert_eq(suite_inits, 1, "the suite's comes first");
}

static void test_fini(void)
{
	suite_inits = test_inits = 0;
}

TestSuite(fixtures, .init = suite_init, .fini = test_fini);

Test(fixtures, run_suite_then_test, .init = test_init, .timeout = 20)
{
	cr_assert_eq(suite_inits, 1);
	cr_assert_eq(test_inits, 1);
}

Test(fixtures, start_anew_for_each_test)
{
	cr_assert_eq(suite_inits, 1, "%d times", suite_inits);
	cr_assert_eq(test_inits, 0);
}

Test(asserts, hold_where_they_should)
{
	static const int numbers[] = {1, 2, 3}, others[] = {1, 2, 4};
	const char *word = "sluice";

	cr_assert(word);
	cr_assert_not(!word, "with a %s", "message");
	cr_assert_eq(numbers[0], 1);
	cr_assert_neq(numbers[0], 2);
	cr_assert_lt(numbers[0], 2);
	cr_assert_leq(numbers[0], 1);
	cr_assert_gt(numbers[1], 1);
	cr_assert_geq(numbers[1], 2);
	cr_assert_null(NULL);
	cr_assert_not_null(word);
	cr_assert_str_eq(word, "sluice", "at %zu", sizeof numbers);
	cr_assert_str_neq(word, "lock");
	cr_assert_arr_eq(numbers, numbers, sizeof numbers);
	cr_assert_arr_neq(numbers, others, sizeof numbers);
	cr_assert_float_eq(1.0, 1.05, 0.1);
	cr_assert_float_neq(1.0, 1.5, 0.1);
	cr_expect(numbers[2] == 3);
	cr_expect_eq(others[2], 4, "%d", others[2]);
	cr_expect_str_eq(word, "sluice");
}

Test(asserts, can_be_disabled, .disabled = true)
{
	cr_assert_fail("a disabled test does not run");
}

Test(skip, knows_the_running_test)
{
	cr_assert_str_eq(criterion_current_test->category, "skip");
	cr_assert_str_eq(criterion_current_test->name, "knows_the_running_test");
}
