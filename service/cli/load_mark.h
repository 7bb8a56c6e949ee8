/* load_mark - what server, harness and machine had used when a window began, and used in it. */
#ifndef SLUICE_SERVICE_CLI_LOAD_MARK_H
#define SLUICE_SERVICE_CLI_LOAD_MARK_H

#include "service/cli/load_process.h"
#include "service/cli/load_stats.h"

struct load_mark {
	int64_t at_ns;
	bool has_server;
	struct load_usage server, client;
	struct load_machine machine;
	double thread_seconds; /* of the thread that all calls wait for */
};

/* load_mark_take - by the thread that drives the calls. pid  of the server; 0: not given. */
void load_mark_take(pid_t pid, struct load_mark *ret);

/* load_mark_begin, load_mark_end - the window's first and last moment, into the step. */
void load_mark_begin(const struct load_mark *begin, struct load_step *step);
void load_mark_end(const struct load_mark *begin, const struct load_mark *end,
		   struct load_step *step);

/* load_mark_look - between the two: the most memory. */
void load_mark_look(pid_t pid, struct load_step *step);

#endif
