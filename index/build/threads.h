/* threads - how many FAISS, and the BLAS below it, may use: building goes on beside searches.
 *
 * Both let their threads wait for work by spinning, which on few processors costs more than they give:
 * measured on two, a third of the time of building. So on two there is one.
 */
#ifndef SLUICE_INDEX_BUILD_THREADS_H
#define SLUICE_INDEX_BUILD_THREADS_H

#include <stddef.h>

/* Of however many processors. */
#define BUILD_THREADS_MAX 4

/* build_threads - half of the processors that this process may use, from 1 to BUILD_THREADS_MAX. */
int build_threads(void);

/* build_threads_bound - from here on FAISS's calls of this thread take no more, and BLAS's of the
 * process. Any thread. */
void build_threads_bound(void);

/* build_threads_alone - FAISS's calls of this thread take no other, until build_threads_restore is given what
 * this gave. */
int build_threads_alone(void);
void build_threads_restore(int threads);

/* build_processors - that this process may use, at least 1. */
size_t build_processors(void);

#endif
