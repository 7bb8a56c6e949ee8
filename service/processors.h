/* processors - how many threads can run at once: what the machine has, this process may use, and the
 * quota of its cgroup (v2) lets it. A container with two of sixty-four cores should not have
 * sixty-four threads that wait for each other's turn.
 */
#ifndef SLUICE_SERVICE_PROCESSORS_H
#define SLUICE_SERVICE_PROCESSORS_H

#include <stddef.h>

/* processors_count - at least 1. */
size_t processors_count(void);

/* processors_of_quota - of the text of a cpu.max, rounded up; 0: there is no bound, or it is none. */
size_t processors_of_quota(const char *text);

/* processors_of_group - the least of a group and all that it is in; 0: there is no bound.
 * root  where cgroups are mounted. path  of the group: "/a/b" */
size_t processors_of_group(const char *root, const char *path);

#endif
