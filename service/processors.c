/* processors - affinity, and cpu.max from the group up to the root. */
#include "service/processors.h"

#include "service/cgroup.h"

#include <sched.h>
#include <stdio.h>

size_t processors_of_quota(const char *text)
{
	unsigned long long quota, period;

	/* "max 100000" has no number in front. */
	if (sscanf(text, "%llu %llu", &quota, &period) != 2 || quota == 0 || period == 0)
		return 0;
	return (size_t)((quota - 1) / period + 1);
}

static uint64_t read_quota(const char *line)
{
	return processors_of_quota(line);
}

size_t processors_of_group(const char *root, const char *path)
{
	return (size_t)cgroup_least(root, path, "cpu.max", read_quota);
}

static size_t allowed(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	/* Fails where there are more than a set has room for. */
	if (sched_getaffinity(0, sizeof set, &set))
		return CPU_SETSIZE;
	return (size_t)CPU_COUNT(&set);
}

size_t processors_count(void)
{
	char group[CGROUP_PATH_BYTES];
	size_t n = allowed(), quota;

	cgroup_find(group);
	quota = processors_of_group(CGROUP_MOUNT, group);
	if (quota && quota < n)
		n = quota;
	return n ? n : 1;
}
