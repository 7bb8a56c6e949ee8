/* served - the program as a server with arguments of the test's own, and all that it announces.
 *
 *	struct served served;
 *
 *	served_start(&served, arguments, 2);
 *	... served_address(&served, "health on ")
 *	cr_assert_eq(served_stop(&served), 0);
 */
#ifndef SLUICE_TESTS_E2E_SERVED_H
#define SLUICE_TESTS_E2E_SERVED_H

#include <stddef.h>
#include <sys/types.h>

#define SERVED_LINES_MAX 4

struct served {
	pid_t pid;
	int output;
	char lines[SERVED_LINES_MAX][300];
};

/* served_start - arguments  the last NULL, the first "serve". Returns when it has printed n_lines;
 * asserts that it does. */
void served_start(struct served *served, const char *const *arguments, size_t n_lines);

/* served_address - what stands behind the word in the first line that begins with it; asserts that
 * there is one. */
const char *served_address(const struct served *served, const char *word);

/* served_await - its exit status, as program_await; served_stop sends SIGTERM first. */
int served_await(struct served *served);
int served_stop(struct served *served);

/* file_write - text into a new file, which then takes the place of path at once. */
void file_write(const char *path, const char *text);

/* tls_file - the path of a file of tests/data/tls, in the session's arena. */
const char *tls_file(const char *name);

#endif
