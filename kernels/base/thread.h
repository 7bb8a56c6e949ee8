/* thread - threads that take no signals, and waits that end by the clock of deadlines. */
#ifndef SLUICE_KERNELS_BASE_THREAD_H
#define SLUICE_KERNELS_BASE_THREAD_H

#include "kernels/base/status.h"

#include <pthread.h>
#include <stdint.h>

/* thread_start - a thread that takes no signals.
 * what  "a thread for the GPU"; literal. Fails: RESOURCE_EXHAUSTED, with what */
status thread_start(void *(*run)(void *), void *argument, const char *what, pthread_t *ret);

/* monotonic_init - a condition whose waits end by clock_ns: monotonic_wait, at until_ns at the latest.
 */
void monotonic_init(pthread_cond_t *ret);
void monotonic_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns);

#endif
