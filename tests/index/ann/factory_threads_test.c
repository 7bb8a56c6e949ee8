/* Many searches of one index at once. */
#include "tests/index/ann/heaps.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <pthread.h>

#define THREADS 4
#define QUESTIONS 40

static const struct heaps_made_of factories[] = {
	{.metric = METRIC_COSINE, .dim = 32, .n = 3000, .kind = INDEX_FAISS, .factory = "HNSW8"},
	{.metric = METRIC_L2,
	 .dim = 32,
	 .n = 3000,
	 .kind = INDEX_FAISS,
	 .factory = "IVF16,PQ16x4fs"},
	{.metric = METRIC_L2, .dim = 32, .n = 3000, .kind = INDEX_FAISS, .factory = "SQ8"},
};

/* One thread's share: the nearest of each question. */
struct asking {
	const struct heaps *heaps;
	const struct ann *ann;
	uint64_t nearest[QUESTIONS];
};

static void *ask(void *context)
{
	struct asking *asking = context;

	for (uint64_t i = 0; i < QUESTIONS; i++) {
		struct heaps_probe probe;
		float query[32];

		heaps_question(asking->heaps, i, query);
		heaps_probe_init(&probe, query, 10, 0.9F, 10);
		if (status_failed(ann_find(asking->ann, &probe.probe)))
			return NULL;
		window_seal(&probe.window);
		asking->nearest[i] = probe.window.keys[0].row;
		heaps_probe_finish(&probe);
	}
	return asking;
}

Test(factory_threads, all_find_the_same, .timeout = 120)
{
	for (size_t i = 0; i < COUNT(factories); i++) {
		struct heaps heaps;
		SCOPED(ann) ann = NULL;
		static struct asking asking[THREADS];
		pthread_t threads[THREADS];

		heaps_init(&heaps, &factories[i], 10);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		for (size_t k = 0; k < THREADS; k++) {
			asking[k] = (struct asking){&heaps, ann, {0}};
			cr_assert_eq(pthread_create(&threads[k], NULL, ask, &asking[k]), 0);
		}
		for (size_t k = 0; k < THREADS; k++) {
			void *done = NULL;

			pthread_join(threads[k], &done);
			cr_assert(done);
			cr_assert_arr_eq(asking[k].nearest, asking[0].nearest,
					 sizeof asking[k].nearest);
		}
		heaps_finish(&heaps);
	}
}

static size_t count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	size_t n = 0;

	cr_assert(tasks);
	while ((entry = readdir(tasks)))
		n += entry->d_name[0] != '.';
	closedir(tasks);
	return n;
}

struct counting {
	struct asking asking;
	size_t before, after;
};

static void *ask_and_count(void *context)
{
	struct counting *counting = context;

	counting->before = count_threads();
	if (!ask(&counting->asking))
		return NULL;
	counting->after = count_threads();
	return counting;
}

/* From a thread that has not met OpenMP before, as those of the server have not. */
Test(factory_threads, a_search_starts_none, .timeout = 120)
{
	for (size_t i = 0; i < COUNT(factories); i++) {
		struct heaps heaps;
		SCOPED(ann) ann = NULL;
		static struct counting counting;
		pthread_t thread;
		void *done = NULL;

		heaps_init(&heaps, &factories[i], 10);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		counting = (struct counting){.asking = {&heaps, ann, {0}}};
		cr_assert_eq(pthread_create(&thread, NULL, ask_and_count, &counting), 0);
		pthread_join(thread, &done);
		cr_assert(done);
		cr_assert_eq(counting.after, counting.before, "%s: %zu threads, %zu before",
			     factories[i].factory, counting.after, counting.before);
		heaps_finish(&heaps);
	}
}
