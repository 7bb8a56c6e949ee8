/* load - bench load: what a server does under a load that does not wait for it. */
#include "service/cli/commands.h"
#include "service/cli/load_drive.h"
#include "service/cli/load_json.h"
#include "service/cli/load_pages.h"
#include "service/cli/load_plan.h"
#include "service/cli/load_process.h"
#include "service/cli/load_svg.h"
#include "service/cli/load_table.h"
#include "service/cli/methods.h"
#include "sluice/v1/collection_service.pb-c.h"

#include <string.h>

/* So many at once find out how much the server can do. */
#define PROBE_CALLS 64

static const double auto_shares[] = {0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1};
static const double overload_shares[] = {1, 2, 3};

struct load_bench {
	const struct load_plan *plan;
	struct load_requests *requests;
	struct load_client *client;
	struct load_report *report;
};

static status step_done(struct load_bench *bench, struct load_step *step)
{
	bench->report->n_steps++;
	load_table_step(stdout, step);
	return cli_flush();
}

/* n  calls at once; of an open loop at most. */
static status drive(struct load_bench *bench, double rate, size_t n)
{
	struct load_flights memory = {
		.plan = bench->plan,
		.requests = bench->requests,
		.client = bench->client,
	};
	SCOPED(load_flights) flights = &memory;
	struct load_step *step = &bench->report->steps[bench->report->n_steps];

	TRY(load_flights_init(flights, n));
	TRY(load_drive(flights, rate, step));
	return step_done(bench, step);
}

static status drive_pages(struct load_bench *bench)
{
	struct load_step *step = &bench->report->steps[0];

	TRY(load_pages(bench->plan, bench->requests, bench->client, step));
	return step_done(bench, step);
}

static status drive_rates(struct load_bench *bench, const double *rates, double times, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(drive(bench, rates[i] * times,
			  bench->plan->connections * bench->plan->streams));
	return status_ok();
}

/* Rounds, since a machine that others share is not as fast all the time: what is compared is measured in turn. */
static status drive_overload(struct load_bench *bench, double saturating)
{
	for (uint64_t round = 0; round < bench->plan->rounds; round++) {
		if (round > 0)
			TRY(drive(bench, 0, PROBE_CALLS));
		TRY(drive_rates(bench, overload_shares, saturating,
				sizeof overload_shares / sizeof *overload_shares));
	}
	return status_ok();
}

static status drive_all(struct load_bench *bench)
{
	const struct load_plan *plan = bench->plan;
	double saturating;

	if (plan->mode == LOAD_PAGES)
		return drive_pages(bench);
	if (plan->mode == LOAD_CLOSED)
		return drive(bench, 0, plan->connections * plan->streams);
	if (plan->mode == LOAD_OPEN)
		return drive_rates(bench, plan->rates, 1, plan->n_rates);
	TRY(drive(bench, 0, PROBE_CALLS));
	saturating = load_step_goodput(&bench->report->steps[0]);
	if (saturating <= 0)
		return status_make(STATUS_UNAVAILABLE, "no call ended OK");
	if (plan->mode == LOAD_AUTO)
		return drive_rates(bench, auto_shares, saturating,
				   sizeof auto_shares / sizeof *auto_shares);
	return drive_overload(bench, saturating);
}

static size_t steps_of(const struct load_plan *plan)
{
	switch (plan->mode) {
	case LOAD_OPEN:
		return plan->n_rates;
	case LOAD_AUTO:
		return 1 + sizeof auto_shares / sizeof *auto_shares;
	case LOAD_OVERLOAD:
		return plan->rounds * (1 + sizeof overload_shares / sizeof *overload_shares);
	default:
		return 1;
	}
}

/* The files that were asked for. */
static status report_write(struct cli *cli, const struct load_report *report)
{
	const char *json = arguments_value(cli->arguments, "json");
	const char *svg = arguments_value(cli->arguments, "svg");

	if (json)
		TRY(load_json_write(cli->arena, json, report));
	if (svg)
		TRY(load_svg_write(cli->arena, svg, report));
	return status_ok();
}

