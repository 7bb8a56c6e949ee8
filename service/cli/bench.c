/* bench - measures a server from outside: recall and latency against known answers. */
#include "kernels/base/deadline.h"
#include "service/cli/bench_gpu.h"
#include "service/cli/commands.h"
#include "service/cli/jsonl.h"
#include "service/cli/lines.h"
#include "service/cli/methods.h"
#include "service/cli/npy.h"
#include "service/cli/recall.h"
#include "service/cli/row_map.h"
#include "service/cli/words.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <stdlib.h>

#define IN_FLIGHT_MAX 256
#define K_MAX 1000

struct bench {
	struct cli *cli;
	struct npy *queries, *truth_ids, *truth_scores;
	struct row_map rows;
	uint64_t k, in_flight;
	double recall; /* 0: exact */
	int32_t *true_rows;
	float *true_scores; /* NULL without --truth-scores */
	int64_t *latencies_ns;
	uint64_t n_done, found, wanted, in_order, received_bytes;
	uint64_t scanned, reranked, approximate; /* as the summaries say */
};

/* One search under way. */
struct flight {
	uint64_t query;
	int64_t start_ns;
	uint32_t *rows; /* [k] */
	size_t n_rows;
};

static int compare_ns(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static status rows_from_file(struct bench *bench, const char *path)
{
	struct arena memory, *arena = bench->cli->arena;
	SCOPED(arena) line_arena = &memory;
	SCOPED(lines) lines = NULL;
	enum lines_step step;
	struct bytes line;

	arena_init(line_arena, (size_t)64 << 20);
	TRY(lines_open(arena, path, &lines));
	while ((step = lines_next(lines, &line)) == LINES_LINE) {
		Sluice__V1__Chunk chunk;
		status read;

		arena_reset(line_arena);
		read = jsonl_read(line_arena, line, &chunk);
		if (status_failed(read))
			return lines_complain(lines, read);
		TRY(row_map_add(&bench->rows, arena, chunk.id));
	}
	return step == LINES_FAIL ? lines_failure(lines) : status_ok();
}

/* The order of writing, which is that of the file if it was imported once. */
static status rows_from_server(struct bench *bench)
{
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)"id"};
	SCOPED(client_call) call = NULL;
	SCOPED(answer) answer = NULL;

	mask.paths = paths;
	mask.n_paths = 1;
	request.collection = cli_name(bench->cli, 1);
	request.read_mask = &mask;
	TRY(client_call_open_with(bench->cli->client, &method_list_chunks, &request.base, &call));
	for (;;) {
		const Sluice__V1__ListChunksResponse *page;

		TRY(cli_receive(call, &answer));
		if (!answer)
			return status_ok();
		page = (const Sluice__V1__ListChunksResponse *)answer;
		for (size_t i = 0; i < page->n_chunks; i++)
			TRY(row_map_add(&bench->rows, bench->cli->arena, page->chunks[i]->id));
	}
}

static status flight_start(struct bench *bench, struct flight *flight, uint64_t query,
			   struct client_call **ret)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__Exact exact = SLUICE__V1__EXACT__INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)"id"};
	float values[8192];

	TRY(npy_read_floats(bench->queries, query, values));
	vector.values = values;
	vector.n_values = npy_header_of(bench->queries)->columns;
	mask.paths = paths;
	mask.n_paths = 1;
	accuracy.kind_case = bench->recall > 0 ? SLUICE__V1__ACCURACY__KIND_RECALL_TARGET
					       : SLUICE__V1__ACCURACY__KIND_EXACT;
	if (bench->recall > 0)
		accuracy.recall_target = (float)bench->recall;
	else
		accuracy.exact = &exact;
	request.collection = cli_name(bench->cli, 1);
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = &vector;
	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = bench->k;
	request.accuracy = &accuracy;
	request.read_mask = arguments_has(bench->cli->arguments, "ids-only") ? &mask : NULL;
	flight->query = query;
	flight->n_rows = 0;
	flight->start_ns = clock_ns();
	TRY(client_call_open_with(bench->cli->client, &method_search, &request.base, ret));
	client_call_receive_start(*ret);
	return status_ok();
}

static status flight_land(struct bench *bench, const struct flight *flight)
{
	struct truth truth = {
		.rows = bench->true_rows,
		.scores = bench->true_scores,
		.n = npy_header_of(bench->truth_ids)->columns,
	};

	bench->latencies_ns[bench->n_done++] = clock_ns() - flight->start_ns;
	TRY(npy_read_integers(bench->truth_ids, flight->query, bench->true_rows));
	if (bench->true_scores)
		TRY(npy_read_floats(bench->truth_scores, flight->query, bench->true_scores));
	bench->found += recall_found(&truth, bench->k, flight->rows, flight->n_rows);
	bench->in_order += recall_in_order(&truth, bench->k, flight->rows, flight->n_rows);
	bench->wanted += bench->k;
	return status_ok();
}

