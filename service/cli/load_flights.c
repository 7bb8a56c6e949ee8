/* load_flights - a call's way from its arrival to its last word. */
#include "service/cli/load_flights.h"

#include "kernels/base/deadline.h"
#include "service/cli/load_wire.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const paths[] = {
	[LOAD_SEARCH] = "/sluice.v1.RetrievalService/Search",
	[LOAD_ITERATE] = "/sluice.v1.RetrievalService/Iterate",
	[LOAD_UPSERT] = "/sluice.v1.IngestService/UpsertChunks",
};

status load_flights_init(struct load_flights *flights, size_t n)
{
	flights->n = n;
	flights->all = calloc(n, sizeof *flights->all);
	flights->free = calloc(n, sizeof *flights->free);
	flights->waiting = calloc(LOAD_WAITING_MAX, sizeof *flights->waiting);
	if (!flights->all || !flights->free || !flights->waiting)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for calls");
	for (size_t i = 0; i < n; i++) {
		flights->all[i].flights = flights;
		flights->all[i].index = i;
		flights->free[i] = (uint32_t)i;
	}
	flights->n_free = n;
	return status_ok();
}

void load_flights_finish(struct load_flights *flights)
{
	free(flights->all);
	free(flights->free);
	free(flights->waiting);
}

void load_flights_begin(struct load_flights *flights, struct load_step *step, int64_t start_ns)
{
	const struct load_plan *plan = flights->plan;

	flights->step = step;
	flights->window_start_ns = start_ns + (int64_t)(plan->warmup_seconds * 1e9);
	flights->window_end_ns = flights->window_start_ns + (int64_t)(plan->seconds * 1e9);
	flights->counting = false;
}

bool load_flights_idle(const struct load_flights *flights)
{
	return flights->n_free == flights->n && flights->n_waiting == 0;
}

size_t load_code(enum status_code code)
{
	return (size_t)code < LOAD_CODES ? (size_t)code : STATUS_UNKNOWN;
}

void load_note_detail(struct load_step *step, enum status_code code, struct bytes detail)
{
	char *kept = step->details[load_code(code)];
	size_t size = sizeof step->details[0];

	if (code == STATUS_OK || kept[0])
		return;
	snprintf(kept, size, "%.*s", (int)(detail.size < size ? detail.size : size - 1),
		 (const char *)detail.data);
	text_mend(kept);
	for (; *kept; kept++)
		if ((unsigned char)*kept < ' ' || *kept == 0x7f)
			*kept = ' ';
}

static void flight_free(struct load_flight *flight)
{
	struct load_flights *flights = flight->flights;

	flight->call = NULL;
	flights->free[(flights->free_at + flights->n_free++) % flights->n] =
		(uint32_t)flight->index;
}

static struct load_counts *counts_of(const struct load_flight *flight)
{
	return &flight->flights->step->kinds[flight->kind];
}

static void counts_end(struct load_counts *counts, enum status_code code)
{
	counts->ended[load_code(code)]++;
}

/* What goes out behind the first message. */
static void flight_send(struct load_flight *flight, struct bytes message, bool last)
{
	if (flight->measured)
		counts_of(flight)->sent_bytes += message.size;
	load_call_send(flight->call, message, last);
}

/* The reader's part of a walk: grants a page when the last is there, and closes at the depth. */
static void walk_on(struct load_flight *flight, uint64_t hits)
{
	const struct load_flights *flights = flight->flights;
	const struct load_plan *plan = flights->plan;

	flight->hits += hits;
	if (flight->closed || flight->hits < flight->granted)
		return;
	if (flight->hits >= plan->depth) {
		flight->closed = true;
		flight_send(flight, flights->requests->close, true);
		return;
	}
	flight->granted += plan->page;
	flight_send(flight, flights->requests->credit, false);
}

static bool flight_answered(void *owner, struct bytes message)
{
	struct load_flight *flight = owner;
	struct load_counts *counts = counts_of(flight);
	int64_t now_ns = clock_ns();
	struct load_answer answer = {0};
	uint64_t hits;

	load_wire_read(flight->kind, message, &answer);
	hits = answer.hits;
	if (flight->measured) {
		counts->messages++;
		counts->received_bytes += message.size;
		counts->hits += hits;
		if (hits && !flight->last_ns)
			load_histogram_add(&counts->first_hit, now_ns - flight->arrived_ns, 1);
		else if (hits)
			load_histogram_add(&counts->gap, (now_ns - flight->last_ns) / (int64_t)hits,
					   hits);
	}
	if (hits)
		flight->last_ns = now_ns;
	if (flight->kind == LOAD_ITERATE)
		walk_on(flight, hits);
	return answer.last;
}