/* Says what is wrong with server or collection before the clock starts. */
static status collection_look(const struct load_plan *plan, const struct load_requests *requests)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	const Sluice__V1__GetCollectionResponse *response;
	SCOPED(answer) answer = NULL;
	struct load_usage usage;

	request.name = plan->collection;
	TRY(cli_ask(plan->cli, &method_get_collection, &request.base, &answer));
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	if (response->collection && response->collection->dimension != requests->dim)
		return status_format(plan->cli->arena, STATUS_INVALID_ARGUMENT,
				     "the queries have %u numbers, the collection's vectors %u",
				     requests->dim, response->collection->dimension);
	if (plan->pid)
		TRY(load_usage_read(plan->pid, &usage));
	return status_ok();
}

static status load_measure(struct cli *cli)
{
	struct load_plan plan;
	struct load_requests memory = {0};
	SCOPED(load_requests) requests = &memory;
	SCOPED(load_client) client = NULL;
	struct load_report report = {.n_processes = 1};
	struct load_bench bench = {&plan, requests, NULL, &report};
	size_t n_steps;

	TRY(load_plan_read(cli, &plan));
	n_steps = steps_of(&plan);
	TRY(load_requests_make(&plan, requests));
	TRY(collection_look(&plan, requests));
	TRY(load_client_open(client_options_of(cli->client), plan.connections, &client));
	bench.client = client;
	snprintf(report.title, sizeof report.title, "%s", plan.title);
	report.steps = ARENA_ARRAY(cli->arena, struct load_step, n_steps);
	if (!report.steps)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a report");
	load_table_head(stdout, &report);
	TRY(drive_all(&bench));
	load_table_kinds(stdout, &report.steps[report.n_steps - 1]);
	if (plan.mode == LOAD_OVERLOAD)
		load_table_overload(stdout, &report, plan.rounds);
	return report_write(cli, &report);
}

static status load_merge(struct cli *cli)
{
	const struct arguments *arguments = cli->arguments;
	struct load_report report;

	TRY(load_json_read(cli->arena, arguments->names[0], &report));
	for (size_t i = 1; i < arguments->n_names; i++) {
		struct load_report part;

		TRY(load_json_read(cli->arena, arguments->names[i], &part));
		TRY(load_report_merge(cli->arena, &report, &part));
	}
	load_table_head(stdout, &report);
	for (size_t i = 0; i < report.n_steps; i++)
		load_table_step(stdout, &report.steps[i]);
	load_table_kinds(stdout, &report.steps[report.n_steps - 1]);
	return report_write(cli, &report);
}

static status load_run(struct cli *cli)
{
	if (arguments_has(cli->arguments, "merge"))
		return load_merge(cli);
	if (cli->arguments->n_names != 1)
		return arguments_misuse(cli->arguments, "usage: sluice bench load %s",
					load_command.usage);
	return load_measure(cli);
}

static const struct option load_options[] = {
	LOAD_PLAN_OPTIONS,
	{"json", OPTION_VALUE, "FILE  the report for programs, and for --merge"},
	{"svg", OPTION_VALUE, "FILE  latency against offered load"},
	{"merge", OPTION_FLAG, "  the names are reports of shards: adds them up"},
	{"quiet", OPTION_FLAG, "  no progress on a terminal"},
};

const struct command load_command = {
	.name = "bench load",
	.usage = "NAME --queries Q.npy [--rate N | --rates N,N,...|auto | --overload | --skip N] "
		 "[options]; --merge FILE...",
	.summary = "latency, goodput and cost of a server under load",
	.details = "With a rate, calls begin at random times (Poisson), whatever the server does, "
		   "and\n"
		   "latencies count from then. Without, each of a fixed number of calls is "
		   "followed by\n"
		   "the next. Upserts of a mix write chunks of their own, load-SHARD-N, and leave "
		   "them.\n"
		   "OK/s counts calls that ended OK within their deadline. With --skip walks are "
		   "opened\n"
		   "and read to N hits first; then pages are granted to them and counted as calls.",
	.options = OPTION_LIST(load_options),
	.names_min = 1,
	.names_max = 1000,
	.run = load_run,
};
