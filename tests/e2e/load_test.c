/* load - bench load against a real server: what is offered, sent and answered has to add up. No time is
 * looked at. */
#include "service/cli/load_json.h"
#include "service/cli/npy.h"
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

#include <stdio.h>

TestSuite(load, .init = world_open, .fini = world_close, .timeout = 120);

enum { dim = 8, n_rows = 300, n_queries = 20 };

static const char *queries;

static void make_rows(void)
{
	struct rows rows = {.collection = "docs",
			    .metric = SLUICE__V1__METRIC__METRIC_COSINE,
			    .dim = dim,
			    .n = n_rows};
	struct arena *arena = &world.session.arena;
	SCOPED(npy_writer) writer = NULL;

	rows_create(&rows, 1);
	queries = text_of("%s/q.npy", world.scratch.path);
	cr_assert(!status_failed(npy_writer_open(arena, queries, dim, &writer)));
	for (uint64_t i = 0; i < n_queries; i++)
		cr_assert(!status_failed(npy_writer_append(writer, query_make(dim, i))));
	cr_assert(!status_failed(npy_writer_finish(writer)));
}

/* The command with these options behind the name and the queries, and --json; the report. */
static struct load_report run(const char *const *options)
{
	const char *arguments[40] = {
		"bench",     "load",  "docs",  "--server", world.server.address,
		"--queries", queries, "--json"};
	struct load_report report = {0};
	struct said said;
	size_t n = 8;

