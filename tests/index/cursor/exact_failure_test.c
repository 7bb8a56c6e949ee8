/* The exact source when a scanner, the clock, the client or the collection gives up. */
#include "index/cursor/exact.h"
#include "kernels/base/gauge.h"
#include "kernels/base/log.h"
#include "tests/index/cursor/fake_scanner.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define BATCH 10

static void be_quiet(void)
{
	log_set_level(LOG_ERROR);
}

TestSuite(exact_failure, .init = be_quiet);

struct room {
	struct snapshot *snapshot;
	struct truth truth;
	struct fake_scanner first, cpu;
	struct deadline deadline;
	struct walk walk;
	struct cursor *cursor;
};

static void room_init(struct room *room, uint64_t n)
{
	*room = (struct room){0};
	room->snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = n,
		.dim = 3,
		.metric = METRIC_INNER_PRODUCT,
		.vectors = FAKE_TIES,
		.block_rows = 300,
		.hidden_percent = 10,
		.seed = 13,
	});
	truth_init(&room->truth, room->snapshot, fake_snapshot_query(room->snapshot));
	fake_scanner_init(&room->first, FAKE_LOOSE, 0.5F, 1);
	fake_scanner_init(&room->cpu, FAKE_LOOSE, 0.5F, 2);
	deadline_init(&room->deadline, DEADLINE_NEVER);
}

static void room_open(struct room *room)
{
	struct exact_options options = {
		.snapshot = room->snapshot,
		.scanner = &room->first.base,
		.scanner_cpu = &room->cpu.base,
		.query = fake_snapshot_query(room->snapshot),
		.batch = BATCH,
		.walk = &room->walk,
	};

	room->walk = (struct walk){.deadline = &room->deadline};
	cr_assert(!status_failed(exact_open(&options, &room->cursor)));
}

static void room_close(struct room *room)
{
	cursor_close(room->cursor);
	room->cursor = NULL;
	cr_assert_eq(gauge_read(GAUGE_CURSORS), 0);
}

static void room_finish(struct room *room)
{
	room_close(room);
	truth_finish(&room->truth);
	snapshot_release(room->snapshot);
}

SCOPE_DEFINE(room, room_finish)

/* Reads to the end; the status that ends the walk. */
static enum status_code run_out(struct room *room)
{
	struct hit_batch batch;
	enum step step;

	do
		step = cursor_next(room->cursor, &batch);
	while (step == STEP_BATCH);
	cr_assert_eq(cursor_next(room->cursor, &batch), step, "does not stay");
	cr_assert_eq(step == STEP_FAIL, status_failed(room->cursor->status));
	return room->cursor->status.code;
}

/* How many calls a walk to the end makes when nothing fails. */
static unsigned calls_of_a_walk(struct room *room)
{
	unsigned calls;

	room_open(room);
	cr_assert_eq(run_out(room), STATUS_OK);
	room_close(room);
	calls = room->first.calls;
	room->first.calls = 0;
	cr_assert_eq(room->cpu.calls, 0);
	return calls;
}

static const struct {
	enum status_code code;
	unsigned fail_n;     /* calls that fail in a row */
	uint32_t fail_after; /* rows written before that */
} failures[] = {
	{STATUS_UNAVAILABLE, UINT32_MAX, 0},        {STATUS_UNAVAILABLE, 1, 150},
	{STATUS_UNAVAILABLE, 1, UINT32_MAX},        {STATUS_RESOURCE_EXHAUSTED, 1, 150},
	{STATUS_RESOURCE_EXHAUSTED, 3, UINT32_MAX}, {STATUS_RESOURCE_EXHAUSTED, UINT32_MAX, 299},
};

Test(exact_failure, another_scanner_goes_on_where_the_first_fails, .timeout = 60)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;
	unsigned calls;

	room_init(room, 1000);
	calls = calls_of_a_walk(room);
	cr_assert_gt(calls, 8);
	for (int bounds = 0; bounds < FAKE_BOUNDS_N; bounds++)
		for (size_t f = 0; f < sizeof failures / sizeof *failures; f++)
			for (unsigned at = 1; at <= calls; at++) {
				char what[96];

				snprintf(what, sizeof what, "bounds %d failure %zu at call %u",
					 bounds, f, at);
				fake_scanner_init(&room->first, (enum fake_bounds)bounds, 0.5F, 3);
				room->first.code = failures[f].code;
				room->first.fail_at = at;
				room->first.fail_n = failures[f].fail_n;
				room->first.fail_after = failures[f].fail_after;
				room_open(room);
				truth_walk(&room->truth, room->cursor, BATCH, SIZE_MAX, what);
				room_close(room);
			}
	cr_assert_gt(room->cpu.calls, 0);
}

Test(exact_failure, an_unavailable_scanner_is_not_asked_again)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;

	room_init(room, 1000);
	room->first.fail_at = 2;
	room_open(room);
	cr_assert_eq(run_out(room), STATUS_OK);

	cr_assert_eq(room->first.calls, 2);
}

/* The lines that the log writes during a walk to the end. */
static size_t lines_of_a_walk(struct room *room)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t lines = 0;
	int c;

	cr_assert(file && kept >= 0);
	fflush(stderr);
	cr_assert_geq(dup2(fileno(file), STDERR_FILENO), 0);
	room_open(room);
	run_out(room);
	room_close(room);
	dup2(kept, STDERR_FILENO);
	close(kept);
	cr_assert_eq(fseek(file, 0, SEEK_SET), 0);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

