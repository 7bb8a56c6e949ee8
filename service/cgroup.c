/* cgroup - one line of /proc, and files of one line. */
#include "service/cgroup.h"

#include <stdio.h>
#include <string.h>

void cgroup_find(char ret[CGROUP_PATH_BYTES])
{
	FILE *in = fopen("/proc/self/cgroup", "re");
	char line[CGROUP_PATH_BYTES];

	ret[0] = 0;
	/* "0::/path": the one line of version 2. */
	while (in && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) == 0)
			memcpy(ret, line + 3, strlen(line + 3) + 1);
	}
	if (in)
		fclose(in);
}

static uint64_t read_file(const char *path, uint64_t (*read)(const char *line))
{
	FILE *in = fopen(path, "re");
	char line[64] = "";

	if (!in)
		return 0;
	if (!fgets(line, sizeof line, in))
		line[0] = 0;
	fclose(in);
	return read(line);
}

uint64_t cgroup_least(const char *root, const char *path, const char *name,
		      uint64_t (*read)(const char *line))
{
	char group[CGROUP_PATH_BYTES], file[2 * CGROUP_PATH_BYTES];
	uint64_t least = 0;

	if (snprintf(group, sizeof group, "%s", path) >= (int)sizeof group)
		return 0;
	for (;;) {
		char *slash;

		if (snprintf(file, sizeof file, "%s%s/%s", root, group, name) < (int)sizeof file) {
			uint64_t n = read_file(file, read);

			if (n && (!least || n < least))
				least = n;
		}
		slash = strrchr(group, '/');
		if (!slash)
			return least;
		*slash = 0;
	}
}
