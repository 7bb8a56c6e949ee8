/* selection - filters over a living collection, against an oracle that reads every record. */
#include "index/selection.h"
#include "tests/index/filter_world.h"

TestSuite(selection, .init = fixture_begin, .fini = fixture_end, .timeout = 60);

#define PINS 4

/* Puts random filters to the newest view and to the pinned ones. */
static uint64_t check_filters(struct collection *collection, struct snapshot *const *pins,
			      uint64_t *random, size_t n)
{
	SCOPED(snapshot) newest = NULL;
	uint64_t n_meeting = 0;

	cr_assert_not(status_failed(snapshot_acquire(collection, &newest)));
	for (size_t i = 0; i < n; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		const struct snapshot *pin = pins[random_below(random, PINS)];
		struct filter filter;

		arena_init(arena, (size_t)8 << 20);
		filter = world_filter(random, arena);
		n_meeting += world_check(newest, &filter) > 0;
		if (pin)
			world_check(pin, &filter);
	}
	return n_meeting;
}

static void turn_pin(struct collection *collection, struct snapshot **pins, uint64_t *random)
{
	struct snapshot **pin = &pins[random_below(random, PINS)];

	if (*pin)
		snapshot_release(TAKE(*pin));
	else
		cr_assert_not(status_failed(snapshot_acquire(collection, pin)));
}

static void write_something(struct collection *collection, uint64_t *random)
{
	world_upsert(collection, random, 1 + random_below(random, 30));
	if (random_below(random, 2))
		world_delete(collection, random, 1 + random_below(random, 12));
}

Test(selection, equals_the_oracle_whatever_is_written_meanwhile)
{
	uint64_t random = 20240911, n_meeting = 0;

	for (int round = 0; round < 2; round++) {
		struct snapshot *pins[PINS] = {NULL};
		struct collection *collection;

		fixture_open(2);
		collection = world_collection("docs");
		for (int step = 0; step < 50; step++) {
			write_something(collection, &random);
			turn_pin(collection, pins, &random);
			n_meeting += check_filters(collection, pins, &random, 5);
		}
		for (size_t i = 0; i < PINS; i++)
			snapshot_release(pins[i]);
		collection_release(collection);
		fixture_close();
	}
	/* Five hundred filters, of which a good part must have something to say. */
	cr_assert_gt(n_meeting, 150);
}

Test(selection, deletes_what_matches_and_nothing_else)
{
	uint64_t random = 77, n_deleted = 0;
	struct collection *collection;

	fixture_open(2);
	collection = world_collection("docs");
	for (int step = 0; step < 60; step++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		SCOPED(snapshot) before = NULL;
		SCOPED(snapshot) after = NULL;
		struct filter filter;
		uint64_t n;

		arena_init(arena, (size_t)8 << 20);
		world_upsert(collection, &random, 40);
		do
			filter = world_filter(&random, arena);
		while (filter_is_empty(&filter));
		cr_assert_not(status_failed(snapshot_acquire(collection, &before)));
		n = world_check(before, &filter);

		cr_assert_eq(world_delete_matching(collection, &filter), n);

		cr_assert_not(status_failed(snapshot_acquire(collection, &after)));
		cr_assert_eq(snapshot_count(after), snapshot_count(before) - n);
		cr_assert_eq(world_check(after, &filter), 0);
		cr_assert_eq(world_check(before, &filter), n);
		n_deleted += n;
	}
	cr_assert_gt(n_deleted, 200);
	collection_release(collection);
}

Test(selection, what_a_filter_deleted_stays_deleted)
{
	struct condition condition = {.field = 0, .test = CONDITION_EXISTS};
	struct filter filter = {.all_of = &condition, .n_all_of = 1};
	struct collection *collection;
	uint64_t random = 5, left;

	fixture_open(2);
	collection = world_collection("docs");
	world_upsert(collection, &random, 100);
	left = 100 - world_delete_matching(collection, &filter);
	collection_release(collection);
	fixture_close();

	fixture_open(2);
	collection = world_collection("docs");
	SCOPED(snapshot) snapshot = NULL;
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	cr_assert_eq(snapshot_count(snapshot), left);
	cr_assert_eq(world_check(snapshot, &filter), 0);
	snapshot_release(TAKE(snapshot));
	collection_release(collection);
}