	arguments[n++] = text_of("%s/report.json", world.scratch.path);
	for (; *options; options++)
		arguments[n++] = *options;
	arguments[n] = NULL;
	said = command_run(arguments);
	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert(!status_failed(load_json_read(&world.session.arena, arguments[8], &report)));
	return report;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

/* Every call that arrived is unsent, or has ended in one way. */
static void want_sums(const struct load_step *step)
{
	for (size_t i = 0; i < LOAD_KINDS; i++) {
		const struct load_counts *counts = &step->kinds[i];
		uint64_t sum = counts->unsent;

		for (size_t code = 0; code < LOAD_CODES; code++)
			sum += counts->ended[code];
		cr_assert_eq(sum, counts->arrivals, "%s: %llu of %llu",
			     load_kind_name((enum load_kind)i), (unsigned long long)sum,
			     (unsigned long long)counts->arrivals);
		cr_assert_eq(counts->latency.n, counts->ended[STATUS_OK]);
	}
	cr_assert_leq(step->ok_in_window, step->ended_in_window);
	cr_assert_gt(step->seconds, 0);
}

/* A field's tag and length, and in it another and a number. */
#define CREDIT_BYTES 4

/* A walk sends the search, without its limit, in a field of another message; pages; and an empty field. */
static uint64_t walk_bytes(uint64_t search_bytes, uint64_t pages)
{
	const uint64_t field_bytes = 2, limit_bytes = 2;

	return field_bytes + search_bytes - limit_bytes + pages * CREDIT_BYTES + field_bytes;
}

Test(load, of_an_open_loop_adds_up_and_its_answers_are_whole)
{
	struct load_report report;
	const char *pid;

	make_rows();
	pid = text_of("%d", (int)world.server.pid);
	report = RUN("--rates", "100,200", "--seconds", "0.5", "--warmup", "0.1", "--limit", "7",
		     "--connections", "3", "--deadline-ms", "60000", "--pid", pid);

	cr_assert_eq(report.n_steps, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct load_step *step = &report.steps[i];
		const struct load_counts *counts = &step->kinds[LOAD_SEARCH];

		want_sums(step);
		cr_assert_eq(step->rate, i ? 200 : 100);
		/* Arrivals do not depend on the machine: fixed seed, fixed window. */
		cr_assert_gt(counts->arrivals, i ? 60 : 25);
		cr_assert_eq(counts->unsent, 0);
		cr_assert_eq(counts->ended[STATUS_OK], counts->arrivals);
		cr_assert_eq(counts->hits, 7 * counts->arrivals);
		cr_assert_eq(counts->first_hit.n, counts->arrivals);
		cr_assert_geq(counts->messages, counts->arrivals);
		cr_assert_gt(counts->received_bytes, counts->hits);
		cr_assert(step->server.known);
		cr_assert_gt(step->server.rss_max_bytes, 0);
	}
	want_idle();
}

Test(load, of_a_mix_walks_to_its_depth_and_writes_its_batches)
{
	struct load_report report;
	const struct load_step *step;
	uint64_t before, search_bytes;

	make_rows();
	before = count_of("docs");
	report = RUN("--rate", "150", "--seconds", "1", "--warmup", "0", "--mix",
		     "search=2,iterate=1,upsert=1", "--page", "5", "--depth", "20", "--batch", "3",
		     "--upsert-ids", "12", "--deadline-ms", "60000", "--exact", "--ids-only");
	step = &report.steps[0];

	want_sums(step);
	for (size_t i = 0; i < LOAD_KINDS; i++) {
		const struct load_counts *counts = &step->kinds[i];

		cr_assert_gt(counts->arrivals, 0);
		cr_assert_eq(counts->ended[STATUS_OK], counts->arrivals, "%s", step->details[0]);
	}
	cr_assert_eq(step->kinds[LOAD_SEARCH].hits, 10 * step->kinds[LOAD_SEARCH].arrivals);
	cr_assert_eq(step->kinds[LOAD_ITERATE].hits, 20 * step->kinds[LOAD_ITERATE].arrivals);
	search_bytes = step->kinds[LOAD_SEARCH].sent_bytes / step->kinds[LOAD_SEARCH].arrivals;
	cr_assert_eq(step->kinds[LOAD_ITERATE].sent_bytes,
		     walk_bytes(search_bytes, 4) * step->kinds[LOAD_ITERATE].arrivals);
	cr_assert_eq(step->kinds[LOAD_UPSERT].hits, 3 * step->kinds[LOAD_UPSERT].arrivals);
	cr_assert_eq(count_of("docs"), before + 12);
	want_idle();
}

Test(load, of_a_closed_loop_has_as_many_at_once_as_asked)
{
	struct load_report report;

	make_rows();
	report = RUN("--seconds", "0.5", "--warmup", "0", "--connections", "2", "--streams", "3");
	want_sums(&report.steps[0]);
	cr_assert_eq(report.steps[0].in_flight, 6);
	cr_assert_geq(load_step_ended(&report.steps[0], STATUS_OK), 6);
	cr_assert_eq(load_step_ended(&report.steps[0], STATUS_OK),
		     load_step_arrivals(&report.steps[0]));
}

Test(load, counts_what_comes_too_late_or_is_refused_by_name)
{
	struct load_report report;
	const struct load_step *step;

	make_rows();
	/* Walks of a thousand hits that are not there: each ends OK, before its depth. */
	report = RUN("--rate", "50", "--seconds", "0.4", "--warmup", "0", "--mix", "iterate=1",
		     "--depth", "1000", "--page", "100", "--deadline-ms", "60000");
	step = &report.steps[0];
	want_sums(step);
	cr_assert_eq(step->kinds[LOAD_ITERATE].hits, n_rows * step->kinds[LOAD_ITERATE].arrivals);
	/* Half the calls wait for the only stream for longer than a user does. */
	report = RUN("--rate", "20000", "--seconds", "0.3", "--warmup", "0", "--streams", "1",
		     "--deadline-ms", "2");
	step = &report.steps[0];
	want_sums(step);
	cr_assert_gt(load_step_unsent(step) + load_step_ended(step, STATUS_DEADLINE_EXCEEDED), 0);
	cr_assert_eq(load_step_ended(step, STATUS_OK) +
			     load_step_ended(step, STATUS_DEADLINE_EXCEEDED) +
			     load_step_unsent(step),
		     load_step_arrivals(step));
	want_idle();
}

Test(load, reads_pages_of_cursors_that_are_open_already)
{
	struct load_report report;

	make_rows();
	report = RUN("--skip", "100", "--depth", "120", "--page", "10", "--streams", "12");
	want_sums(&report.steps[0]);
	cr_assert_eq(load_step_arrivals(&report.steps[0]), 24);
	cr_assert_eq(report.steps[0].kinds[LOAD_ITERATE].hits, 240);
	cr_assert_eq(report.steps[0].kinds[LOAD_ITERATE].sent_bytes, 24 * CREDIT_BYTES);
	want_idle();
}

Test(load, of_shards_merges_to_their_sum)
{
	const char *first, *arguments[] = {"bench", "load", "--merge", NULL, NULL, NULL};
	struct load_report a, b;
	struct said said;
	char offered[32];

	make_rows();
	a = RUN("--rate", "100", "--seconds", "0.4", "--warmup", "0", "--shard", "1/2");
	first = text_of("%s/first.json", world.scratch.path);
	cr_assert(!status_failed(load_json_write(&world.session.arena, first, &a)));
	b = RUN("--rate", "100", "--seconds", "0.4", "--warmup", "0", "--shard", "2/2");
	arguments[3] = first;
	arguments[4] = text_of("%s/report.json", world.scratch.path);
	said = command_run(arguments);

	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert_eq(a.steps[0].rate + b.steps[0].rate, 100);
	snprintf(offered, sizeof offered, "\n%12s %10llu ", "100.0",
		 (unsigned long long)(load_step_arrivals(a.steps) + load_step_arrivals(b.steps)));
	cr_assert_not_null(strstr(said.out, offered), "%s in %s", offered, said.out);
	cr_assert_not_null(strstr(said.out, "2 processes"));
}

Test(load, draws_a_sweep)
{
	const char *svg;
	static char text[16];
	FILE *in;

	make_rows();
	svg = text_of("%s/sweep.svg", world.scratch.path);
	/* Long enough for one call to end in it, however slow the machine is. */
	RUN("--rates", "auto", "--seconds", "0.7", "--warmup", "0.3", "--svg", svg);
	in = fopen(svg, "re");
	cr_assert_not_null(in);
	cr_assert_eq(fread(text, 1, 5, in), 5);
	fclose(in);
	cr_assert_str_eq(text, "<svg ");
	want_idle();
}

/* The closed loop that finds the rate, and one, two and three times it; in the same order again. */
Test(load, measures_an_overload_in_rounds)
{
	struct load_report report;

	make_rows();
	report = RUN("--overload", "--rounds", "2", "--seconds", "0.7", "--warmup", "0.3",
		     "--connections", "2", "--streams", "32");
	cr_assert_eq(report.n_steps, 8);
	for (size_t i = 0; i < report.n_steps; i++) {
		want_sums(&report.steps[i]);
		cr_assert_eq(report.steps[i].rate, report.steps[1].rate * (double)(i % 4));
	}
	want_idle();
}

static const struct {
	const char *options[6];
	int result;
	const char *says;
} misuses[] = {
	{{"--rates", "10,x"}, 2, "rates"},
	{{"--rate", "10", "--overload"}, 2, "exclude"},
	{{"--mix", "search=0"}, 2, "--mix"},
	{{"--shard", "3/2"}, 2, "--shard"},
	{{"--overload", "--shard", "1/2"}, 2, "saturating"},
	{{"--rate", "10", "--rounds", "2"}, 2, "--overload"},
	{{"--skip", "10", "--depth", "10"}, 2, "--depth"},
	{{"--pid", "2147483646"}, 1, "--pid"},
	{{"--skip", "10", "--depth", "1000"}, 1, "fewer chunks"},
	{{"--merge"}, 1, "docs"},
};

Test(load, says_what_is_wrong)
{
	make_rows();
	for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++) {
		const char *arguments[16] = {
			"bench",     "load", "docs", "--server", world.server.address,
			"--queries", queries};
		struct said said;

		memcpy(arguments + 7, misuses[i].options, sizeof misuses[i].options);
		said = command_run(arguments);
		cr_assert_eq(said.result, misuses[i].result, "%zu: %d %s", i, said.result,
			     said.err);
		cr_assert_not_null(strstr(said.err, misuses[i].says), "%zu: %s", i, said.err);
	}
}
