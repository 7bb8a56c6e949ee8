/* memory - memory.max from the group up to the root, and /proc/self/statm. */
#include "service/memory.h"

#include "service/cgroup.h"

#include <stdio.h>
#include <unistd.h>

static uint64_t read_max(const char *line)
{
	unsigned long long bytes;

	/* "max" is no number. */
	return sscanf(line, "%llu", &bytes) == 1 ? bytes : 0;
}

uint64_t memory_of_group(const char *root, const char *path)
{
	return cgroup_least(root, path, "memory.max", read_max);
}

uint64_t memory_max(void)
{
	char group[CGROUP_PATH_BYTES];

	cgroup_find(group);
	return memory_of_group(CGROUP_MOUNT, group);
}

uint64_t memory_used(void)
{
	FILE *in = fopen("/proc/self/statm", "re");
	unsigned long long resident = 0, shared = 0;
	int n = in ? fscanf(in, "%*u %llu %llu", &resident, &shared) : 0;

	if (in)
		fclose(in);
	if (n != 2 || shared > resident)
		return 0;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}
