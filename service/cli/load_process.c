/* load_process - CPU clocks of processes and threads count nanoseconds, where /proc/PID/stat has ticks
 * of ten milliseconds. */
#include "service/cli/load_process.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The first line of a file of /proc; false where there is none. */
static bool line_read(const char *path, char *ret, int size)
{
	FILE *in = fopen(path, "re");
	bool read = in && fgets(ret, size, in);

	if (in)
		fclose(in);
	return read;
}

static uint64_t rss_read(pid_t pid)
{
	char path[64], line[128];
	unsigned long long pages = 0;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	if (!line_read(path, line, sizeof line) || sscanf(line, "%*u %llu", &pages) != 1)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool clock_read(clockid_t clock, double *ret)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		return false;
	*ret = (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
	return true;
}

status load_usage_read(pid_t pid, struct load_usage *ret)
{
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || !clock_read(clock, &ret->cpu_seconds))
		return status_make(STATUS_NOT_FOUND,
				   "--pid names no process of this machine that can be looked at");
	ret->rss_bytes = rss_read(pid);
	return status_ok();
}

double load_thread_seconds(pid_t thread)
{
	/* As clock_getcpuclockid has that of a process; 6: of a thread. */
	clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
	unsigned long long ran_ns, waited_ns;
	char path[64], line[128];
	double seconds = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)thread);
	if (line_read(path, line, sizeof line) &&
	    sscanf(line, "%llu %llu", &ran_ns, &waited_ns) == 2)
		return (double)(ran_ns + waited_ns) * 1e-9;
	/* A kernel that does not count the waiting. */
	if (thread)
		clock_read(clock, &seconds);
	return seconds;
}

void load_machine_read(struct load_machine *ret)
{
	unsigned long long t[8] = {0}, all = 0;
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
	char line[256];

	*ret = (struct load_machine){0};
	if (!line_read("/proc/stat", line, sizeof line) ||
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
		   &t[4], &t[5], &t[6], &t[7]) < 4)
		return;
	for (size_t i = 0; i < 8; i++)
		all += t[i];
	ret->seconds = (double)all * tick;
	ret->idle_seconds = (double)(t[3] + t[4]) * tick;
}
