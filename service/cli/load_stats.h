/* load_stats - what a run of the load harness has counted; what several of them have together.
 *
 * A step is one offered load (a rate, or so many calls in flight) over one window of time. A call
 * belongs to a step if it was to begin within the window, and is then counted exactly once: as unsent,
 * or by the code that it ended with. Latencies count from when a call was to begin, not from when it
 * was sent: a client that waits for a slow server cannot hide the wait (coordinated omission). They are
 * those of calls that ended OK.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_STATS_H
#define SLUICE_SERVICE_CLI_LOAD_STATS_H

#include "kernels/base/status.h"
#include "service/cli/load_histogram.h"

enum load_kind { LOAD_SEARCH, LOAD_ITERATE, LOAD_UPSERT, LOAD_KINDS };

#define LOAD_CODES 17 /* of gRPC, OK to UNAUTHENTICATED */

struct load_counts {
	uint64_t arrivals; /* = unsent + all ended */
	uint64_t unsent;   /* no stream was free before the call's deadline */
	uint64_t ended[LOAD_CODES];
	uint64_t messages, hits, received_bytes, sent_bytes;
	struct load_histogram latency; /* ns, to the end of the call */
	struct load_histogram
		first_hit;         /* ns, to the first message with a hit; of an upsert, the ack */
	struct load_histogram gap; /* ns a hit, between messages of a stream */
};

/* Of the server's process, where --pid is given. */
struct load_server {
	bool known;
	double cpu_seconds;
	uint64_t rss_start_bytes, rss_max_bytes, rss_end_bytes;
};

struct load_step {
	double rate;        /* offered a second; 0: a closed loop */
	uint64_t in_flight; /* calls at once: of a closed loop always, of an open one at most */
	double seconds;     /* of the window, as it was */
	/* By when calls ended, not by when they began: */
	uint64_t ended_in_window, ok_in_window;
	struct load_counts kinds[LOAD_KINDS];
	struct load_histogram lateness; /* ns, from when a call was to begin until it was sent */
	struct load_server server;
	double client_cpu_seconds;
	/* Of the window: how long the busiest process's busiest thread had a processor or waited for one. */
	double client_busiest_share;
	double idle_share;             /* of all processors of the machine */
	char details[LOAD_CODES][112]; /* of the first call that ended so */
};

#define LOAD_STEPS_MAX 64

struct load_report {
	char title[200]; /* what was asked for */
	uint64_t n_processes, n_steps;
	struct load_step *steps; /* [n_steps], owned by an arena */
};

const char *load_kind_name(enum load_kind kind);

/* load_step_merge - processes that ran side by side: counts, rates and their own CPU add up; the
 * server, which each of them has seen, counts once. */
void load_step_merge(struct load_step *into, const struct load_step *from);

/* load_report_merge - step by step. arena  owns the detail.
 * Fails: INVALID_ARGUMENT where the two are not parts of one run */
struct arena;
status load_report_merge(struct arena *arena, struct load_report *into,
			 const struct load_report *from);

uint64_t load_step_arrivals(const struct load_step *step);
uint64_t load_step_ended(const struct load_step *step, enum status_code code);
uint64_t load_step_unsent(const struct load_step *step);
/* load_step_latency - of all kinds together. ret  [1] overwritten. */
void load_step_latency(const struct load_step *step, struct load_histogram *ret);
/* load_step_goodput - calls a second that ended OK in the window. */
double load_step_goodput(const struct load_step *step);
/* load_step_cpu_us - the server's CPU time a call; below 0 where it is not known. */
double load_step_cpu_us(const struct load_step *step);

/* load_step_doubt - why the figures may be the harness's own rather than the server's: one line, or
 * NULL. Printed into ret, [size]. */
const char *load_step_doubt(const struct load_step *step, char *ret, size_t size);

#endif
