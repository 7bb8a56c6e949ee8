/* Collections that are opened: once, in the background, and in nobody's way. */
#include "kernels/base/log.h"
#include "tests/index/fixture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static sem_t at_gate; /* an opening has begun */
static sem_t gate;
static const char *gated; /* the collection whose opening waits at the gate */
static atomic_uint n_openings;
static char order[256]; /* names as they are opened, where one thread does it */

static void note_opening(void *context, const char *name)
{
	(void)context;
	atomic_fetch_add(&n_openings, 1);
	if (gated && strcmp(name, gated) == 0) {
		sem_post(&at_gate);
		while (sem_wait(&gate))
			;
	} else if (!gated) {
		strcat(strcat(order, name), " ");
		sem_post(&at_gate);
	}
}

/* Collections of these names, closed. */
static void begin_with(const char *const *names, size_t n)
{
	fixture.opening = note_opening;
	fixture_open(1);
	for (size_t i = 0; i < n; i++)
		collection_release(fixture_collection(names[i]));
	fixture_close();
	sem_init(&at_gate, 0, 0);
	atomic_store(&n_openings, 0);
	order[0] = 0;
	fixture_open(1);
}

static void begin(void)
{
	static const char *const names[] = {"large", "small"};

	fixture_begin();
	gated = NULL;
	sem_init(&gate, 0, 0);
	begin_with(names, 2);
}

TestSuite(opening, .init = begin, .fini = fixture_end, .timeout = 60);

struct waiter {
	struct database_wait wait; /* first */
	sem_t turned;
};

static void turned(struct database_wait *wait)
{
	sem_post(&((struct waiter *)wait)->turned);
}

static bool waiter_begin(struct waiter *waiter, const char *name)
{
	*waiter = (struct waiter){.wait.turned = turned};
	sem_init(&waiter->turned, 0, 0);
	return database_await(fixture.database, bytes_of_string(name), &waiter->wait);
}

static void waiter_end(struct waiter *waiter)
{
	while (sem_wait(&waiter->turned))
		;
	sem_destroy(&waiter->turned);
}

static enum status_code touch(const char *name)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(collection) collection = NULL;

	arena_init(arena, 1 << 20);
	return database_acquire(fixture.database, bytes_of_string(name), arena, &collection).code;
}

static void *touch_large(void *code)
{
	*(enum status_code *)code = touch("large");
	return NULL;
}

Test(opening, of_one_is_in_nobodys_way)
{
	struct waiter large, small;

	gated = "large";
	cr_assert_not(waiter_begin(&large, "large"));
	while (sem_wait(&at_gate))
		;
	/* It waits at the gate; another is opened, used, made and dropped. */
	cr_assert_not(waiter_begin(&small, "small"));
	waiter_end(&small);
	cr_assert(waiter_begin(&small, "small"));
	cr_assert_eq(touch("small"), STATUS_OK);
	collection_release(fixture_collection("new"));
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string("new"), &fixture.arena)));
	cr_assert(sem_trywait(&large.turned));

	sem_post(&gate);
	waiter_end(&large);
	cr_assert_eq(touch("large"), STATUS_OK);
	fixture_close();
}

Test(opening, is_done_once_for_all_who_ask)
{
	enum { N = 8 };
	enum status_code codes[N];
	struct waiter waiters[N];
	pthread_t threads[N];

	gated = "large";
	cr_assert_not(waiter_begin(&waiters[0], "large"));
	while (sem_wait(&at_gate))
		;
	for (int i = 1; i < N; i++)
		cr_assert_not(waiter_begin(&waiters[i], "large"));
	for (int i = 0; i < N; i++)
		cr_assert_not(pthread_create(&threads[i], NULL, touch_large, &codes[i]));
	database_warm(fixture.database);
	sem_post(&gate);
	for (int i = 0; i < N; i++) {
		waiter_end(&waiters[i]);
		cr_assert_not(pthread_join(threads[i], NULL));
		cr_assert_eq(codes[i], STATUS_OK);
	}
	cr_assert_eq(touch("small"), STATUS_OK);
	cr_assert_eq(atomic_load(&n_openings), 2);
	fixture_close();
}

static void *drop_large(void *code)
{
	SCOPED(arena) arena = &(struct arena){0};

	arena_init(arena, 1 << 20);
	*(enum status_code *)code =
		database_drop(fixture.database, bytes_of_string("large"), arena).code;
	return NULL;
}

Test(opening, is_waited_for_by_a_drop)
{
	enum status_code code;
	struct waiter waiter;
	pthread_t thread;

	gated = "large";
	cr_assert_not(waiter_begin(&waiter, "large"));
	while (sem_wait(&at_gate))
		;
	cr_assert_not(pthread_create(&thread, NULL, drop_large, &code));
	sem_post(&gate);
	waiter_end(&waiter);
	cr_assert_not(pthread_join(thread, NULL));
	cr_assert_eq(code, STATUS_OK);
	cr_assert_eq(touch("large"), STATUS_NOT_FOUND);
	cr_assert(waiter_begin(&waiter, "large"));
	fixture_close();
}

Test(opening, of_all_goes_by_name_and_finds_what_is_damaged)
{
	static const char *const names[] = {"d", "b", "c", "a"};
	fixture_close();
	log_set_level(LOG_ERROR);
	begin_with(names, sizeof names / sizeof *names);
	fixture_shell("truncate -s 100 %s/collections/b/data.mdb", fixture.directory);
	database_warm(fixture.database);
	for (int i = 0; i < 6; i++)
		while (sem_wait(&at_gate))
			;

	cr_assert_str_eq(order, "a b c d large small ");
	cr_assert_eq(touch("b"), STATUS_DATA_LOSS);
	cr_assert_eq(touch("a"), STATUS_OK);
	cr_assert_eq(touch("small"), STATUS_OK);
	cr_assert_eq(atomic_load(&n_openings), 6);
	fixture_close();
}

Test(opening, of_a_damaged_one_is_told_to_who_waits)
{
	struct waiter waiter;

	log_set_level(LOG_ERROR);
	fixture_shell("truncate -s 100 %s/collections/large/data.mdb", fixture.directory);
	cr_assert_not(waiter_begin(&waiter, "large"));
	waiter_end(&waiter);
	cr_assert(waiter_begin(&waiter, "large"));
	cr_assert_eq(touch("large"), STATUS_DATA_LOSS);
	fixture_close();
}

/* No more files can be opened, and then they can. */
Test(opening, for_which_there_is_no_room_is_tried_again)
{
	struct rlimit limit, few;

	log_set_level(LOG_ERROR);
	cr_assert_not(getrlimit(RLIMIT_NOFILE, &limit));
	few = (struct rlimit){3, limit.rlim_max};
	cr_assert_not(setrlimit(RLIMIT_NOFILE, &few));
	cr_assert_eq(touch("large"), STATUS_RESOURCE_EXHAUSTED);
	cr_assert_eq(touch("large"), STATUS_RESOURCE_EXHAUSTED);
	cr_assert_not(setrlimit(RLIMIT_NOFILE, &limit));
	cr_assert_eq(touch("large"), STATUS_OK);
	fixture_close();
}

Test(opening, of_all_ends_with_the_one_in_hand_when_it_closes)
{
	gated = "large";
	database_warm(fixture.database);
	while (sem_wait(&at_gate))
		;
	sem_post(&gate);
	fixture_close();
	gated = NULL;
	fixture_open(1);
	cr_assert_eq(touch("large"), STATUS_OK);
	cr_assert_eq(touch("small"), STATUS_OK);
	fixture_close();
}
