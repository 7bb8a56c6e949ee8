/* load_mark - what server, harness and machine had used when a window began, and used in it. */
#ifndef SLUICE_SERVICE_CLI_LOAD_MARK_H
#define SLUICE_SERVICE_CLI_LOAD_MARK_H

#include "service/cli/load_process.h"
#include "service/cli/load_stats.h"

/* Our threads, each of which can be what calls wait for. */
enum load_thread { LOAD_RECEIVER, LOAD_SENDER, LOAD_THREADS };

struct load_mark {
	int64_t at_ns;
	bool has_server;
	struct load_usage server, client;
	struct load_machine machine;
	double thread_seconds[LOAD_THREADS];
};

/* load_mark_take - by the thread that receives. pid  of the server; 0: not given. sender_seconds  of the
 * thread that sends, as load_thread_seconds has them; 0: there is none. */
void load_mark_take(pid_t pid, double sender_seconds, struct load_mark *ret);

/* load_mark_begin, load_mark_end - the window's first and last moment, into the step. */
void load_mark_begin(const struct load_mark *begin, struct load_step *step);
void load_mark_end(const struct load_mark *begin, const struct load_mark *end,
		   struct load_step *step);

/* load_mark_look - between the two: the most memory. */
void load_mark_look(pid_t pid, struct load_step *step);

#endif
