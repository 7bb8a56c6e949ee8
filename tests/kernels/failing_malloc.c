#include "tests/kernels/failing_malloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* Names that the linker makes up for --wrap. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *place, size_t size);
int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *place, size_t size);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg);

static atomic_long left = -1;
static atomic_bool struck;

void failing_malloc_set(long nth)
{
	atomic_store(&struck, false);
	atomic_store(&left, nth);
}

bool failing_malloc_struck(void)
{
	return atomic_load(&struck);
}

static bool fails_now(void)
{
	if (atomic_load(&left) < 0 || atomic_fetch_sub(&left, 1) != 0)
		return false;
	atomic_store(&struck, true);
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *place, size_t size)
{
	return fails_now() ? NULL : __real_realloc(place, size);
}

int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg)
{
	return fails_now() ? EAGAIN : __real_pthread_create(ret, attributes, run, arg);
}
