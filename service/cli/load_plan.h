/* load_plan - what a run of the load harness is to do, as its options say. */
#ifndef SLUICE_SERVICE_CLI_LOAD_PLAN_H
#define SLUICE_SERVICE_CLI_LOAD_PLAN_H

#include "service/cli/commands.h"
#include "service/cli/load_stats.h"

#include <sys/types.h>

#define LOAD_CONNECTIONS_MAX 1024
#define LOAD_STREAMS_MAX 10000
#define LOAD_IN_FLIGHT_MAX 100000

enum load_mode {
	LOAD_CLOSED,   /* a new call for each that ends */
	LOAD_OPEN,     /* at the rates */
	LOAD_AUTO,     /* at rates up to what a closed loop reaches */
	LOAD_OVERLOAD, /* at that, twice and three times it */
	LOAD_PAGES,    /* the next hits of cursors that are open already */
};

struct load_plan {
	struct cli *cli;
	char *collection; /* as protobuf-c takes it */
	enum load_mode mode;
	double rates[LOAD_STEPS_MAX]; /* [n_rates] of this process, its share of the whole */
	size_t n_rates;
	double weights[LOAD_KINDS];
	uint64_t connections, streams; /* streams a connection */
	double seconds, warmup_seconds;
	int64_t deadline_ns;
	uint64_t seed, shard, shards; /* shard  from 0 */
	pid_t pid;                    /* 0: not given */
	uint64_t rounds;              /* of an overload */
	uint64_t limit, page, depth, skip, batch, upsert_ids, text_bytes;
	double recall; /* 0: the collection's own accuracy */
	bool exact, ids_only;
	char title[200];
};

#define LOAD_PLAN_OPTIONS                                                                          \
	{"queries", OPTION_VALUE, "Q.npy  vectors, one query a row, taken in turn"},               \
		{"rate", OPTION_VALUE,                                                             \
		 "N  calls a second, at random times; without: a closed loop"},                    \
		{"rates", OPTION_VALUE, "N,N,...  one after the other; auto: up to saturation"},   \
		{"overload", OPTION_FLAG,                                                          \
		 "  finds the saturating rate, then offers 1, 2, 3 times it"},                     \
		{"rounds", OPTION_VALUE,                                                           \
		 "N  with overload: measures all of that N times, in turn, for medians (3)"},      \
		{"connections", OPTION_VALUE, "N  (1; with overload 16)"},                         \
		{"streams", OPTION_VALUE,                                                          \
		 "N  calls at once on each (1; with rates at most, 1000)"},                        \
		{"seconds", OPTION_VALUE, "N  of each step (10)"},                                 \
		{"warmup", OPTION_VALUE, "N  seconds before each, not counted (1)"},               \
		{"deadline-ms", OPTION_VALUE, "N  of a call, from when it was to begin (10000)"},  \
		{"mix", OPTION_VALUE, "M  search=8,iterate=1,upsert=1: weights (search=1)"},       \
		{"limit", OPTION_VALUE, "N  hits of a search (10)"},                               \
		{"exact", OPTION_FLAG, "  the true nearest, proven"},                              \
		{"recall", OPTION_VALUE, "R  the share of the true nearest wanted, 0.5 to 0.999"}, \
		{"filter", OPTION_VALUE, "F  as of search"},                                       \
		{"ids-only", OPTION_FLAG, "  asks for ids alone, without texts"},                  \
		{"page", OPTION_VALUE, "N  hits of each grant of an iterate (10)"},                \
		{"depth", OPTION_VALUE, "N  hits of an iterate (100)"},                            \
		{"skip", OPTION_VALUE,                                                             \
		 "N  opens iterates, reads N hits; then measures pages to --depth"},               \
		{"batch", OPTION_VALUE, "N  chunks of an upsert (16)"},                            \
		{"upsert-ids", OPTION_VALUE, "N  chunks that upserts write in turn (10000)"},      \
		{"text-bytes", OPTION_VALUE, "N  of each of them (500)"},                          \
		{"pid", OPTION_VALUE, "N  the server's process, here: its CPU time and memory"},   \
		{"seed", OPTION_VALUE, "N  of the random times (1)"},                              \
		{"shard", OPTION_VALUE, "I/N  one of N processes: a share of the rates"}

/* load_plan_read - Fails: INVALID_ARGUMENT, a misuse */
status load_plan_read(struct cli *cli, struct load_plan *ret);

#endif
