/* load_flights - the calls of a load run that are under way, and those that wait for a free stream.
 *
 * A flight stays on one connection. An arrival that
 * finds no free flight waits in line; its latency counts from when it arrived, and where it has waited
 * past its deadline it is counted as unsent: a user would have gone.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_FLIGHTS_H
#define SLUICE_SERVICE_CLI_LOAD_FLIGHTS_H

#include "service/cli/load_client.h"
#include "service/cli/load_plan.h"
#include "service/cli/load_requests.h"
#include "service/cli/load_schedule.h"
#include "service/cli/load_stats.h"

struct load_flights;

struct load_flight {
	struct load_flights *flights;
	struct load_call *call;
	size_t index;
	enum load_kind kind;
	int64_t arrived_ns; /* when it was to begin */
	int64_t last_ns;    /* the message before; 0: none yet */
	uint64_t hits, granted;
	bool measured, closed;
};

struct load_arrival {
	int64_t at_ns;
	enum load_kind kind;
};

struct load_flights {
	const struct load_plan *plan;
	struct load_requests *requests;
	struct load_client *client;
	struct load_step *step;
	struct load_flight *all; /* [n] */
	uint32_t *free;          /* [n] a ring: the one that is free for the longest goes next */
	size_t n, free_at, n_free;
	struct load_arrival *waiting; /* [LOAD_WAITING_MAX] a ring */
	size_t waiting_at, n_waiting;
	int64_t window_start_ns, window_end_ns; /* arrivals within are measured */
	bool counting;                          /* ends count for the window */
	struct load_random random;              /* of the mix */
	bool again; /* closed loop: who lands starts anew until the window's end */
};

#define LOAD_WAITING_MAX ((size_t)1 << 18)

/* load_flights_init - n  at once. Fails: RESOURCE_EXHAUSTED */
status load_flights_init(struct load_flights *flights, size_t n);
void load_flights_finish(struct load_flights *flights);

SCOPE_DEFINE(load_flights, load_flights_finish)

/* load_flights_begin - the window of a step. No flight is under way. */
void load_flights_begin(struct load_flights *flights, struct load_step *step, int64_t start_ns);

/* load_flights_arrive - a call that was to begin at at_ns. */
void load_flights_arrive(struct load_flights *flights, int64_t at_ns);

/* load_flights_fill - closed loop: starts all that are free. */
void load_flights_fill(struct load_flights *flights);

/* load_flights_idle - none is under way, and none waits. */
bool load_flights_idle(const struct load_flights *flights);

/* load_code - the row of a code among those counted: what is none is UNKNOWN. */
size_t load_code(enum status_code code);
/* load_note_detail - keeps the first detail of a code. */
void load_note_detail(struct load_step *step, enum status_code code, struct bytes detail);

#endif
