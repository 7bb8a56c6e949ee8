/* server - the real program as a process of its own, on a free port over a folder.
 *
 *	struct server server;
 *
 *	cr_assert(server_start(&server, &(struct server_options){.data = scratch.path}));
 *	...
 *	cr_assert_eq(server_stop(&server, 30), 0);
 *
 * Its log goes to the test's standard error. It dies with the thread that started it, so that a
 * failed test leaves nothing running. The program is found by SLUICE_BINARY, which Bazel sets.
 */
#ifndef SLUICE_TESTS_E2E_SERVER_H
#define SLUICE_TESTS_E2E_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What an instrumented server does in ten times the time, tests ask for less of. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

struct server {
	pid_t pid; /* 0: none runs */
	int output;
	bool terminated;  /* told to end: to be told again is to end at once */
	char address[64]; /* "127.0.0.1:PORT" */
};

struct server_options {
	const char *data;          /* folder */
	const char *gpu;           /* NULL: off */
	const char *drain_seconds; /* NULL: 5 */
	const char *config;        /* file; NULL: none */
};

/* server_start - returns once it listens. False: it ended, or said nothing in a minute. */
bool server_start(struct server *server, const struct server_options *options);

/* server_terminate - SIGTERM, without waiting. */
void server_terminate(struct server *server);

/* server_await - its exit status, or 128 and the number of the signal that ended it. Killed where
 * it has not ended after seconds: gives -1. */
int server_await(struct server *server, double seconds);

/* server_stop - both of them; waits alone where it was told to end before, since a second SIGTERM cuts its drain. */
int server_stop(struct server *server, double seconds);

/* server_kill - SIGKILL, and waits for the end. Fine where none runs. */
void server_kill(struct server *server);

/* server_own_bytes - resident memory that is not a file's: what calls cost, without the pages of
 * the store that happen to be mapped. */
size_t server_own_bytes(const struct server *server);

/* program_start - the same program with any arguments.
 * arguments   [n], the last NULL, the first the command
 * ret_output  the reading end of its standard output; to be closed. NULL: it goes to ours. */
pid_t program_start(const char *const *arguments, int *ret_output);

/* program_await - as server_await. */
int program_await(pid_t pid, double seconds);

/* server_has_software_gpu - whether .gpu = "software" finds a driver. */
bool server_has_software_gpu(void);

/* pause_ms - for loops that look again and again, within a bound. */
void pause_ms(long ms);
double seconds_now(void);

#endif
