/* threads - OpenMP's number is the calling thread's own, OpenBLAS's the process's. */
#include "index/build/threads.h"

#include <omp.h>
#include <pthread.h>

/* OpenBLAS's, whose header has more than is needed. */
extern void openblas_set_num_threads(int n);

int build_threads(void)
{
	int n = omp_get_num_procs() / 2;

	if (n < 1)
		return 1;
	return n < BUILD_THREADS_MAX ? n : BUILD_THREADS_MAX;
}

static void blas_bound(void)
{
	openblas_set_num_threads(build_threads());
}

void build_threads_bound(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, blas_bound);
	if (omp_get_max_threads() > build_threads())
		omp_set_num_threads(build_threads());
}

int build_threads_alone(void)
{
	int before;

	build_threads_bound();
	before = omp_get_max_threads();
	omp_set_num_threads(1);
	return before;
}

void build_threads_restore(int threads)
{
	omp_set_num_threads(threads);
}

size_t build_processors(void)
{
	int n = omp_get_num_procs();

	return n > 1 ? (size_t)n : 1;
}
