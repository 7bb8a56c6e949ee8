/* load_process - what a process, a thread of ours and the machine have used. */
#ifndef SLUICE_SERVICE_CLI_LOAD_PROCESS_H
#define SLUICE_SERVICE_CLI_LOAD_PROCESS_H

#include "kernels/base/status.h"

#include <stdint.h>
#include <sys/types.h>

struct load_usage {
	double cpu_seconds; /* of all its threads, those that ended too */
	uint64_t rss_bytes;
};

/* load_usage_read - Fails: NOT_FOUND where there is no such process, or it may not be looked at */
status load_usage_read(pid_t pid, struct load_usage *ret);

/* load_thread_seconds - for how long a thread of this process has had a processor or waited for one: for
 * so long what it had to do was kept waiting. 0 where there is no such thread. */
double load_thread_seconds(pid_t thread);

/* The machine: time of all processors, and what of it none of them worked. Zeros: not known. */
struct load_machine {
	double seconds, idle_seconds;
};
void load_machine_read(struct load_machine *ret);

#endif
