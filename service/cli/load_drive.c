/* load_drive - the clock of a step.
 *
 * One thread starts each call when it is due and takes what comes until the next one is: two would meet
 * in gRPC's core, at the lock of a connection. So where the thread cannot keep up, calls start late, and
 * that is counted (load_stats.h: lateness).
 */
#include "service/cli/load_drive.h"

#include "kernels/base/deadline.h"
#include "service/cli/load_mark.h"

#include <stdio.h>
#include <unistd.h>

#define LOOK_NS 100000000
#define PICTURE_NS 500000000
/* Calls that are due go out before the next answer is taken; so many at most, for it waits, too. */
#define STARTS_MAX 4

struct drive {
	struct load_flights *flights;
	struct load_step *step;
	struct load_schedule schedule;
	int64_t arrival_ns; /* of the next call; INT64_MAX: there is none */
	bool is_over;
	struct load_mark begin;
	int64_t look_ns, picture_ns; /* not before then the next */
	bool shown;
	int phase; /* 0: warm-up, 1: window, 2: behind it */
};

static void arrival_choose(struct drive *drive)
{
	drive->arrival_ns = load_schedule_next(&drive->schedule);
	if (drive->arrival_ns >= drive->flights->window_end_ns)
		drive->arrival_ns = INT64_MAX;
}

static void calls_start(struct drive *drive)
{
	for (int i = 0; i < STARTS_MAX && drive->arrival_ns <= clock_ns(); i++) {
		load_flights_arrive(drive->flights, drive->arrival_ns);
		arrival_choose(drive);
	}
}

static void window_begin(struct drive *drive)
{
	load_mark_take(drive->flights->plan->pid, &drive->begin);
	load_mark_begin(&drive->begin, drive->step);
	drive->flights->counting = true;
	drive->phase = 1;
}

static void window_end(struct drive *drive)
{
	struct load_mark end;

	load_mark_take(drive->flights->plan->pid, &end);
	load_mark_end(&drive->begin, &end, drive->step);
	drive->flights->counting = false;
	drive->phase = 2;
}

static void show(struct drive *drive, int64_t now_ns)
{
	const struct load_flights *flights = drive->flights;
	const struct load_step *step = drive->step;
	static struct load_histogram latency;
	uint64_t ok = load_step_ended(step, STATUS_OK), all = 0;
	char when[48] = "warm-up";

	for (size_t i = 0; i < LOAD_CODES; i++)
		all += load_step_ended(step, (enum status_code)i);
	load_step_latency(step, &latency);
	if (drive->phase > 0)
		snprintf(when, sizeof when, "%.1f s of %g",
			 (double)(now_ns - flights->window_start_ns) * 1e-9,
			 flights->plan->seconds);
	if (step->rate > 0)
		fprintf(stderr, "\r%s  %.1f/s offered", when, step->rate);
	else
		fprintf(stderr, "\r%s", when);
	fprintf(stderr,
		"  %zu under way  %zu wait  %llu OK  %llu not  p50 %.2f ms  p99 %.2f ms\x1b[K",
		flights->n - flights->n_free, flights->n_waiting, (unsigned long long)ok,
		(unsigned long long)(all - ok), (double)load_histogram_at(&latency, 0.5) * 1e-6,
		(double)load_histogram_at(&latency, 0.99) * 1e-6);
	fflush(stderr);
}

/* What is due by now. Returns until when to wait. */
static int64_t tick(struct drive *drive)
{
	const struct load_flights *flights = drive->flights;
	int64_t now_ns = clock_ns(), next_ns;

	if (drive->phase == 0 && now_ns >= flights->window_start_ns)
		window_begin(drive);
	if (drive->phase == 1 && now_ns >= flights->window_end_ns)
		window_end(drive);
	if (drive->phase == 1 && now_ns >= drive->look_ns) {
		load_mark_look(flights->plan->pid, drive->step);
		drive->look_ns = now_ns + LOOK_NS;
	}
	if (drive->shown && now_ns >= drive->picture_ns) {
		show(drive, now_ns);
		drive->picture_ns = now_ns + PICTURE_NS;
	}
	drive->is_over =
		drive->phase == 2 && load_flights_idle(flights) && drive->arrival_ns == INT64_MAX;
	next_ns = now_ns + LOOK_NS;
	if (drive->phase == 0 && flights->window_start_ns < next_ns)
		next_ns = flights->window_start_ns;
	if (drive->phase == 1 && flights->window_end_ns < next_ns)
		next_ns = flights->window_end_ns;
	return drive->arrival_ns < next_ns ? drive->arrival_ns : next_ns;
}

static void drive_run(struct drive *drive)
{
	while (!drive->is_over) {
		struct load_event event;

		calls_start(drive);
		event = load_client_wait(drive->flights->client, tick(drive));
		if (event.tag)
			load_client_take(event);
	}
}

status load_drive(struct load_flights *flights, double rate, struct load_step *ret)
{
	const struct load_plan *plan = flights->plan;
	struct drive drive = {
		.flights = flights,
		.step = ret,
		.arrival_ns = INT64_MAX,
		.shown = isatty(STDERR_FILENO) && !arguments_has(plan->cli->arguments, "quiet"),
	};
	int64_t start_ns = clock_ns();
	uint64_t seed = plan->seed + (plan->shard << 32);

	ret->rate = rate;
	ret->in_flight = flights->n;
	flights->random.state = seed ^ 0x5bd1e995;
	flights->again = rate <= 0;
	load_flights_begin(flights, ret, start_ns);
	if (rate > 0) {
		load_schedule_init(&drive.schedule, seed, rate, start_ns);
		arrival_choose(&drive);
	} else {
		load_flights_fill(flights);
	}
	drive_run(&drive);
	if (drive.shown)
		fputs("\r\x1b[K", stderr);
	return status_ok();
}
