/* run - the tests of a program, one after the other, in one process. */
#include <criterion/criterion.h>

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

enum outcome { PASSED, FAILED, SKIPPED };

static struct criterion_test *tests;
static struct criterion_suite_of_one_process *suites;

static jmp_buf leave_test;
static enum outcome outcome;
const struct criterion_test *criterion_current_test;

/* Keeps the list by suite and name, as Criterion does; the linker's order means nothing. */
void criterion_test_add(struct criterion_test *test)
{
	struct criterion_test **place = &tests;

	for (; *place; place = &(*place)->next) {
		int order = strcmp((*place)->category, test->category);

		if (order > 0 || (order == 0 && strcmp((*place)->name, test->name) > 0))
			break;
	}
	test->next = *place;
	*place = test;
}

void criterion_suite_add(struct criterion_suite_of_one_process *suite)
{
	suite->next = suites;
	suites = suite;
}

static void print(const char *kind, const char *file, int line, const char *what)
{
	fprintf(stderr, "[%s] %s/%s: ", kind,
		criterion_current_test ? criterion_current_test->category : "?",
		criterion_current_test ? criterion_current_test->name : "?");
	if (file)
		fprintf(stderr, "%s:%d: ", file, line);
	if (what)
		fprintf(stderr, "%s ", what);
}

void criterion_check(bool fatal, const char *file, int line, const char *what, const char *format,
		     ...)
{
	va_list args;

	va_start(args, format);
	print("FAIL", file, line, what);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);

	outcome = FAILED;
	if (fatal)
		longjmp(leave_test, 1);
}

void criterion_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("SKIP", NULL, 0, NULL);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);

	if (outcome == PASSED)
		outcome = SKIPPED;
	longjmp(leave_test, 1);
}

void criterion_log(const char *severity, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(severity, NULL, 0, NULL);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static const struct criterion_options_of_test *suite_options(const char *name)
{
	static const struct criterion_options_of_test none;

	for (struct criterion_suite_of_one_process *suite = suites; suite; suite = suite->next)
		if (strcmp(suite->name, name) == 0)
			return suite->options;
	return &none;
}

static void step_run(void (*step)(void))
{
	if (step && setjmp(leave_test) == 0)
		step();
}

static enum outcome test_run(const struct criterion_test *test)
{
	const struct criterion_options_of_test *own = test->options;
	const struct criterion_options_of_test *suite = suite_options(test->category);
	double timeout = own->timeout > 0 ? own->timeout : suite->timeout;

	outcome = PASSED;
	criterion_current_test = test;
	if (own->disabled || suite->disabled)
		return SKIPPED;
	if (own->signal || own->exit_code || suite->signal || suite->exit_code) {
		fprintf(stderr, "\nSKIPPED: %s/%s: ends its process, which has to be its own\n",
			test->category, test->name);
		return SKIPPED;
	}

	/* SIGALRM ends the program. Ten times the time: everything is slower here. */
	alarm(timeout > 0 ? (unsigned)(timeout * 10) + 1 : 0);
	step_run(suite->init);
	if (outcome == PASSED)
		step_run(own->init);
	if (outcome == PASSED)
		step_run(test->test);
	step_run(own->fini);
	step_run(suite->fini);
	alarm(0);
	return outcome;
}

int main(void)
{
	unsigned counts[3] = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct criterion_test *test = tests; test; test = test->next)
		counts[test_run(test)]++;

	fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: 0\n",
		counts[PASSED] + counts[FAILED], counts[PASSED], counts[FAILED]);
	return counts[FAILED] ? 1 : 0;
}