static void add_summary(struct bench *bench, const Sluice__V1__Summary *summary)
{
	bench->scanned += summary->scanned;
	bench->reranked += summary->reranked;
	bench->approximate += summary->guarantee == SLUICE__V1__GUARANTEE__GUARANTEE_APPROXIMATE;
}

/* Takes one answer; *ret_ended  it was the end. */
static status flight_turn(struct bench *bench, struct flight *flight, struct client_call *call,
			  bool *ret_ended)
{
	SCOPED(answer) answer = NULL;
	const Sluice__V1__SearchResponse *page;

	TRY(cli_receive(call, &answer));
	*ret_ended = !answer;
	if (!answer) {
		bench->received_bytes += client_call_received_bytes(call);
		return flight_land(bench, flight);
	}
	page = (const Sluice__V1__SearchResponse *)answer;
	if (page->summary)
		add_summary(bench, page->summary);
	for (size_t i = 0; i < page->n_hits && flight->n_rows < bench->k; i++)
		flight->rows[flight->n_rows++] =
			page->hits[i]->chunk ? row_map_find(&bench->rows, page->hits[i]->chunk->id)
					     : ROW_NONE;
	client_call_receive_start(call);
	return status_ok();
}

static status flights_run(struct bench *bench, struct flight *flights, struct client_call **calls)
{
	uint64_t n = npy_header_of(bench->queries)->rows, next = 0;

	while (next < n && next < bench->in_flight) {
		TRY(flight_start(bench, &flights[next], next, &calls[next]));
		next++;
	}
	while (bench->n_done < n) {
		size_t i = client_wait_any(bench->cli->client, calls, bench->in_flight);
		bool ended;

		TRY(flight_turn(bench, &flights[i], calls[i], &ended));
		if (!ended)
			continue;
		client_call_close(TAKE(calls[i]));
		if (next < n)
			TRY(flight_start(bench, &flights[i], next++, &calls[i]));
	}
	return status_ok();
}

static status bench_print(struct bench *bench, double seconds)
{
	uint64_t n = bench->n_done;
	const int64_t *sorted = bench->latencies_ns;

	qsort(bench->latencies_ns, n, sizeof *bench->latencies_ns, compare_ns);
	printf("recall@%llu         %.6f\n", (unsigned long long)bench->k,
	       (double)bench->found / (double)bench->wanted);
	printf("in true order     %s of %s queries\n", count_format(bench->in_order).text,
	       count_format(n).text);
	printf("rows read         %s a query, %.1f scored exactly; approximate: %s queries\n",
	       count_format(bench->scanned / n).text, (double)bench->reranked / (double)n,
	       count_format(bench->approximate).text);
	printf("queries a second  %.1f, %llu in flight\n", (double)n / seconds,
	       (unsigned long long)bench->in_flight);
	printf("latency           p50 %.3f ms, p99 %.3f ms\n", (double)sorted[n / 2] * 1e-6,
	       (double)sorted[n * 99 / 100] * 1e-6);
	printf("received          %s bytes\n", count_format(bench->received_bytes).text);
	return status_ok();
}

static status bench_search(struct bench *bench)
{
	struct arena *arena = bench->cli->arena;
	struct flight *flights = ARENA_ARRAY(arena, struct flight, bench->in_flight);
	struct client_call **calls = ARENA_ARRAY(arena, struct client_call *, bench->in_flight);
	uint32_t *rows = ARENA_ARRAY(arena, uint32_t, bench->in_flight * bench->k);
	int64_t start_ns;
	status run;

	if (!flights || !calls || !rows)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for searches");
	for (uint64_t i = 0; i < bench->in_flight; i++)
		flights[i].rows = rows + i * bench->k;
	start_ns = clock_ns();
	run = flights_run(bench, flights, calls);
	for (uint64_t i = 0; i < bench->in_flight; i++)
		client_call_close(calls[i]);
	TRY(run);
	return bench_print(bench, (double)(clock_ns() - start_ns) * 1e-9);
}

