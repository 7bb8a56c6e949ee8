/* keeper - see the header. */
#include "kernels/vulkan/keeper.h"

#include "kernels/base/log.h"
#include "kernels/vulkan/instance.h"
#include "kernels/vulkan/matrix.h"
#include "kernels/vulkan/scan8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between attempts to open a device again. */
#define RETRY_NS_MIN ((int64_t)100000000)
#define RETRY_NS_MAX ((int64_t)10000000000)

#define ATTEMPT_ARENA_BYTES ((size_t)1 << 16)

static bool is_lost(const struct vulkan_runtime *runtime)
{
	return status_failed(device_check(runtime->device));
}

/* Said of the device that is in use. */
static void note(struct gpu_list *list, const char *what)
{
	for (size_t i = 0; i < list->n; i++) {
		struct gpu_device *device = &list->devices[i];
		size_t n = strlen(device->driver);

		if (device->in_use)
			snprintf(device->driver + n, sizeof device->driver - n, "; %s", what);
	}
}

static status runtime_make(const struct keeper *keeper, struct arena *arena, struct gpu_list *list,
			   struct vulkan_runtime **ret)
{
	struct vulkan_device *device;

	*ret = NULL;
	TRY(device_open(keeper->options.mode, arena, list, &device));
	if (!device)
		return status_ok();
	device->memory_bytes_max = keeper->options.memory_bytes_max;
	TRY(runtime_open(device, keeper->cache_directory, ret));
	(*ret)->waits_for_uploads =
		keeper->options.waits_for_uploads || keeper->options.mode == GPU_SOFTWARE;
	(*ret)->scanner = keeper->scanner;
	note(list, matrix_try(*ret));
	return status_ok();
}

/* Under the lock: sleeps until told to close, or until then. */
static void keeper_sleep(struct keeper *keeper, int64_t until_ns)
{
	while (!keeper->closing && clock_ns() < until_ns)
		monotonic_wait(&keeper->changed, &keeper->lock, until_ns);
}

/* Under the lock, which it leaves meanwhile. */
static void keeper_retire(struct keeper *keeper)
{
	struct vulkan_runtime *old = TAKE(keeper->runtime);

	keeper->is_retiring = true;
	while (keeper->users > 0)
		pthread_cond_wait(&keeper->changed, &keeper->lock);
	pthread_mutex_unlock(&keeper->lock);
	copy_forget_all(old);
	pthread_mutex_lock(&keeper->lock);
	keeper->is_retiring = false;
	pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	runtime_close(old);
	pthread_mutex_lock(&keeper->lock);
}

/* Under the lock. Notes a loss; until when nothing is tried, since there have been too many. */
static int64_t breaker_until_ns(struct keeper *keeper)
{
	int64_t now_ns = clock_ns(), first_ns;

	keeper->losses_ns[keeper->losses++ % LOSSES_MAX] = now_ns;
	if (keeper->losses < LOSSES_MAX)
		return now_ns;
	first_ns = keeper->losses_ns[keeper->losses % LOSSES_MAX];
	if (now_ns - first_ns >= keeper->breaker_ns)
		return now_ns;
	log_write(LOG_ERROR,
		  "the GPU was lost %d times in %lld seconds: not tried again for as long",
		  LOSSES_MAX, (long long)(keeper->breaker_ns / 1000000000));
	return now_ns + keeper->breaker_ns;
}

/* Under the lock, which it leaves meanwhile. */
static void keeper_renew(struct keeper *keeper)
{
	int64_t pause_ns = RETRY_NS_MIN;

	keeper_sleep(keeper, breaker_until_ns(keeper));
	while (!keeper->closing && !keeper->runtime) {
		struct vulkan_runtime *made;
		struct gpu_list list;
		struct arena arena;

		pthread_mutex_unlock(&keeper->lock);
		arena_init(&arena, ATTEMPT_ARENA_BYTES);
		if (status_failed(runtime_make(keeper, &arena, &list, &made)))
			made = NULL;
		arena_finish(&arena);
		pthread_mutex_lock(&keeper->lock);
		keeper->runtime = made;
		if (made) {
			log_write(LOG_INFO, "GPU %s is back", made->device->name);
			pthread_cond_broadcast(&keeper->changed);
			return;
		}
		keeper_sleep(keeper, clock_ns() + pause_ns);
		pause_ns = 2 * pause_ns < RETRY_NS_MAX ? 2 * pause_ns : RETRY_NS_MAX;
	}
}

