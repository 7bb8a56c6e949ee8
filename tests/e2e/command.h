/* command - the program as a user runs it: what it prints, and how it ends. */
#ifndef SLUICE_TESTS_E2E_COMMAND_H
#define SLUICE_TESTS_E2E_COMMAND_H

struct said {
	int result;      /* as program_await has it */
	const char *out; /* the session's arena owns both */
	const char *err;
};

/* command_run - arguments  the last is NULL, the first the command. It gets a minute, and the world's
 * folder for files. Asserts: for the test's own thread alone. */
struct said command_run(const char *const *arguments);

#endif