static void next_start(struct load_flights *flights);

static void flight_ended(void *owner, enum status_code code, struct bytes detail)
{
	struct load_flight *flight = owner;
	struct load_flights *flights = flight->flights;
	struct load_counts *counts = counts_of(flight);
	int64_t latency_ns = clock_ns() - flight->arrived_ns;

	if (flights->counting) {
		flights->step->ended_in_window++;
		/* An answer that comes too late is of no use to anybody. */
		flights->step->ok_in_window +=
			code == STATUS_OK && latency_ns <= flights->plan->deadline_ns;
	}
	if (flight->measured) {
		counts_end(counts, code);
		load_note_detail(flights->step, code, detail);
		if (code == STATUS_OK)
			load_histogram_add(&counts->latency, latency_ns, 1);
	}
	flight_free(flight);
	next_start(flights);
}

static const struct load_call_events flight_events = {flight_answered, flight_ended};

/* There is a free one. */
static void flight_start(struct load_flights *flights, const struct load_arrival *arrival)
{
	const struct load_plan *plan = flights->plan;
	struct load_flight *flight = &flights->all[flights->free[flights->free_at]];
	struct load_start start = {
		.path = paths[arrival->kind],
		.connection = flight->index % plan->connections,
		.deadline_ns = arrival->at_ns + plan->deadline_ns,
		.message = load_requests_next(flights->requests, arrival->kind),
		.lasts = arrival->kind != LOAD_UPSERT,
		.only = arrival->kind != LOAD_ITERATE,
		.events = &flight_events,
		.owner = flight,
	};
	status started;

	flights->free_at = (flights->free_at + 1) % flights->n;
	flights->n_free--;
	flight->kind = arrival->kind;
	flight->arrived_ns = arrival->at_ns;
	flight->last_ns = 0;
	flight->hits = 0;
	flight->granted = plan->page;
	flight->closed = false;
	flight->measured = arrival->at_ns >= flights->window_start_ns;
	if (flight->measured)
		counts_of(flight)->sent_bytes += start.message.size;
	started = load_client_start(flights->client, &start, &flight->call);
	if (status_failed(started)) {
		if (flight->measured)
			counts_end(counts_of(flight), started.code);
		flight_free(flight);
		return;
	}
	if (arrival->kind == LOAD_ITERATE)
		flight_send(flight, flights->requests->credit, false);
}

static struct load_arrival arrival_make(struct load_flights *flights, int64_t at_ns)
{
	struct load_arrival arrival = {
		.at_ns = at_ns,
		.kind = (enum load_kind)load_pick(&flights->random, flights->plan->weights,
						  LOAD_KINDS),
	};

	if (at_ns >= flights->window_start_ns)
		flights->step->kinds[arrival.kind].arrivals++;
	return arrival;
}

static void arrival_drop(struct load_flights *flights, const struct load_arrival *arrival)
{
	if (arrival->at_ns >= flights->window_start_ns)
		flights->step->kinds[arrival->kind].unsent++;
}

void load_flights_arrive(struct load_flights *flights, int64_t at_ns)
{
	struct load_arrival arrival = arrival_make(flights, at_ns);

	if (flights->n_free > 0) {
		if (at_ns >= flights->window_start_ns)
			load_histogram_add(&flights->step->lateness, clock_ns() - at_ns, 1);
		flight_start(flights, &arrival);
	} else if (flights->n_waiting < LOAD_WAITING_MAX) {
		flights->waiting[(flights->waiting_at + flights->n_waiting++) % LOAD_WAITING_MAX] =
			arrival;
	} else {
		arrival_drop(flights, &arrival);
	}
}

/* What a flight that has landed makes room for. */
static void next_start(struct load_flights *flights)
{
	int64_t now_ns = clock_ns();

	if (flights->again && now_ns < flights->window_end_ns) {
		struct load_arrival arrival = arrival_make(flights, now_ns);

		flight_start(flights, &arrival);
	}
	while (flights->n_waiting > 0 && flights->n_free > 0) {
		struct load_arrival arrival = flights->waiting[flights->waiting_at];

		flights->waiting_at = (flights->waiting_at + 1) % LOAD_WAITING_MAX;
		flights->n_waiting--;
		if (now_ns - arrival.at_ns >= flights->plan->deadline_ns)
			arrival_drop(flights, &arrival);
		else
			flight_start(flights, &arrival);
	}
}

void load_flights_fill(struct load_flights *flights)
{
	while (flights->n_free > 0) {
		struct load_arrival arrival = arrival_make(flights, clock_ns());

		flight_start(flights, &arrival);
	}
}
