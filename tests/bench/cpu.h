/* cpu - time of the processor: what else runs on the machine is not in it. */
#ifndef SLUICE_TESTS_BENCH_CPU_H
#define SLUICE_TESTS_BENCH_CPU_H

#include <stdint.h>
#include <time.h>

static inline int64_t cpu_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* cpu_ns, cpu_seconds - of the calling thread. */
static inline int64_t cpu_ns(void)
{
	return cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline double cpu_seconds(void)
{
	return (double)cpu_ns() * 1e-9;
}

/* cpu_process_ns, cpu_process_seconds - of all threads. */
static inline int64_t cpu_process_ns(void)
{
	return cpu_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline double cpu_process_seconds(void)
{
	return (double)cpu_process_ns() * 1e-9;
}

#endif
