/* load_pages - open all, then read on in turn. */
#include "service/cli/load_pages.h"

#include "kernels/base/deadline.h"
#include "service/cli/load_flights.h"
#include "service/cli/load_mark.h"
#include "service/cli/load_wire.h"

#include <stdlib.h>

#define AT_ONCE 8
#define WALK_NS (INT64_C(3600) * 1000000000)
#define LOOK_NS 100000000

enum phase { PAGES_OPENING, PAGES_READING, PAGES_CLOSING };

struct pages;

struct walk {
	struct pages *pages;
	struct load_call *call; /* NULL: ended */
	uint64_t hits, granted;
	int64_t asked_ns;
};

struct pages {
	const struct load_plan *plan;
	struct load_requests *requests;
	struct load_client *client;
	struct load_step *step;
	struct walk *walks; /* [n] */
	size_t n, next, n_under_way, n_alive;
	enum phase phase;
	enum status_code failed; /* a walk that ended too early; OK: none */
};

static void pages_finish(struct pages *pages)
{
	free(pages->walks);
}

SCOPE_DEFINE(pages, pages_finish)

static void page_ask(struct walk *walk)
{
	const struct load_plan *plan = walk->pages->plan;
	struct load_counts *counts = &walk->pages->step->kinds[LOAD_ITERATE];

	walk->asked_ns = clock_ns();
	walk->granted += plan->page;
	counts->arrivals++;
	counts->sent_bytes += walk->pages->requests->credit.size;
	load_call_send(walk->call, walk->pages->requests->credit, false);
}

/* A page is there. */
static void page_landed(struct walk *walk)
{
	struct pages *pages = walk->pages;
	struct load_counts *counts = &pages->step->kinds[LOAD_ITERATE];

	load_histogram_add(&counts->latency, clock_ns() - walk->asked_ns, 1);
	counts->ended[STATUS_OK]++;
	pages->step->ended_in_window++;
	pages->step->ok_in_window++;
	if (walk->hits < pages->plan->depth)
		page_ask(walk);
	else
		pages->n_under_way--;
}

static bool walk_answered(void *owner, struct bytes message)
{
	struct walk *walk = owner;
	struct pages *pages = walk->pages;
	struct load_counts *counts = &pages->step->kinds[LOAD_ITERATE];
	struct load_answer answer = {0};

	load_wire_read(LOAD_ITERATE, message, &answer);
	walk->hits += answer.hits;
	if (pages->phase == PAGES_READING) {
		counts->messages++;
		counts->received_bytes += message.size;
		counts->hits += answer.hits;
	}
	if (!answer.hits || walk->hits < walk->granted)
		return answer.last;
	if (pages->phase == PAGES_READING)
		page_landed(walk);
	else if (pages->phase == PAGES_OPENING)
		pages->n_under_way--;
	return answer.last;
}

static void walk_ended(void *owner, enum status_code code, struct bytes detail)
{
	struct walk *walk = owner;
	struct pages *pages = walk->pages;

	walk->call = NULL;
	pages->n_alive--;
	if (pages->phase == PAGES_CLOSING)
		return;
	load_note_detail(pages->step, code, detail);
	pages->failed = code == STATUS_OK ? STATUS_OUT_OF_RANGE : code;
}

static const struct load_call_events walk_events = {walk_answered, walk_ended};

static status walk_open(struct pages *pages, struct walk *walk)
{
	const struct load_plan *plan = pages->plan;
	struct load_start start = {
		.path = "/sluice.v1.RetrievalService/Iterate",
		.connection = (size_t)(walk - pages->walks) % plan->connections,
		.deadline_ns = clock_ns() + WALK_NS,
		.message = load_requests_next(pages->requests, LOAD_ITERATE),
		.lasts = true,
		.events = &walk_events,
		.owner = walk,
	};

	walk->pages = pages;
	walk->granted = plan->skip;
	TRY(load_client_start(pages->client, &start, &walk->call));
	pages->n_alive++;
	pages->n_under_way++;
	load_call_send(walk->call, pages->requests->skip, false);
	return status_ok();
}

static void turn(struct pages *pages)
{
	struct load_event event = load_client_wait(pages->client, clock_ns() + LOOK_NS);

	if (event.tag)
		load_client_take(event);
}

/* Every walk once, at most AT_ONCE of them at a time. */
static status pass(struct pages *pages, enum phase phase)
{
	pages->phase = phase;
	pages->next = 0;
	while (pages->failed == STATUS_OK && (pages->next < pages->n || pages->n_under_way > 0)) {
		while (pages->next < pages->n && pages->n_under_way < AT_ONCE) {
			struct walk *walk = &pages->walks[pages->next++];

			if (phase == PAGES_OPENING) {
				TRY(walk_open(pages, walk));
			} else {
				pages->n_under_way++;
				page_ask(walk);
			}
		}
		turn(pages);
	}
	return status_ok();
}

static status pages_read(struct pages *pages)
{
	const struct load_plan *plan = pages->plan;
	struct load_mark begin, end;

	TRY(pass(pages, PAGES_OPENING));
	load_mark_take(plan->pid, &begin);
	load_mark_begin(&begin, pages->step);
	TRY(pass(pages, PAGES_READING));
	load_mark_take(plan->pid, &end);
	load_mark_end(&begin, &end, pages->step);
	load_mark_look(plan->pid, pages->step);
	if (pages->failed == STATUS_OUT_OF_RANGE)
		return status_make(STATUS_OUT_OF_RANGE,
				   "a walk ended before --depth: the collection has fewer chunks");
	if (pages->failed != STATUS_OK)
		return status_format(plan->cli->arena, pages->failed, "a cursor ended: %s: %s",
				     status_code_name(pages->failed),
				     pages->step->details[load_code(pages->failed)]);
	return status_ok();
}

static void pages_close(struct pages *pages)
{
	pages->phase = PAGES_CLOSING;
	for (size_t i = 0; i < pages->n; i++)
		if (pages->walks[i].call)
			load_call_cancel(pages->walks[i].call);
	while (pages->n_alive > 0)
		turn(pages);
}

status load_pages(const struct load_plan *plan, struct load_requests *requests,
		  struct load_client *client, struct load_step *ret)
{
	struct pages memory = {
		.plan = plan,
		.requests = requests,
		.client = client,
		.step = ret,
		.n = plan->connections * plan->streams,
	};
	SCOPED(pages) pages = &memory;
	status read;

	pages->walks = calloc(pages->n, sizeof *pages->walks);
	if (!pages->walks)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for cursors");
	ret->in_flight = pages->n < AT_ONCE ? pages->n : AT_ONCE;
	read = pages_read(pages);
	pages_close(pages);
	return read;
}
