/* gpu_bench_load - many threads on one device: searches a second, and the slowest of a hundred. */
#include "kernels/vulkan/batch_codes.h"
#include "kernels/vulkan/gpu_bench_parts.h"

#include <stdlib.h>

#define LOAD_NS ((int64_t)600000000)

/* Times that a thread notes at most. */
#define TIMES_MAX ((size_t)1 << 16)

struct asker {
	struct vulkan_runtime *runtime;
	const struct trial *trial;
	int64_t until_ns;
	int64_t *times_ns; /* [TIMES_MAX], of all askers' */
	size_t n;
	pthread_t thread;
	bool has_thread;
	status result;
};

static status ask_on(struct asker *asker)
{
	const struct trial *trial = asker->trial;
	const struct codes8_range range = {.codes = &trial->codes, .n = trial->codes.n};
	struct window memory = {0};
	SCOPED(window) window = &memory;
	struct codes8_probe probe = {&trial->query, window, 0};

	TRY(window_init(window, TRIAL_WIDTH));
	while (clock_ns() < asker->until_ns && asker->n < TIMES_MAX) {
		int64_t start_ns = clock_ns();

		TRY(window_clear(window, TRIAL_WIDTH));
		TRY(batch_codes_propose(asker->runtime->batches, &probe, 1, &range, NULL));
		asker->times_ns[asker->n++] = clock_ns() - start_ns;
	}
	return status_ok();
}

static void *asker_run(void *argument)
{
	struct asker *asker = argument;

	asker->result = ask_on(asker);
	return NULL;
}

static void batches_set(struct batch_codes *batches, bool is_batched)
{
	pthread_mutex_lock(&batches->lock);
	batches->batcher.queries_max = is_batched ? BATCH_QUERIES : 1;
	batches->batcher.given_max = is_batched ? BATCHES_GIVEN : BATCHES;
	pthread_mutex_unlock(&batches->lock);
}

static int time_order(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Moves the times together, in order. Gives how many. */
static size_t times_gather(const struct asker *askers, size_t n_threads, int64_t *times_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < n_threads; i++)
		for (size_t j = 0; j < askers[i].n; j++)
			times_ns[n++] = askers[i].times_ns[j];
	qsort(times_ns, n, sizeof *times_ns, time_order);
	return n;
}

static status load(struct asker *askers, size_t n_threads)
{
	status result = status_ok();

	for (size_t i = 0; i < n_threads && !status_failed(result); i++) {
		result = thread_start(asker_run, &askers[i], GPU_THREAD, &askers[i].thread);
		askers[i].has_thread = !status_failed(result);
	}
	for (size_t i = 0; i < n_threads; i++) {
		if (!askers[i].has_thread)
			continue;
		pthread_join(askers[i].thread, NULL);
		if (!status_failed(result))
			result = askers[i].result;
	}
	return result;
}

status bench_load(struct vulkan_runtime *runtime, const struct trial *trial, size_t n_threads,
		  bool is_batched, struct gpu_bench_load *ret)
{
	struct asker *askers = calloc(n_threads, sizeof *askers);
	int64_t *times_ns = calloc(n_threads * TIMES_MAX, sizeof *times_ns);
	int64_t start_ns = clock_ns();
	status done = status_make(STATUS_RESOURCE_EXHAUSTED, "memory for many searches");

	for (size_t i = 0; askers && i < n_threads; i++)
		askers[i] = (struct asker){
			.runtime = runtime,
			.trial = trial,
			.until_ns = start_ns + LOAD_NS,
			.times_ns = times_ns + i * TIMES_MAX,
		};
	if (askers && times_ns) {
		batches_set(runtime->batches, is_batched);
		done = load(askers, n_threads);
		batches_set(runtime->batches, true);
	}
	if (!status_failed(done)) {
		double seconds = (double)(clock_ns() - start_ns) * 1e-9;
		size_t n = times_gather(askers, n_threads, times_ns);

		ret->queries_per_s = (double)n / seconds;
		ret->p50_ns = (double)times_ns[n / 2];
		ret->p99_ns = (double)times_ns[n - 1 - n / 100];
	}
	free(askers);
	free(times_ns);
	return done;
}
