/* soak - all that clients do, for a while: written, deleted, searched, walked, cancelled, refused, with
 * the server stopped and killed in between. Memory stays where it was, and every error is the right one.
 *
 * SLUICE_SOAK_SECONDS says for how long (20). In each of the epochs one thread does all of it in turn,
 * at random, with walks that stay open meanwhile; beside it `sluice bench load` mixes calls over
 * connections of its own, and counts how they end. Then the server is stopped, or killed, under walks
 * that are open; it comes back with what was acknowledged, and no more.
 */
#include "service/cli/load_json.h"
#include "service/cli/npy.h"
#include "tests/load/deeds.h"

#include <stdio.h>
#include <stdlib.h>

/* Half an hour, and what a slow machine takes for its ends. */
TestSuite(soak, .timeout = 2400);

enum { n_epochs = 4, n_queries = 32, n_connections = 4 };

#define EPOCH_SECONDS_MAX 60.0
/* What memory may grow by once it has got to where it stays: dead rows wait for their retention, and
 * the allocator keeps some. */
#define GROWTH_BYTES ((size_t)16 << 20)

/* Dead rows go at once, so that what stays is what is there; segments are made all the time. */
static const char config[] = "index: {seal_rows: 2000, dead_rows_retention: 1s}\n"
			     "logging: {level: error}\n";

static struct soak {
	char queries[512], report[512];
	size_t settled_bytes; /* after the second epoch */
} soak;

/* --- the other clients --- */

static void write_queries(void)
{
	SCOPED(npy_writer) writer = NULL;

	snprintf(soak.queries, sizeof soak.queries, "%s/q.npy", world.scratch.path);
	snprintf(soak.report, sizeof soak.report, "%s/report.json", world.scratch.path);
	cr_assert(!status_failed(
		npy_writer_open(&world.session.arena, soak.queries, DEEDS_DIM, &writer)));
	for (uint64_t i = 0; i < n_queries; i++)
		cr_assert(!status_failed(npy_writer_append(writer, query_make(DEEDS_DIM, i))));
	cr_assert(!status_failed(npy_writer_finish(writer)));
}

static pid_t others_start(double seconds)
{
	const char *arguments[] = {"bench",
				   "load",
				   "others",
				   "--server",
				   world.server.address,
				   "--queries",
				   soak.queries,
				   "--json",
				   soak.report,
				   "--rate",
				   "40",
				   "--mix",
				   "search=4,iterate=2,upsert=1",
				   "--connections",
				   text_of("%d", n_connections),
				   "--deadline-ms",
				   "60000",
				   "--upsert-ids",
				   "500",
				   "--warmup",
				   "0",
				   "--seconds",
				   text_of("%.1f", seconds),
				   NULL};

	remove(soak.report);
	return program_start(arguments, NULL);
}

/* may_break  the server has gone away meanwhile: UNAVAILABLE is right, and nothing else but CANCELLED for a
 * call that crosses the last word of its connection, which gRPC's core drops unread. */
static void others_await(pid_t pid, double seconds, bool may_break)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct load_report report;
	const struct load_step *step;
	uint64_t n, right, crossed;

	arena_init(arena, (size_t)64 << 20);
	cr_assert_eq(program_await(pid, seconds + 120), 0);
	cr_assert(!status_failed(load_json_read(arena, soak.report, &report)));
	step = report.steps;
	n = load_step_arrivals(step);
	right = load_step_ended(step, STATUS_OK);
	crossed = load_step_ended(step, STATUS_CANCELLED);
	if (may_break)
		right += load_step_ended(step, STATUS_UNAVAILABLE) +
			 (crossed < n_connections ? crossed : n_connections);
	for (size_t i = 1; i < LOAD_CODES; i++)
		if (load_step_ended(step, (enum status_code)i))
			fprintf(stderr, "soak: others: %llu %s: %s\n",
				(unsigned long long)load_step_ended(step, (enum status_code)i),
				status_code_name((enum status_code)i), step->details[i]);
	cr_assert_eq(right, n, "%llu of %llu calls ended as they should", (unsigned long long)right,
		     (unsigned long long)n);
}

/* --- epochs --- */

static void want_flat(const char *when, size_t before, size_t after)
{
	fprintf(stderr, "soak: %s: %zu MB, %zu MB before; %llu rows\n", when, after >> 20,
		before >> 20, (unsigned long long)deeds_rows());
	/* A sanitizer keeps what was freed. */
	if (!SANITIZED)
		cr_assert_lt(after, before + before / 4 + GROWTH_BYTES, "%s: memory has grown",
			     when);
}

/* alone  the others are done. */
static size_t settled_bytes(bool alone)
{
	deeds_drop_walks();
	if (alone)
		want_idle();
	return server_own_bytes(&world.server);
}

/* Stopped, each open walk is told so; killed, its connection breaks. */
static void end_server(bool kill)
{
	deeds_open_walks();
	if (kill)
		server_kill(&world.server);
	else
		server_terminate(&world.server);
	deeds_want_walks_end();
	if (!kill)
		cr_assert_eq(server_await(&world.server, 60), 0);
}

static void epoch(int number, double seconds)
{
	/* Every other time the others are in the middle of it. */
	bool may_break = number % 2;
	pid_t others = others_start(seconds + (may_break ? 2 : -1));
	size_t early, late;

	deeds_do(seconds * 0.4);
	early = settled_bytes(false);
	deeds_do(seconds * 0.6);
	if (!may_break)
		others_await(others, seconds, false);
	late = settled_bytes(!may_break);
	want_flat("in an epoch", early, late);
	if (number == 1)
		soak.settled_bytes = late;
	if (number > 1)
		want_flat("since the second epoch", soak.settled_bytes, late);
	cr_assert_eq(count_of("docs"), deeds_rows());
	end_server(number % 4 >= 2);
	if (may_break)
		others_await(others, seconds, true);
	world_restart_with(&(struct server_options){0}, config);
	cr_assert_eq(count_of("docs"), deeds_rows());
}

Test(soak, leaves_memory_flat_and_has_no_error_of_the_wrong_kind, .init = world_open,
     .fini = world_close)
{
	const char *text = getenv("SLUICE_SOAK_SECONDS");
	double seconds = text ? atof(text) : 20, end = seconds_now() + seconds;
	double epoch_seconds = seconds / n_epochs;

	cr_assert_geq(seconds, 8, "SLUICE_SOAK_SECONDS must be at least 8");
	if (epoch_seconds > EPOCH_SECONDS_MAX)
		epoch_seconds = EPOCH_SECONDS_MAX;
	world_restart_with(&(struct server_options){0}, config);
	write_queries();
	make_collection("docs", DEEDS_DIM, SLUICE__V1__METRIC__METRIC_COSINE);
	make_collection("others", DEEDS_DIM, SLUICE__V1__METRIC__METRIC_COSINE);
	while (deeds_rows() < DEEDS_IDS / 2)
		deeds_upsert();

	for (int number = 0; number < n_epochs || seconds_now() < end; number++)
		epoch(number, epoch_seconds);
	deeds_print();
	want_idle();
}
