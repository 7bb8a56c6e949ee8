/* criterion - the part of Criterion's interface that the tests use, in one process.
 *
 * Criterion runs each test in a worker that does not start under ThreadSanitizer. Here the tests
 * run one after the other in main's thread, each with its suite's and its own init and fini. A
 * failed assertion leaves its test by longjmp; a crash or a race ends the program, and with it the
 * target. Printed at the end is the same Synthesis line, which bazel/test reads.
 *
 * Not here: parameterized tests, theories, redirection, and the options signal and exit_code (such
 * a test is skipped loudly, since only a process of its own could be let die).
 */
#ifndef SLUICE_BAZEL_CRITERION_TSAN_CRITERION_H
#define SLUICE_BAZEL_CRITERION_TSAN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct criterion_options_of_test {
	int sentinel_;
	void (*init)(void);
	void (*fini)(void);
	int signal;
	int exit_code;
	bool disabled;
	const char *description;
	double timeout;
	void *data;
};

struct criterion_test {
	const char *name;
	const char *category; /* the suite */
	void (*test)(void);
	const struct criterion_options_of_test *options;
	struct criterion_test *next;
};

/* The test that runs, as in Criterion. */
extern const struct criterion_test *criterion_current_test;

struct criterion_suite_of_one_process {
	const char *name;
	const struct criterion_options_of_test *options;
	struct criterion_suite_of_one_process *next;
};

/* Both are called by constructors, before main. */
void criterion_test_add(struct criterion_test *test);
void criterion_suite_add(struct criterion_suite_of_one_process *suite);

/* criterion_check - notes a failed check; leaves the test if it is fatal.
 * format  more words on the failure, or "" */
__attribute__((format(printf, 5, 6))) void
criterion_check(bool fatal, const char *file, int line, const char *what, const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2))) void criterion_skip(const char *format, ...);
__attribute__((format(printf, 2, 3))) void criterion_log(const char *severity, const char *format,
							 ...);

#define Test(suite_, name_, ...)                                                                   \
	static void suite_##_##name_##_impl(void);                                                 \
	static const struct criterion_options_of_test suite_##_##name_##_options = {               \
		.sentinel_ = 0, __VA_ARGS__};                                                      \
	__attribute__((constructor)) static void suite_##_##name_##_add(void)                      \
	{                                                                                          \
		static struct criterion_test test = {                                              \
			.category = #suite_,                                                       \
			.name = #name_,                                                            \
			.test = suite_##_##name_##_impl,                                           \
			.options = &suite_##_##name_##_options,                                    \
		};                                                                                 \
		criterion_test_add(&test);                                                         \
	}                                                                                          \
	static void suite_##_##name_##_impl(void)

#define TestSuite(name_, ...)                                                                      \
	static const struct criterion_options_of_test suite_##name_##_options = {.sentinel_ = 0,   \
										 __VA_ARGS__};     \
	__attribute__((constructor)) static void suite_##name_##_add(void)                         \
	{                                                                                          \
		static struct criterion_suite_of_one_process suite = {                             \
			.name = #name_,                                                            \
			.options = &suite_##name_##_options,                                       \
		};                                                                                 \
		criterion_suite_add(&suite);                                                       \
	}                                                                                          \
	struct criterion_suite_of_one_process

#define CRITERION_CHECK(fatal, condition, what, ...)                                               \
	do {                                                                                       \
		if (!(condition))                                                                  \
			criterion_check(fatal, __FILE__, __LINE__, what, "" __VA_ARGS__);          \
	} while (0)

