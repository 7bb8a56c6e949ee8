/* load_stats - sums. */
#include "service/cli/load_stats.h"

#include "kernels/base/arena.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A thread that has something to do for more than this share of the time has calls wait for it. */
#define BUSY_SHARE 0.8
/* A call that is sent this much after it was to begin, though a stream was free, is late. */
#define LATE_NS 2000000
#define IDLE_SHARE 0.05

const char *load_kind_name(enum load_kind kind)
{
	static const char *const names[] = {"search", "iterate", "upsert"};

	return names[kind];
}

static void counts_merge(struct load_counts *into, const struct load_counts *from)
{
	into->arrivals += from->arrivals;
	into->unsent += from->unsent;
	for (size_t i = 0; i < LOAD_CODES; i++)
		into->ended[i] += from->ended[i];
	into->messages += from->messages;
	into->hits += from->hits;
	into->received_bytes += from->received_bytes;
	into->sent_bytes += from->sent_bytes;
	load_histogram_merge(&into->latency, &from->latency);
	load_histogram_merge(&into->first_hit, &from->first_hit);
	load_histogram_merge(&into->gap, &from->gap);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void load_step_merge(struct load_step *into, const struct load_step *from)
{
	into->rate += from->rate;
	into->in_flight += from->in_flight;
	into->seconds = fmax(into->seconds, from->seconds);
	into->ended_in_window += from->ended_in_window;
	into->ok_in_window += from->ok_in_window;
	for (size_t i = 0; i < LOAD_KINDS; i++)
		counts_merge(&into->kinds[i], &from->kinds[i]);
	load_histogram_merge(&into->lateness, &from->lateness);
	into->server.known = into->server.known || from->server.known;
	into->server.cpu_seconds = fmax(into->server.cpu_seconds, from->server.cpu_seconds);
	into->server.rss_start_bytes =
		larger(into->server.rss_start_bytes, from->server.rss_start_bytes);
	into->server.rss_max_bytes = larger(into->server.rss_max_bytes, from->server.rss_max_bytes);
	into->server.rss_end_bytes = larger(into->server.rss_end_bytes, from->server.rss_end_bytes);
	into->client_cpu_seconds += from->client_cpu_seconds;
	into->client_busiest_share = fmax(into->client_busiest_share, from->client_busiest_share);
	into->idle_share = fmin(into->idle_share, from->idle_share);
	for (size_t i = 0; i < LOAD_CODES; i++)
		if (!into->details[i][0])
			memcpy(into->details[i], from->details[i], sizeof into->details[i]);
}

status load_report_merge(struct arena *arena, struct load_report *into,
			 const struct load_report *from)
{
	if (strcmp(into->title, from->title) != 0)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "not parts of one run: \"%s\" and \"%s\"", into->title,
				     from->title);
	if (into->n_steps != from->n_steps)
		return status_format(
			arena, STATUS_INVALID_ARGUMENT, "not parts of one run: %llu and %llu steps",
			(unsigned long long)into->n_steps, (unsigned long long)from->n_steps);
	into->n_processes += from->n_processes;
	for (size_t i = 0; i < into->n_steps; i++)
		load_step_merge(&into->steps[i], &from->steps[i]);
	return status_ok();
}

uint64_t load_step_arrivals(const struct load_step *step)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LOAD_KINDS; i++)
		sum += step->kinds[i].arrivals;
	return sum;
}

uint64_t load_step_ended(const struct load_step *step, enum status_code code)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LOAD_KINDS; i++)
		sum += step->kinds[i].ended[code];
	return sum;
}

uint64_t load_step_unsent(const struct load_step *step)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LOAD_KINDS; i++)
		sum += step->kinds[i].unsent;
	return sum;
}

void load_step_latency(const struct load_step *step, struct load_histogram *ret)
{
	*ret = step->kinds[0].latency;
	for (size_t i = 1; i < LOAD_KINDS; i++)
		load_histogram_merge(ret, &step->kinds[i].latency);
}

double load_step_goodput(const struct load_step *step)
{
	return step->seconds > 0 ? (double)step->ok_in_window / step->seconds : 0;
}

double load_step_cpu_us(const struct load_step *step)
{
	if (!step->server.known || !step->ended_in_window)
		return -1;
	return step->server.cpu_seconds * 1e6 / (double)step->ended_in_window;
}

const char *load_step_doubt(const struct load_step *step, char *ret, size_t size)
{
	int64_t late_ns = load_histogram_at(&step->lateness, 0.99);

	if (step->client_busiest_share > BUSY_SHARE) {
		snprintf(ret, size,
			 "this harness is the bottleneck: a thread of it was busy, or waited for a "
			 "processor, for %.0f%% of the time (%s)",
			 step->client_busiest_share * 100,
			 step->idle_share < IDLE_SHARE ? "it wants processors of its own"
						       : "use --shard");
		return ret;
	}
	if (late_ns > LATE_NS) {
		snprintf(ret, size,
			 "calls were sent late: 1%% of them %.1f ms or more after their time",
			 (double)late_ns * 1e-6);
		return ret;
	}
	if (step->idle_share < IDLE_SHARE) {
		snprintf(ret, size,
			 "the machine had no processor idle (%.0f%%): harness and server took them "
			 "from each other",
			 step->idle_share * 100);
		return ret;
	}
	return NULL;
}
