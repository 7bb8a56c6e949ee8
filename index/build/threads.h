/* threads - how many FAISS, and the BLAS below it, may use: building goes on beside searches.
 *
 * Both let their threads wait for work by spinning, which on few processors costs more than they give:
 * measured on two, a third of the time of building. So on two there is one.
 */
#ifndef SLUICE_INDEX_BUILD_THREADS_H
#define SLUICE_INDEX_BUILD_THREADS_H

/* Of however many processors. */
#define BUILD_THREADS_MAX 4

/* build_threads - half of the processors that this process may use, from 1 to BUILD_THREADS_MAX. */
int build_threads(void);

/* build_threads_bound - from here on FAISS's calls of this thread take no more, and BLAS's of the
 * process. Any thread. */
void build_threads_bound(void);

#endif
