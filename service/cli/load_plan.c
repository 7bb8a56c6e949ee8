/* load_plan - options to a plan. */
#include "service/cli/load_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_CLOSED 1
#define STREAMS_OPEN 1000
#define CONNECTIONS_OVERLOAD 16
#define ROUNDS_MAX 16 /* of 4 steps each, within LOAD_STEPS_MAX */

static bool number_read(const char **at, double *ret)
{
	char *end;
	double value = strtod(*at, &end);

	if (end == *at || !isfinite(value) || value < 0)
		return false;
	*at = end;
	*ret = value;
	return true;
}

/* "100,200,400" */
static status rates_read(struct load_plan *plan, const char *text)
{
	struct arguments *arguments = plan->cli->arguments;
	const char *at = text;

	plan->mode = LOAD_OPEN;
	do {
		double rate;

		if (plan->n_rates == LOAD_STEPS_MAX || !number_read(&at, &rate) || rate <= 0 ||
		    rate > 1e6)
			return arguments_misuse(arguments,
						"rates are 1 to %d numbers up to 1,000,000 with "
						"commas, or auto; not \"%.64s\"",
						LOAD_STEPS_MAX, text);
		plan->rates[plan->n_rates++] = rate / (double)plan->shards;
	} while (*at++ == ',');
	return at[-1] ? arguments_misuse(arguments, "not a rate: \"%.64s\"", at - 1) : status_ok();
}

/* "search=8,iterate=1" */
static status mix_read(struct load_plan *plan, const char *text)
{
	double sum = 0;
	const char *at = text;

	if (!text) {
		plan->weights[LOAD_SEARCH] = 1;
		return status_ok();
	}
	while (*at) {
		size_t kind = 0;
		size_t size = strcspn(at, "=");

		while (kind < LOAD_KINDS &&
		       (strlen(load_kind_name((enum load_kind)kind)) != size ||
			strncmp(at, load_kind_name((enum load_kind)kind), size)))
			kind++;
		at += size;
		if (kind == LOAD_KINDS || *at++ != '=' || !number_read(&at, &plan->weights[kind]) ||
		    (*at && *at++ != ','))
			break;
		sum += plan->weights[kind];
		if (!*at && sum > 0)
			return status_ok();
	}
	return arguments_misuse(plan->cli->arguments,
				"--mix is like search=8,iterate=1,upsert=1, not \"%.64s\"", text);
}

static status shard_read(struct load_plan *plan, const char *text)
{
	unsigned shard = 0, shards = 0;
	int end = 0;

	if (!text)
		return status_ok();
	if (sscanf(text, "%4u/%4u%n", &shard, &shards, &end) != 2 || text[end] || shard < 1 ||
	    shard > shards)
		return arguments_misuse(plan->cli->arguments,
					"--shard is like 2/4: the second of four processes");
	plan->shard = shard - 1;
	plan->shards = shards;
	return status_ok();
}

static status mode_read(struct load_plan *plan)
{
	struct arguments *arguments = plan->cli->arguments;
	const char *rates = arguments_value(arguments, "rates");
	const char *rate = arguments_value(arguments, "rate");
	bool is_auto = rates && strcmp(rates, "auto") == 0;
	bool overload = arguments_has(arguments, "overload");
	bool pages = arguments_has(arguments, "skip");

	if ((rate != NULL) + (rates != NULL) + overload + pages > 1)
		return arguments_misuse(
			arguments, "--rate, --rates, --overload and --skip exclude each other");
	if ((is_auto || overload) && plan->shards > 1)
		return arguments_misuse(arguments, "a process alone finds the saturating rate: "
						   "with --shard, name --rates");
	if (is_auto || overload)
		plan->mode = is_auto ? LOAD_AUTO : LOAD_OVERLOAD;
	else if (rates || rate)
		return rates_read(plan, rates ? rates : rate);
	else if (pages)
		plan->mode = LOAD_PAGES;
	return status_ok();
}

