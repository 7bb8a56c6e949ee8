/* overload - more calls than there may be, or than can be done in time, for as long as it takes to see that
 * it is borne: some are served, the others told that it is too much, and nothing else happens to any.
 */
#include "service/cli/load_json.h"
#include "service/cli/npy.h"
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

#include <stdio.h>

TestSuite(overload, .init = world_open, .fini = world_close, .timeout = 280);

enum { n_rows = SANITIZED ? 4000 : 20000, dim = 64, n_queries = 16, n_after = 20 };

/* Calls that are over by their deadlines wait in line too, until a worker has seen that they are: some KB
 * each, of which malloc keeps what it likes. */
#define GROWTH_BYTES ((size_t)128 << 20)

static const char *queries, *report_path;

static void write_queries(void)
{
	SCOPED(npy_writer) writer = NULL;

	queries = text_of("%s/q.npy", world.scratch.path);
	report_path = text_of("%s/report.json", world.scratch.path);
	cr_assert(!status_failed(npy_writer_open(&world.session.arena, queries, dim, &writer)));
	for (uint64_t i = 0; i < n_queries; i++)
		cr_assert(!status_failed(npy_writer_append(writer, query_make(dim, i))));
	cr_assert(!status_failed(npy_writer_finish(writer)));
}

/* Hundreds at once, each followed by the next: whatever the machine can do, it is asked for more. */
static const struct load_step *searches(const char *deadline_ms)
{
	const char *arguments[] = {
		"bench",     "load",      "docs",      "--server",  world.server.address,
		"--queries", queries,     "--json",    report_path, "--connections",
		"8",         "--streams", "64",        "--exact",   "--ids-only",
		"--warmup",  "0",         "--seconds", "1",         "--deadline-ms",
		deadline_ms, NULL};
	static struct load_report report;
	struct said said = command_run(arguments);

	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert(!status_failed(load_json_read(&world.session.arena, report_path, &report)));
	return report.steps;
}

static const struct {
	const char *config;
	const char *deadline_ms;
	const char *says; /* what the refused are told; NULL: too late is all that they are */
} overloads[] = {
	{"limits: {calls_max: 16}\n", "60000", "limits.calls_max"},
	{"threads: {workers: 1, inline_scan_bytes_max: 0}\nlimits: {queue_time_max: 2ms}\n",
	 "60000", "limits.queue_time_max"},
	{"threads: {workers: 1, inline_scan_bytes_max: 0}\nlimits: {queue_time_max: 1h}\n", "5",
	 NULL},
};

/* Each call has ended in one of three ways, and no answer was cut short. */
static void want_right_ends(const struct load_step *step, size_t i)
{
	const struct load_counts *counts = &step->kinds[LOAD_SEARCH];
	uint64_t ok = counts->ended[STATUS_OK];
	uint64_t refused = counts->ended[STATUS_RESOURCE_EXHAUSTED];
	uint64_t late = counts->ended[STATUS_DEADLINE_EXCEEDED];

	fprintf(stderr, "overload: %zu: %llu served, %llu refused, %llu late\n", i,
		(unsigned long long)ok, (unsigned long long)refused, (unsigned long long)late);
	cr_assert_eq(ok + refused + late, counts->arrivals);
	cr_assert_geq(counts->hits, 10 * ok);
	cr_assert_gt(refused + late, 0);
	if (!overloads[i].says)
		return;
	cr_assert_gt(ok, 0);
	cr_assert_gt(refused, 0);
	cr_assert_not_null(strstr(step->details[STATUS_RESOURCE_EXHAUSTED], overloads[i].says),
			   "%s", step->details[STATUS_RESOURCE_EXHAUSTED]);
}

Test(overload, is_told_to_those_who_are_too_many_and_leaves_nothing)
{
	struct rows rows = {.collection = "docs",
			    .dim = dim,
			    .n = n_rows,
			    .metric = SLUICE__V1__METRIC__METRIC_COSINE};

	rows_create(&rows, 1);
	for (size_t i = 0; i < sizeof overloads / sizeof *overloads; i++) {
		Sluice__V1__SearchRequest request;
		struct seen_list before, after;
		size_t before_bytes, after_bytes;

		world_restart_with(&(struct server_options){0}, overloads[i].config);
		write_queries();
		request = search_request(&rows, query_make(dim, 7), 10);
		before = search_all(&world.session, &request);
		before_bytes = server_own_bytes(&world.server);

		want_right_ends(searches(overloads[i].deadline_ms), i);

		want_idle();
		after_bytes = server_own_bytes(&world.server);
		if (!SANITIZED)
			cr_assert_lt(after_bytes, before_bytes + GROWTH_BYTES, "%zu: %zu MB more",
				     i, (after_bytes - before_bytes) >> 20);
		/* Who comes later is served as ever. */
		for (int n = 0; n < n_after; n++)
			after = search_all(&world.session, &request);
		cr_assert_eq(after.n, before.n);
		for (size_t hit = 0; hit < after.n; hit++)
			cr_assert_str_eq(after.seen[hit].id, before.seen[hit].id);
	}
}
