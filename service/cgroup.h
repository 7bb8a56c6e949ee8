/* cgroup - what a group of this process (version 2) allows: the least of the group and all that it is in. */
#ifndef SLUICE_SERVICE_CGROUP_H
#define SLUICE_SERVICE_CGROUP_H

#include <stdint.h>

#define CGROUP_MOUNT "/sys/fs/cgroup"
#define CGROUP_PATH_BYTES 4096

/* cgroup_find - the path of the process's own: "/a/b"; "/" in a container, as a rule. "": there is none. */
void cgroup_find(char ret[CGROUP_PATH_BYTES]);

/* cgroup_least - the least number of a file of this name, from the group up to the root; 0: there is none.
 * root  where cgroups are mounted. path  of the group: "/a/b"
 * read  of the first line of such a file; 0: there is no bound */
uint64_t cgroup_least(const char *root, const char *path, const char *name,
		      uint64_t (*read)(const char *line));

#endif
