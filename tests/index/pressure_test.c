/* Writers that wait for the sealing, and go on behind it. The sealer is held where it syncs its file. */
#include "tests/index/fixture.h"
#include "tests/index/hold.h"

#define SEAL_ROWS 48
/* Above it a write waits: twice SEALING_TIMES heads. */
#define ROWS_MAX ((uint64_t)2 * 16 * SEAL_ROWS)
#define N ((int)(ROWS_MAX / CHANGE_ROWS) + 10)

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	/* What is replaced stays: there are MODEL_IDS ids alone. */
	fixture.retention_ns = INT64_C(3600) * 1000000000;
}

TestSuite(pressure, .init = begin, .fini = fixture_end, .timeout = 60);

static struct change changes[N];

static void submit(struct collection *collection, int i)
{
	unsigned items[CHANGE_ROWS];

	for (unsigned j = 0; j < CHANGE_ROWS; j++)
		items[j] = ((unsigned)i * CHANGE_ROWS + j) % MODEL_IDS;
	change_init(&changes[i], items, CHANGE_ROWS, (uint32_t)i + 1);
	collection_write(collection, &changes[i].write);
}

static bool is_answered(int i)
{
	return !sem_trywait(&changes[i].answered);
}

/* The only writer thread has had a turn for each collection that had something to do. */
static void let_writers_turn(struct collection *other)
{
	for (unsigned item = 0; item < 3; item++)
		change_now(other, &item, 1, item + 1);
}

/* The sealer takes the first ones and stays with them; then one by one until one is not answered, whose
 * number is given. */
static int fill(struct collection *collection, struct collection *other)
{
	int n = 0;

	hold_next("sealer");
	for (; hold_is_asked(); n++) {
		cr_assert_lt(n, N);
		submit(collection, n);
		while (sem_wait(&changes[n].answered))
			;
	}
	hold_await();
	for (;; n++) {
		cr_assert_lt(n, N);
		submit(collection, n);
		let_writers_turn(other);
		if (!is_answered(n))
			return n;
	}
}

Test(pressure, writes_wait_for_the_sealing_and_go_on_behind_it)
{
	struct collection *collection, *other;
	struct collection_status now;
	int n, waiting;

	fixture_open(1);
	collection = fixture_collection("books");
	other = fixture_collection("other");
	waiting = fill(collection, other);
	n = waiting + 1;
	collection_status(collection, &now);
	cr_assert_gt(now.generation * CHANGE_ROWS, ROWS_MAX);
	cr_assert_leq(now.generation * CHANGE_ROWS, ROWS_MAX + CHANGE_ROWS);
	cr_assert_eq(now.segment_count, 0);
	/* Those behind it wait as well; readers do not. */
	for (; n < waiting + 4; n++)
		submit(collection, n);
	let_writers_turn(other);
	for (int i = waiting; i < n; i++)
		cr_assert_not(is_answered(i));
	{
		SCOPED(snapshot) snapshot = NULL;

		cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
		cr_assert_eq(snapshot_count(snapshot), MODEL_IDS);
	}

	hold_end();
	for (int i = waiting; i < n; i++) {
		while (sem_wait(&changes[i].answered))
			;
		cr_assert_not(status_failed(changes[i].write.result));
		cr_assert_eq(changes[i].write.generation, (uint64_t)i + 1);
	}
	for (int i = 0; i < n; i++)
		change_finish(&changes[i]);
	collection_release(collection);
	collection_release(other);
	fixture_close();
}

/* Whoever closes or drops does not wait for room: what waits is answered. */
Test(pressure, what_waits_is_answered_by_a_drop)
{
	struct collection *collection, *other;
	int waiting;

	fixture_open(1);
	collection = fixture_collection("books");
	other = fixture_collection("other");
	waiting = fill(collection, other);
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
	while (sem_wait(&changes[waiting].answered))
		;
	cr_assert_eq(changes[waiting].write.result.code, STATUS_FAILED_PRECONDITION);
	hold_end();
	for (int i = 0; i <= waiting; i++)
		change_finish(&changes[i]);
	collection_release(collection);
	collection_release(other);
	fixture_close();
	fixture_shell("test \"$(ls -A %s/collections)\" = other", fixture.directory);
}
