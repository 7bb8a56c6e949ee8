/* memory - what this process may have and what it has: of memory that is no file's, since the pages of
 * files go by themselves where something else is wanted.
 */
#ifndef SLUICE_SERVICE_MEMORY_H
#define SLUICE_SERVICE_MEMORY_H

#include <stdint.h>

/* memory_max - what the process's cgroup lets it have; 0: there is no bound. */
uint64_t memory_max(void);

/* memory_of_group - the same of a group. root, path  as cgroup_least */
uint64_t memory_of_group(const char *root, const char *path);

/* memory_used - what it has; 0 where that is not told. Some microseconds. */
uint64_t memory_used(void);

#endif