Test(selection, of_an_empty_collection_is_empty)
{
	struct condition condition = {.field = 2, .test = CONDITION_EXISTS, .absent = true};
	struct filter filter = {.all_of = &condition, .n_all_of = 1};
	struct collection *collection;
	SCOPED(snapshot) snapshot = NULL;

	fixture_open(1);
	collection = world_collection("docs");
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	cr_assert_eq(world_check(snapshot, &filter), 0);
	cr_assert_eq(world_delete_matching(collection, &filter), 0);
	snapshot_release(TAKE(snapshot));
	collection_release(collection);
}

Test(selection, ends_when_it_is_not_wanted_any_more)
{
	struct condition condition = {.field = 0, .test = CONDITION_EXISTS};
	struct filter filter = {.all_of = &condition, .n_all_of = 1};
	struct deadline deadline;
	struct collection *collection;
	SCOPED(snapshot) snapshot = NULL;
	SCOPED(places) places = NULL;
	uint64_t random = 9;
	status s;

	fixture_open(1);
	collection = world_collection("docs");
	world_upsert(collection, &random, 20);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);

	s = selection_make(snapshot, &filter, &deadline, &fixture.arena, &places);

	cr_assert_eq(s.code, STATUS_CANCELLED);
	snapshot_release(TAKE(snapshot));
	collection_release(collection);
}

/* --- several writes in one transaction --- */

struct waiting {
	struct write write; /* first */
	sem_t *before;      /* waited for in done; NULL: nothing */
	sem_t answered;
};

static void wait_and_answer(struct write *write)
{
	struct waiting *waiting = (struct waiting *)write;

	while (waiting->before && sem_wait(waiting->before))
		;
	sem_post(&waiting->answered);
}

static void submit(struct collection *collection, struct waiting *waiting, struct write write)
{
	waiting->write = write;
	waiting->write.done = wait_and_answer;
	sem_init(&waiting->answered, 0, 0);
	collection_write(collection, &waiting->write);
}

static void await(struct waiting *waiting)
{
	while (sem_wait(&waiting->answered))
		;
	sem_destroy(&waiting->answered);
	cr_assert_not(status_failed(waiting->write.result), "%s", waiting->write.result.detail);
}

/* The first write's answer holds the writer up, so the others are one transaction. */
Test(selection, a_delete_takes_what_its_own_transaction_wrote_before_it)
{
	struct condition condition = {.field = 6, .test = CONDITION_EXISTS, .absent = true};
	struct filter filter = {.all_of = &condition, .n_all_of = 1};
	struct waiting waiting[6] = {0};
	uint64_t random = 12;
	struct collection *collection;
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(snapshot) snapshot = NULL;
	uint64_t left, deleted;
	sem_t queued;

	fixture_open(1);
	collection = world_collection("docs");
	arena_init(arena, (size_t)16 << 20);
	sem_init(&queued, 0, 0);
	waiting[0].before = &queued;
	submit(collection, &waiting[0],
	       (struct write){.kind = WRITE_UPSERT,
			      .chunks = world_chunks(arena, 0, 10, &random),
			      .n = 10});
	/* Ids 5 .. 24: five replaced, fifteen new. */
	submit(collection, &waiting[1],
	       (struct write){.kind = WRITE_UPSERT,
			      .chunks = world_chunks(arena, 5, 20, &random),
			      .n = 20});
	submit(collection, &waiting[2],
	       (struct write){.kind = WRITE_DELETE_MATCHING, .filter = &filter});
	submit(collection, &waiting[3],
	       (struct write){.kind = WRITE_DELETE_MATCHING, .filter = &filter});
	/* Written behind the deletes, so they stay. */
	submit(collection, &waiting[4],
	       (struct write){.kind = WRITE_UPSERT,
			      .chunks = world_chunks(arena, 20, 10, &random),
			      .n = 10});
	submit(collection, &waiting[5],
	       (struct write){.kind = WRITE_DELETE, .ids = &(struct bytes){0}, .n = 1});
	sem_post(&queued);
	for (size_t i = 0; i < 6; i++)
		await(&waiting[i]);
	sem_destroy(&queued);

	deleted = waiting[2].write.deleted;
	cr_assert(deleted > 10 && deleted <= 25, "%lu", (unsigned long)deleted);
	cr_assert_eq(waiting[3].write.deleted, 0);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	left = 25 - deleted + waiting[4].write.inserted;
	cr_assert_eq(snapshot_count(snapshot), left);
	world_check(snapshot, &filter);
	snapshot_release(TAKE(snapshot));
	collection_release(collection);
}