static status sizes_read(struct load_plan *plan)
{
	struct arguments *arguments = plan->cli->arguments;
	uint64_t deadline_ms = 10000, pid = 0;

	plan->streams = plan->mode == LOAD_CLOSED || plan->mode == LOAD_PAGES ? STREAMS_CLOSED
									      : STREAMS_OPEN;
	/* So many that it is the server which has to say no. */
	if (plan->mode == LOAD_OVERLOAD)
		plan->connections = CONNECTIONS_OVERLOAD;
	TRY(arguments_u64(arguments, "connections", 1, LOAD_CONNECTIONS_MAX, &plan->connections));
	TRY(arguments_u64(arguments, "streams", 1, LOAD_STREAMS_MAX, &plan->streams));
	TRY(arguments_number(arguments, "seconds", 0.1, 86400, &plan->seconds));
	TRY(arguments_number(arguments, "warmup", 0, 3600, &plan->warmup_seconds));
	TRY(arguments_u64(arguments, "deadline-ms", 1, 3600000, &deadline_ms));
	TRY(arguments_u64(arguments, "rounds", 1, ROUNDS_MAX, &plan->rounds));
	TRY(arguments_u64(arguments, "limit", 1, 1000000, &plan->limit));
	TRY(arguments_number(arguments, "recall", 0.5, 0.999, &plan->recall));
	TRY(arguments_u64(arguments, "page", 1, 65536, &plan->page));
	TRY(arguments_u64(arguments, "depth", 1, 1000000, &plan->depth));
	TRY(arguments_u64(arguments, "skip", 1, 65536, &plan->skip));
	TRY(arguments_u64(arguments, "batch", 1, 1024, &plan->batch));
	TRY(arguments_u64(arguments, "upsert-ids", 1, 1000000000, &plan->upsert_ids));
	TRY(arguments_u64(arguments, "text-bytes", 0, 65536, &plan->text_bytes));
	TRY(arguments_u64(arguments, "seed", 0, UINT64_MAX, &plan->seed));
	TRY(arguments_u64(arguments, "pid", 1, INT32_MAX, &pid));
	plan->pid = (pid_t)pid;
	plan->deadline_ns = (int64_t)deadline_ms * 1000000;
	plan->exact = arguments_has(arguments, "exact");
	plan->ids_only = arguments_has(arguments, "ids-only");
	if (plan->exact && plan->recall > 0)
		return arguments_misuse(arguments, "--exact and --recall exclude each other");
	if (plan->upsert_ids < plan->batch)
		return arguments_misuse(arguments, "--upsert-ids must be --batch at least: an id "
						   "stands in a batch once");
	if (plan->mode == LOAD_PAGES && plan->depth <= plan->skip)
		return arguments_misuse(arguments, "--depth must be above --skip");
	if (plan->mode != LOAD_OVERLOAD && arguments_has(arguments, "rounds"))
		return arguments_misuse(arguments, "--rounds goes with --overload");
	if (plan->connections * plan->streams > LOAD_IN_FLIGHT_MAX)
		return arguments_misuse(arguments, "at most %d calls at once in one process",
					LOAD_IN_FLIGHT_MAX);
	return status_ok();
}

/* What tells one run from another, and parts of one run not. */
static void title_print(struct load_plan *plan)
{
	static const char *const modes[] = {"closed loop", "open loop",
					    "open loop up to saturation", "overload",
					    "pages of open cursors"};
	char mix[96] = "", accuracy[32] = "its own accuracy";
	size_t used = 0;

	for (size_t i = 0; i < LOAD_KINDS; i++)
		if (plan->weights[i] > 0)
			used += (size_t)snprintf(mix + used, sizeof mix - used, "%s%s=%g",
						 used ? "," : "", load_kind_name((enum load_kind)i),
						 plan->weights[i]);
	if (plan->exact || plan->recall > 0)
		snprintf(accuracy, sizeof accuracy, plan->exact ? "exact" : "recall %g",
			 plan->recall);
	snprintf(plan->title, sizeof plan->title, "%.63s: %s, %s, %s, %llu hits%s",
		 plan->collection, modes[plan->mode], plan->mode == LOAD_PAGES ? "iterate" : mix,
		 accuracy, (unsigned long long)plan->limit, plan->ids_only ? ", ids only" : "");
}

status load_plan_read(struct cli *cli, struct load_plan *ret)
{
	struct load_plan plan = {
		.cli = cli,
		.collection = cli_name(cli, 0),
		.connections = 1,
		.seconds = 10,
		.warmup_seconds = 1,
		.seed = 1,
		.shards = 1,
		.rounds = 3,
		.limit = 10,
		.page = 10,
		.depth = 100,
		.batch = 16,
		.upsert_ids = 10000,
		.text_bytes = 500,
	};

	TRY(shard_read(&plan, arguments_value(cli->arguments, "shard")));
	TRY(mix_read(&plan, arguments_value(cli->arguments, "mix")));
	TRY(mode_read(&plan));
	TRY(sizes_read(&plan));
	title_print(&plan);
	*ret = plan;
	return status_ok();
}
