/* load_sleep - ppoll, which knows nanoseconds. */
#include "service/cli/load_sleep.h"

#include "kernels/base/deadline.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Until the next look at what no socket tells of; and where none can be waited for. */
#define SLEEP_NS INT64_C(1000000)
#define BLIND_SLEEP_NS INT64_C(50000)

static bool is_epoll_set(int descriptors, const char *name)
{
	static const char wanted[] = "anon_inode:[eventpoll]";
	char target[64];
	ssize_t size = readlinkat(descriptors, name, target, sizeof target);

	return size == sizeof wanted - 1 && memcmp(target, wanted, sizeof wanted - 1) == 0;
}

void load_sleep_init(struct load_sleep *sleep)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	*sleep = (struct load_sleep){0};
	/* The kernel may otherwise put off a wake-up by 50 us. */
	prctl(PR_SET_TIMERSLACK, 1);
	if (!directory)
		return;
	while (sleep->n < LOAD_SETS_MAX && (entry = readdir(directory)))
		if (is_epoll_set(dirfd(directory), entry->d_name))
			sleep->sets[sleep->n++] =
				(struct pollfd){.fd = atoi(entry->d_name), .events = POLLIN};
	closedir(directory);
}

void load_sleep_until(struct load_sleep *sleep, int64_t until_ns)
{
	int64_t left_ns = until_ns - clock_ns();
	int64_t most_ns = sleep->n ? SLEEP_NS : BLIND_SLEEP_NS;
	struct timespec time = {0};

	if (left_ns <= 0)
		return;
	time.tv_nsec = left_ns < most_ns ? left_ns : most_ns;
	(void)ppoll(sleep->sets, sleep->n, &time, NULL);
}
