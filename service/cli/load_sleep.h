/* load_sleep - sleeps until a moment to some microseconds, or until something comes to gRPC's core, which
 * itself waits for whole milliseconds.
 *
 * The core has its sockets in an epoll set of its own. Such a set can be waited for like a socket, and is
 * found among the descriptors of the process; where there is none, sleeps are short.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_SLEEP_H
#define SLUICE_SERVICE_CLI_LOAD_SLEEP_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_SETS_MAX 4

struct load_sleep {
	struct pollfd sets[LOAD_SETS_MAX]; /* [n] */
	nfds_t n;
};

/* load_sleep_init - by the thread that will sleep, once the core is up. */
void load_sleep_init(struct load_sleep *sleep);

/* load_sleep_until - until_ns  on clock_ns. Returns sooner, for no reason too: threads of the core may bring
 * what no socket tells of. What has come before the last look at the core is not seen. */
void load_sleep_until(struct load_sleep *sleep, int64_t until_ns);

#endif