static status bench_files(struct bench *bench)
{
	struct arguments *arguments = bench->cli->arguments;
	struct arena *arena = bench->cli->arena;
	const char *scores = arguments_value(arguments, "truth-scores");
	const struct npy_header *queries, *truth;

	if (!arguments_has(arguments, "queries") || !arguments_has(arguments, "truth"))
		return arguments_misuse(arguments, "bench recall needs --queries and --truth");
	TRY(npy_open_vectors(arena, arguments_value(arguments, "queries"), &bench->queries));
	TRY(npy_open(arena, arguments_value(arguments, "truth"), &bench->truth_ids));
	if (scores)
		TRY(npy_open(arena, scores, &bench->truth_scores));
	queries = npy_header_of(bench->queries);
	truth = npy_header_of(bench->truth_ids);
	if (queries->rows == 0 || queries->columns > 8192)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "there must be queries, of at most 8192 numbers");
	if (truth->rows != queries->rows ||
	    (scores && (npy_header_of(bench->truth_scores)->rows != truth->rows ||
			npy_header_of(bench->truth_scores)->columns != truth->columns)))
		return status_make(STATUS_INVALID_ARGUMENT,
				   "queries, truth and its scores do not have the same rows");
	if (truth->columns < bench->k)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "the truth has %u rows a query, fewer than --k",
				     truth->columns);
	bench->latencies_ns = ARENA_ARRAY(arena, int64_t, queries->rows);
	bench->true_rows = ARENA_ARRAY(arena, int32_t, truth->columns);
	bench->true_scores = scores ? ARENA_ARRAY(arena, float, truth->columns) : NULL;
	if (!bench->latencies_ns || !bench->true_rows || (scores && !bench->true_scores))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for answers");
	return status_ok();
}

static void bench_finish(struct bench *bench)
{
	npy_close(bench->queries);
	npy_close(bench->truth_ids);
	npy_close(bench->truth_scores);
	row_map_finish(&bench->rows);
}

SCOPE_DEFINE(bench, bench_finish)

static status bench_run(struct cli *cli)
{
	struct arguments *arguments = cli->arguments;
	struct bench memory = {.cli = cli, .k = 10, .in_flight = 1};
	SCOPED(bench) bench = &memory;
	const char *ids = arguments_value(arguments, "ids");

	if (strcmp(cli_name(cli, 0), "gpu") == 0 && arguments->n_names == 1)
		return bench_gpu(cli);
	if (strcmp(cli_name(cli, 0), "recall") != 0 || arguments->n_names != 2)
		return arguments_misuse(arguments, "usage: sluice bench %s", bench_command.usage);
	if (arguments_has(arguments, "exact") && arguments_has(arguments, "recall"))
		return arguments_misuse(arguments, "--exact and --recall exclude each other");
	TRY(arguments_u64(arguments, "k", 1, K_MAX, &bench->k));
	TRY(arguments_u64(arguments, "in-flight", 1, IN_FLIGHT_MAX, &bench->in_flight));
	TRY(arguments_number(arguments, "recall", 0.5, 0.999, &bench->recall));
	TRY(bench_files(bench));
	TRY(ids ? rows_from_file(bench, ids) : rows_from_server(bench));
	return bench_search(bench);
}

static const struct option bench_options[] = {
	{"queries", OPTION_VALUE, "Q.npy  vectors, one query a row"},
	{"truth", OPTION_VALUE, "IDS.npy  int32, the rows nearest to each query, best first"},
	{"truth-scores", OPTION_VALUE, "S.npy  their scores: rows within 3e-7 may change places"},
	{"ids", OPTION_VALUE, "F.jsonl  row i is the chunk of line i (the order of writing)"},
	{"k", OPTION_VALUE, "N  hits asked for (10)"},
	{"exact", OPTION_FLAG, "  the true nearest, proven: as without --recall"},
	{"recall", OPTION_VALUE, "R  the share of the true nearest wanted, 0.5 to 0.999"},
	{"in-flight", OPTION_VALUE, "N  searches open at once, up to 256 (1)"},
	{"ids-only", OPTION_FLAG, "  asks for ids alone, without texts"},
	{"mib", OPTION_VALUE, "N  gpu: codes to scan, up to 4096 (256; in software 8)"},
	{"threads", OPTION_VALUE,
	 "N  gpu: threads that ask at once, up to 256 (32; in software 8)"},
	{"software", OPTION_FLAG, "  gpu: Vulkan on the CPU instead of a GPU"},
	{"json", OPTION_FLAG, "  gpu: one object instead of a table"},
};

const struct command bench_command = {
	.name = "bench",
	.usage = "load ... (see bench load --help); recall NAME --queries Q.npy --truth IDS.npy "
		 "[--truth-scores S.npy] "
		 "[--ids F.jsonl] [--k N] [--exact | --recall R] [--in-flight N]; "
		 "gpu [--mib N] [--threads N] [--software] [--json]",
	.summary = "measure recall and latency against known answers",
	.details =
		"Prints recall@k, how many queries came back in the true order, the rows whose\n"
		"codes were read, queries a second, the latency from request to end of stream,\n"
		"and the bytes received.\n"
		"gpu measures a GPU of this machine beside a copy of the same bytes on it, ratios\n"
		"first; no server is asked.",
	.options = OPTION_LIST(bench_options),
	.names_min = 1,
	.names_max = 2,
	.run = bench_run,
};