static void *keeper_run(void *argument)
{
	struct keeper *keeper = argument;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->closing) {
		if (is_lost(keeper->runtime)) {
			keeper_retire(keeper);
			keeper_renew(keeper);
		} else {
			pthread_cond_wait(&keeper->changed, &keeper->lock);
		}
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

static void measure(struct keeper *keeper)
{
	struct cost *cost = &keeper->cost;
	struct deadline deadline;

	*cost = cost_assumed();
	cost->bytes_min = keeper->options.scan_bytes_min;
	if (!keeper->options.processor || cost->bytes_min)
		return;
	if (status_failed(scan8_prepare(keeper->runtime)))
		return;
	deadline_init(&deadline, clock_ns() + COST_MEASURE_NS);
	cost_measure(keeper->runtime, &deadline, cost);
	log_write(LOG_INFO,
		  "GPU %s: a scan takes %.0f us and a ns for each %.0f bytes, on a processor's "
		  "thread for each %.0f: it gets those from %.1f MiB on",
		  keeper->runtime->device->name, cost->submit_ns * 1e-3, cost->device_bytes_per_ns,
		  cost->processor_bytes_per_ns, (double)cost_break_even(cost) / 0x1p20);
}

status keeper_open(const struct gpu_options *options, struct arena *arena, struct gpu_list *list,
		   struct keeper **ret)
{
	SCOPED(keeper) keeper = calloc(1, sizeof *keeper);
	VkInstance instance;

	*ret = NULL;
	if (!keeper)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a GPU");
	pthread_mutex_init(&keeper->lock, NULL);
	monotonic_init(&keeper->changed);
	keeper->options = *options;
	keeper->breaker_ns = BREAKER_NS;
	if (options->cache_directory) {
		keeper->cache_directory = strdup(options->cache_directory);
		if (!keeper->cache_directory)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a GPU");
	}
	TRY(runtime_make(keeper, arena, list, &keeper->runtime));
	if (!keeper->runtime)
		return status_ok();
	TRY(instance_acquire(&instance));
	keeper->has_instance = true;
	if (options->mode == GPU_SOFTWARE && !options->scan_bytes_min)
		keeper->options.processor = NULL;
	measure(keeper);
	TRY(thread_start(keeper_run, keeper, GPU_THREAD, &keeper->thread));
	keeper->has_thread = true;
	*ret = TAKE(keeper);
	return status_ok();
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->closing = true;
	pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	if (keeper->has_thread)
		pthread_join(keeper->thread, NULL);
	if (keeper->runtime) {
		copy_forget_all(keeper->runtime);
		runtime_close(keeper->runtime);
	}
	if (keeper->has_instance)
		instance_release();
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper->cache_directory);
	free(keeper);
}

void keeper_set_scanner(struct keeper *keeper, struct scanner *scanner)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->scanner = scanner;
	if (keeper->runtime)
		keeper->runtime->scanner = scanner;
	pthread_mutex_unlock(&keeper->lock);
}

status keeper_enter(struct keeper *keeper, struct vulkan_runtime **ret)
{
	status entered = status_make(STATUS_UNAVAILABLE, "the GPU is lost");

	pthread_mutex_lock(&keeper->lock);
	if (keeper->runtime && !is_lost(keeper->runtime)) {
		keeper->users++;
		*ret = keeper->runtime;
		entered = status_ok();
	} else if (keeper->runtime) {
		/* Not every loss is found by a scan. */
		pthread_cond_broadcast(&keeper->changed);
	}
	pthread_mutex_unlock(&keeper->lock);
	return entered;
}

void keeper_leave(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->users--;
	if (!keeper->runtime || is_lost(keeper->runtime))
		pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
}

struct vulkan_runtime *keeper_hold(struct keeper *keeper)
{
	struct vulkan_runtime *runtime;

	pthread_mutex_lock(&keeper->lock);
	/* What is about to go away must not be reached any more when this returns. */
	while (keeper->is_retiring)
		pthread_cond_wait(&keeper->changed, &keeper->lock);
	runtime = keeper->runtime;
	if (runtime)
		keeper->users++;
	pthread_mutex_unlock(&keeper->lock);
	return runtime;
}
