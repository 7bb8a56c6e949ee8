/* processors - affinity, and cpu.max from the group up to the root. */
#include "service/processors.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define MOUNT "/sys/fs/cgroup"
#define PATH_BYTES 4096

size_t processors_of_quota(const char *text)
{
	unsigned long long quota, period;

	/* "max 100000" has no number in front. */
	if (sscanf(text, "%llu %llu", &quota, &period) != 2 || quota == 0 || period == 0)
		return 0;
	return (size_t)((quota - 1) / period + 1);
}

static size_t quota_of_file(const char *path)
{
	FILE *in = fopen(path, "re");
	char text[64] = "";

	if (!in)
		return 0;
	if (!fgets(text, sizeof text, in))
		text[0] = 0;
	fclose(in);
	return processors_of_quota(text);
}

size_t processors_of_group(const char *root, const char *path)
{
	char group[PATH_BYTES], file[2 * PATH_BYTES];
	size_t least = 0;

	if (snprintf(group, sizeof group, "%s", path) >= (int)sizeof group)
		return 0;
	for (;;) {
		char *slash;
		size_t n;

		if (snprintf(file, sizeof file, "%s%s/cpu.max", root, group) < (int)sizeof file) {
			n = quota_of_file(file);
			if (n && (!least || n < least))
				least = n;
		}
		slash = strrchr(group, '/');
		if (!slash)
			return least;
		*slash = 0;
	}
}

/* "0::/path": the one line of version 2. In a container it is "/" as a rule. */
static void find_group(char ret[PATH_BYTES])
{
	FILE *in = fopen("/proc/self/cgroup", "re");
	char line[PATH_BYTES];

	ret[0] = 0;
	while (in && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) == 0)
			memcpy(ret, line + 3, strlen(line + 3) + 1);
	}
	if (in)
		fclose(in);
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
	char group[PATH_BYTES];
	size_t n = allowed(), quota;

	find_group(group);
	quota = processors_of_group(MOUNT, group);
	if (quota && quota < n)
		n = quota;
	return n ? n : 1;
}