Test(exact_failure, falling_back_is_logged_once_a_cursor)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;

	room_init(room, 1000);
	log_set_level(LOG_WARNING);
	cr_assert_eq(lines_of_a_walk(room), 0);
	room->first.fail_at = 1;
	room->first.code = STATUS_RESOURCE_EXHAUSTED;

	cr_assert_eq(lines_of_a_walk(room), 1);
	cr_assert_eq(lines_of_a_walk(room), 1);
	log_set_level(LOG_ERROR);
}

Test(exact_failure, other_failures_end_the_walk)
{
	static const enum status_code codes[] = {STATUS_INTERNAL, STATUS_DATA_LOSS,
						 STATUS_CANCELLED, STATUS_DEADLINE_EXCEEDED};
	struct room room_itself;
	SCOPED(room) room = &room_itself;
	unsigned calls;

	room_init(room, 1000);
	calls = calls_of_a_walk(room);
	for (size_t c = 0; c < sizeof codes / sizeof *codes; c++)
		for (unsigned at = 1; at <= calls; at++) {
			room->first.calls = 0;
			room->first.fail_at = at;
			room->first.code = codes[c];
			room_open(room);
			cr_assert_eq(run_out(room), codes[c], "at call %u", at);
			cr_assert_eq(room->first.calls, at);
			room_close(room);
		}
	cr_assert_eq(room->cpu.calls, 0);
}

Test(exact_failure, both_scanners_failing_end_the_walk)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;

	room_init(room, 1000);
	room->first.fail_at = room->cpu.fail_at = 1;
	room->cpu.code = STATUS_RESOURCE_EXHAUSTED;
	room_open(room);

	cr_assert_eq(run_out(room), STATUS_RESOURCE_EXHAUSTED);
	cr_assert_eq(room->cpu.calls, 1);
}

Test(exact_failure, a_cancelled_walk_scans_no_further_step)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;
	unsigned calls;

	room_init(room, 1000);
	calls = calls_of_a_walk(room);
	for (unsigned at = 1; at <= calls; at++) {
		deadline_init(&room->deadline, DEADLINE_NEVER);
		room->first.calls = 0;
		room->first.act_at = at;
		room->first.cancel = &room->deadline;
		room_open(room);
		cr_assert_eq(run_out(room), STATUS_CANCELLED, "at call %u", at);
		cr_assert_eq(room->first.calls, at);
		room_close(room);
	}
}

Test(exact_failure, a_walk_past_its_deadline_does_nothing)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;
	struct hit_batch batch;

	room_init(room, 1000);
	room_open(room);
	cr_assert_eq(cursor_next(room->cursor, &batch), STEP_BATCH);
	room->first.calls = 0;
	room->deadline.at_ns = clock_ns() - 1;

	cr_assert_eq(run_out(room), STATUS_DEADLINE_EXCEEDED);
	cr_assert_eq(room->first.calls, 0);
}

/* Twice 1 MiB of vectors are in the window, all bounds equal: the walk scores every one. */
Test(exact_failure, scoring_looks_at_the_deadline_too)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 64, .dim = 8192, .metric = METRIC_L2, .seed = 13});
	struct deadline deadline;
	struct walk walk = {.deadline = &deadline};
	struct fake_scanner fake;
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;

	fake_scanner_init(&fake, FAKE_EQUAL, 0, 0);
	fake.act_at = 1;
	fake.drop = snapshot;
	deadline_init(&deadline, DEADLINE_NEVER);
	cr_assert(!status_failed(exact_open(
		&(struct exact_options){
			.snapshot = snapshot,
			.scanner = &fake.base,
			.scanner_cpu = &fake.base,
			.query = fake_snapshot_query(snapshot),
			.batch = BATCH,
			.walk = &walk,
		},
		&cursor)));

	cr_assert_eq(cursor_next(cursor, &batch), STEP_FAIL);
	cr_assert_eq(cursor->status.code, STATUS_FAILED_PRECONDITION);
	cr_assert_eq(walk.reranked, SCAN_STEP_BYTES / (8192 * sizeof(float)));
}

Test(exact_failure, a_dropped_collection_ends_the_walk_at_its_next_step)
{
	struct room room_itself;
	unsigned calls;

	room_init(&room_itself, 1000);
	calls = calls_of_a_walk(&room_itself);
	room_finish(&room_itself);
	for (unsigned at = 1; at <= calls; at++) {
		SCOPED(room) room = &room_itself;

		room_init(room, 1000);
		room->first.act_at = at;
		room->first.drop = room->snapshot;
		room_open(room);
		cr_assert_eq(run_out(room), STATUS_FAILED_PRECONDITION, "at call %u", at);
		cr_assert_eq(room->first.calls, at);
	}
}

Test(exact_failure, a_collection_dropped_between_batches_gives_no_more)
{
	struct room room_itself;
	SCOPED(room) room = &room_itself;
	struct hit_batch batch;

	room_init(room, 1000);
	room_open(room);
	cr_assert_eq(cursor_next(room->cursor, &batch), STEP_BATCH);
	fake_snapshot_drop(room->snapshot);

	cr_assert_eq(cursor_next(room->cursor, &batch), STEP_FAIL);
	cr_assert_eq(room->cursor->status.code, STATUS_FAILED_PRECONDITION);
}
