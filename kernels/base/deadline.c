/* deadline - reads the flag first, since the clock costs more. */
#include "kernels/base/deadline.h"

#include <time.h>

int64_t clock_ns(void)
{
	struct timespec now;

	/* Cannot fail: the clock is always there and the address is good. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

status deadline_check(const struct deadline *deadline)
{
	if (!deadline)
		return status_ok();
	if (atomic_load_explicit(&deadline->cancelled, memory_order_acquire))
		return status_make(STATUS_CANCELLED, "the caller went away");
	if (deadline->at_ns != DEADLINE_NEVER && clock_ns() >= deadline->at_ns)
		return status_make(STATUS_DEADLINE_EXCEEDED, "the deadline has passed");
	return status_ok();
}
