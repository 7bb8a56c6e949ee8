/* readings - of the catalogue, and of /proc/self. */
#include "service/telemetry/readings.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void read_collections(struct readings *to, struct collection **open, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct collection_reading *reading = &to->collections[i];

		reading->config = *collection_config(open[i]);
		collection_status(open[i], &reading->status);
		collection_calibration(open[i], &reading->calibration);
	}
	to->n_collections = n;
}

static status take_collections(struct database *database, struct arena *arena, struct readings *to)
{
	struct collection **open = NULL;
	size_t n = 0;

	TRY(database_open_collections(database, READINGS_COLLECTIONS_MAX, arena, &open, &n,
				      &to->n_known, &to->n_open));
	to->collections = ARENA_ARRAY(arena, struct collection_reading, n);
	if (to->collections)
		read_collections(to, open, n);
	for (size_t i = 0; i < n; i++)
		collection_release(open[i]);
	return to->collections ? status_ok()
			       : status_make(STATUS_RESOURCE_EXHAUSTED, "memory for readings");
}

static uint64_t count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!directory)
		return 0;
	while (readdir(directory))
		n++;
	closedir(directory);
	/* ".", ".." and the directory's own. */
	return n > 3 ? n - 3 : 0;
}

static void take_memory(struct readings *to)
{
	unsigned long long total = 0, resident = 0;
	long page = sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return;
	if (fscanf(file, "%llu %llu", &total, &resident) == 2) {
		to->virtual_bytes = total * (uint64_t)page;
		to->resident_bytes = resident * (uint64_t)page;
	}
	fclose(file);
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void take_process(struct readings *to)
{
	struct rusage usage;
	struct rlimit limit;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	to->up_seconds = (double)(clock_ns() - to->services->start_ns) / 1e9;
	to->start_seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - to->up_seconds;
	if (!getrusage(RUSAGE_SELF, &usage))
		to->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		to->max_fds = limit.rlim_cur;
	to->open_fds = count_fds();
	take_memory(to);
}

status readings_take(const struct services *services, struct rpc_server *server,
		     struct arena *arena, struct readings *ret)
{
	*ret = (struct readings){.services = services, .server = server};
	take_process(ret);
	return take_collections(services->database, arena, ret);
}
