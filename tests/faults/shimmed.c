/* shimmed - the page that test and shim share. */
#include "tests/faults/shimmed.h"

#include "tests/e2e/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct shim *shim;
static char shim_path[300], config[300], data[300];

static void write_config(void)
{
	FILE *out = fopen(config, "we");

	cr_assert_not_null(out);
	fputs("index: {seal_rows: 40, dead_rows_retention: 0s}\nlogging: {level: error}\n", out);
	cr_assert_eq(fclose(out), 0);
}

void shimmed_open(const char *directory)
{
	int fd;

	snprintf(shim_path, sizeof shim_path, "%s/shim", directory);
	snprintf(config, sizeof config, "%s/config.yaml", directory);
	snprintf(data, sizeof data, "%s/data", directory);
	write_config();
	fd = open(shim_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(fd >= 0 && ftruncate(fd, sizeof *shim) == 0);
	shim = mmap(NULL, sizeof *shim, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(shim, MAP_FAILED);
	close(fd);
}

/* The shim is for the server alone. */
bool shimmed_start(void)
{
	const struct server_options options = {.data = data, .config = config};
	const char *library = getenv("SLUICE_SHIM_LIBRARY");
	bool started;

	cr_assert_not_null(library);
	setenv("LD_PRELOAD", library, 1);
	setenv(SHIM_VARIABLE, shim_path, 1);
	started = server_start(&world.server, &options);
	unsetenv("LD_PRELOAD");
	return started;
}

const char *shimmed_data(void)
{
	return data;
}

void shimmed_arm(enum shim_kind kind, int error, long nth)
{
	atomic_store(&shim->kind, SHIM_NONE);
	atomic_store(&shim->error, error);
	atomic_store(&shim->nth, nth);
	atomic_store(&shim->calls, 0);
	atomic_store(&shim->struck, 0);
	atomic_store(&shim->kind, kind);
}

void shimmed_disarm(void)
{
	atomic_store(&shim->kind, SHIM_NONE);
}

long shimmed_calls(void)
{
	return atomic_load(&shim->calls);
}

long shimmed_struck(void)
{
	return atomic_load(&shim->struck);
}

long shimmed_number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 10) : otherwise;
}
