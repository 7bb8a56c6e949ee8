/* meters - what counting costs: an addition, a time with its bucket, and a clock, alone and with threads
 * that all count the same; beside one atomic that they share.
 *
 *	meters [THREADS]    2 where none is given
 */
#include "kernels/base/deadline.h"
#include "kernels/base/meter.h"
#include "kernels/base/pool.h"
#include "tests/bench/cpu.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define N_TIMES 20000000
#define THREADS_MAX 64

static _Atomic uint64_t shared;

static void count_meter(int64_t i)
{
	(void)i;
	meter_add(METER_HITS, 1);
}

static void count_timer(int64_t i)
{
	timer_add(TIMER_COMMIT, i & 0xFFFFF);
}

static void count_shared(int64_t i)
{
	(void)i;
	atomic_fetch_add_explicit(&shared, 1, memory_order_relaxed);
}

static void read_clock(int64_t i)
{
	(void)i;
	atomic_signal_fence(memory_order_seq_cst);
	(void)clock_ns();
}

struct worker {
	pthread_t thread;
	void (*count)(int64_t i);
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (int64_t i = 0; i < N_TIMES; i++)
		worker->count(i);
	return NULL;
}

/* Nanoseconds of one. */
static double measure(void (*count)(int64_t i), size_t n_threads)
{
	struct worker workers[THREADS_MAX];
	int64_t start_ns = cpu_process_ns();

	for (size_t i = 0; i < n_threads; i++) {
		workers[i].count = count;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			abort();
	}
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(workers[i].thread, NULL);
	return (double)(cpu_process_ns() - start_ns) / (double)n_threads / N_TIMES;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*count)(int64_t i);
	} things[] = {
		{"meter_add", count_meter},
		{"timer_add", count_timer},
		{"one shared atomic", count_shared},
		{"clock_ns", read_clock},
	};
	size_t n_threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;

	if (n_threads < 1 || n_threads > THREADS_MAX)
		n_threads = 2;
	printf("%-20s %12s %9zu threads\n", "ns each", "1 thread", n_threads);
	for (size_t i = 0; i < sizeof things / sizeof *things; i++)
		printf("%-20s %12.1f %17.1f\n", things[i].name, measure(things[i].count, 1),
		       measure(things[i].count, n_threads));
	return 0;
}
