#include "tests/index/hold.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static _Atomic(const char *) wanted;
static sem_t held, gate;

static int is_wanted(void)
{
	const char *name = atomic_load(&wanted);
	char own[16] = "";

	prctl(PR_GET_NAME, own);
	return name && strncmp(own, name, strlen(name)) == 0 &&
	       atomic_compare_exchange_strong(&wanted, &name, NULL);
}

/* In the place of libc's. */
int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	if (is_wanted()) {
		sem_post(&held);
		while (sem_wait(&gate))
			;
	}
	return real(fd);
}

void hold_next(const char *thread)
{
	sem_init(&held, 0, 0);
	sem_init(&gate, 0, 0);
	atomic_store(&wanted, thread);
}

int hold_is_asked(void)
{
	return atomic_load(&wanted) != NULL;
}

void hold_await(void)
{
	while (sem_wait(&held))
		;
}

void hold_end(void)
{
	sem_post(&gate);
}