#define CRITERION_COMPARE(fatal, a, op, b, ...)                                                    \
	CRITERION_CHECK(fatal, (a)op(b), #a " " #op " " #b, __VA_ARGS__)
#define CRITERION_STRINGS(fatal, a, op, b, ...)                                                    \
	CRITERION_CHECK(fatal, strcmp((a), (b)) op 0, "string " #a " " #op " " #b, __VA_ARGS__)
#define CRITERION_BYTES(fatal, a, op, b, size, ...)                                                \
	CRITERION_CHECK(fatal, memcmp((a), (b), (size)) op 0, "bytes of " #a " " #op " " #b,       \
			__VA_ARGS__)
#define CRITERION_NEAR(fatal, a, b, epsilon, wanted, ...)                                          \
	CRITERION_CHECK(fatal, (((a) - (b)) <= (epsilon) && ((b) - (a)) <= (epsilon)) == (wanted), \
			#a " near " #b, __VA_ARGS__)

#define cr_fail(...) CRITERION_CHECK(false, false, "failed", __VA_ARGS__)
#define cr_fatal(...) cr_assert_fail(__VA_ARGS__)

#define cr_assert_fail(...)                                                                        \
	do {                                                                                       \
		CRITERION_CHECK(true, false, "failed", __VA_ARGS__);                               \
		__builtin_unreachable();                                                           \
	} while (0)
#define cr_assert(condition, ...) CRITERION_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...)                                                              \
	CRITERION_CHECK(true, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) CRITERION_COMPARE(true, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) CRITERION_COMPARE(true, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) CRITERION_COMPARE(true, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) CRITERION_COMPARE(true, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) CRITERION_COMPARE(true, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) CRITERION_COMPARE(true, a, >=, b, __VA_ARGS__)
#define cr_assert_null(a, ...) CRITERION_COMPARE(true, a, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...) CRITERION_COMPARE(true, a, !=, NULL, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) CRITERION_STRINGS(true, a, ==, b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) CRITERION_STRINGS(true, a, !=, b, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) CRITERION_CHECK(true, !*(a), #a " is empty", __VA_ARGS__)
#define cr_assert_str_not_empty(a, ...) CRITERION_CHECK(true, *(a), #a " is not empty", __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) CRITERION_BYTES(true, a, ==, b, size, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...) CRITERION_BYTES(true, a, !=, b, size, __VA_ARGS__)
#define cr_assert_float_eq(a, b, epsilon, ...)                                                     \
	CRITERION_NEAR(true, a, b, epsilon, true, __VA_ARGS__)
#define cr_assert_float_neq(a, b, epsilon, ...)                                                    \
	CRITERION_NEAR(true, a, b, epsilon, false, __VA_ARGS__)

#define cr_expect_fail(...) CRITERION_CHECK(false, false, "failed", __VA_ARGS__)
#define cr_expect(condition, ...) CRITERION_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_expect_not(condition, ...)                                                              \
	CRITERION_CHECK(false, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) CRITERION_COMPARE(false, a, ==, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) CRITERION_COMPARE(false, a, !=, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) CRITERION_COMPARE(false, a, <, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) CRITERION_COMPARE(false, a, <=, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) CRITERION_COMPARE(false, a, >, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) CRITERION_COMPARE(false, a, >=, b, __VA_ARGS__)
#define cr_expect_null(a, ...) CRITERION_COMPARE(false, a, ==, NULL, __VA_ARGS__)
#define cr_expect_not_null(a, ...) CRITERION_COMPARE(false, a, !=, NULL, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) CRITERION_STRINGS(false, a, ==, b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) CRITERION_STRINGS(false, a, !=, b, __VA_ARGS__)
#define cr_expect_str_empty(a, ...) CRITERION_CHECK(false, !*(a), #a " is empty", __VA_ARGS__)
#define cr_expect_str_not_empty(a, ...)                                                            \
	CRITERION_CHECK(false, *(a), #a " is not empty", __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) CRITERION_BYTES(false, a, ==, b, size, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, size, ...) CRITERION_BYTES(false, a, !=, b, size, __VA_ARGS__)
#define cr_expect_float_eq(a, b, epsilon, ...)                                                     \
	CRITERION_NEAR(false, a, b, epsilon, true, __VA_ARGS__)
#define cr_expect_float_neq(a, b, epsilon, ...)                                                    \
	CRITERION_NEAR(false, a, b, epsilon, false, __VA_ARGS__)

#define cr_skip(...) criterion_skip("" __VA_ARGS__)
#define cr_skip_test(...) criterion_skip("" __VA_ARGS__)

#define cr_log_info(...) criterion_log("info", __VA_ARGS__)
#define cr_log_warn(...) criterion_log("warning", __VA_ARGS__)
#define cr_log_error(...) criterion_log("error", __VA_ARGS__)

#endif
