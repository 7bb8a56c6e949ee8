/* failing_malloc - makes the nth allocation of this process fail.
 *
 * Link with FAILING_MALLOC_LINKOPTS (failing_malloc.bzl): the linker then
 * sends malloc, calloc, realloc and pthread_create of our own code through here.
 */
#ifndef SLUICE_TESTS_KERNELS_FAILING_MALLOC_H
#define SLUICE_TESTS_KERNELS_FAILING_MALLOC_H

#include <stdbool.h>

/* failing_malloc_set - the nth call from now on fails, once; 0 is the next one, -1: none does. */
void failing_malloc_set(long nth);

/* failing_malloc_struck - whether one has failed since the last set. */
bool failing_malloc_struck(void);

#endif
