/* thread - see the header. */
#include "kernels/base/thread.h"

#include <signal.h>
#include <time.h>

status thread_start(void *(*run)(void *), void *argument, const char *what, pthread_t *ret)
{
	sigset_t all, before;
	int failed;

	/* Threads inherit the mask; signals are for those that ask for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(ret, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, what);
	return status_ok();
}

void monotonic_init(pthread_cond_t *ret)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(ret, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void monotonic_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns)
{
	struct timespec at = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

	pthread_cond_timedwait(condition, lock, &at);
}
