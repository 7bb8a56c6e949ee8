/* load_drive - the clock of a step.
 *
 * In an open loop a thread of its own sleeps until the next call is to begin, and starts it; this one
 * waits for answers. So a call goes out on time while answers are counted, and gRPC's wait, which knows
 * milliseconds alone, delays none. A mutex is around all but the waiting.
 */
#include "service/cli/load_drive.h"

#include "kernels/base/deadline.h"
#include "service/cli/load_mark.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 100000000
#define PICTURE_NS 500000000
/* Calls or answers for one turn with the lock. */
#define BURST_MAX 32

struct drive {
	struct load_flights *flights;
	struct load_step *step;
	pthread_mutex_t turn, lock; /* taken in this order: see enter */
	struct load_schedule schedule;
	pthread_t sender;
	bool has_sender, sender_done;
	pid_t sender_id;       /* 0: it has not begun */
	double sender_seconds; /* load_thread_seconds, once it is done */
	bool is_over;
	struct load_mark begin;
	int64_t look_ns, picture_ns; /* not before then the next */
	bool shown;
	int phase; /* 0: warm-up, 1: window, 2: behind it */
};

static void sleep_until(int64_t at_ns)
{
	struct timespec at = {at_ns / 1000000000, at_ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* Who waits for the lock gets it next: the mutex alone would go to the thread that has just had
 * it, again and again, and calls would be sent late. */
static void enter(struct drive *drive)
{
	pthread_mutex_lock(&drive->turn);
	pthread_mutex_lock(&drive->lock);
	pthread_mutex_unlock(&drive->turn);
}

static void leave(struct drive *drive)
{
	pthread_mutex_unlock(&drive->lock);
}

static void *sender_run(void *argument)
{
	struct drive *drive = argument;
	struct load_flights *flights = drive->flights;
	int64_t at_ns;

	/* The kernel may otherwise put off a wake-up by 50 us. */
	prctl(PR_SET_TIMERSLACK, 1);
	enter(drive);
	drive->sender_id = gettid();
	leave(drive);
	at_ns = load_schedule_next(&drive->schedule);
	while (at_ns < flights->window_end_ns) {
		sleep_until(at_ns);
		enter(drive);
		/* All that are due by now: a lock for each would cost more than to send it. */
		for (int i = 0; i < BURST_MAX && at_ns < flights->window_end_ns &&
				(i == 0 || at_ns <= clock_ns());
		     i++) {
			load_flights_arrive(flights, at_ns);
			at_ns = load_schedule_next(&drive->schedule);
		}
		leave(drive);
	}
	enter(drive);
	/* It ends with the last call of the window, so before the window: who is gone has no clock. */
	drive->sender_seconds = load_thread_seconds(gettid());
	drive->sender_done = true;
	leave(drive);
	return NULL;
}

static void mark_take(const struct drive *drive, struct load_mark *ret)
{
	double sender_seconds =
		drive->sender_done ? drive->sender_seconds : load_thread_seconds(drive->sender_id);

	load_mark_take(drive->flights->plan->pid, sender_seconds, ret);
}

static void window_begin(struct drive *drive)
{
	mark_take(drive, &drive->begin);
	load_mark_begin(&drive->begin, drive->step);
	drive->flights->counting = true;
	drive->phase = 1;
}

static void window_end(struct drive *drive)
{
	struct load_mark end;

	mark_take(drive, &end);
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
	drive->is_over = drive->phase == 2 && load_flights_idle(flights) &&
			 (!drive->has_sender || drive->sender_done);
	next_ns = now_ns + LOOK_NS;
	if (drive->phase == 0 && flights->window_start_ns < next_ns)
		return flights->window_start_ns;
	if (drive->phase == 1 && flights->window_end_ns < next_ns)
		return flights->window_end_ns;
	return next_ns;
}

/* What has come, at least one if there is one until then; without the lock. */
static size_t events_wait(struct drive *drive, int64_t until_ns, struct load_event *ret)
{
	size_t n = 0;

	ret[n] = load_client_wait(drive->flights->client, until_ns);
	while (ret[n].tag && ++n < BURST_MAX)
		ret[n] = load_client_wait(drive->flights->client, 0);
	return n;
}

static void drive_run(struct drive *drive)
{
	int64_t until_ns = clock_ns();
	struct load_event events[BURST_MAX];

	while (!drive->is_over) {
		size_t n = events_wait(drive, until_ns, events);

		enter(drive);
		for (size_t i = 0; i < n; i++)
			load_client_take(events[i]);
		until_ns = tick(drive);
		leave(drive);
	}
}

status load_drive(struct load_flights *flights, double rate, struct load_step *ret)
{
	const struct load_plan *plan = flights->plan;
	struct drive drive = {
		.flights = flights,
		.step = ret,
		.turn = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
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
		if (pthread_create(&drive.sender, NULL, sender_run, &drive) != 0)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a thread");
		drive.has_sender = true;
	} else {
		load_flights_fill(flights);
	}
	drive_run(&drive);
	if (drive.has_sender)
		pthread_join(drive.sender, NULL);
	if (drive.shown)
		fputs("\r\x1b[K", stderr);
	return status_ok();
}
