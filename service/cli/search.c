/* search - one Search, its hits printed message by message as they come. */
#include "service/cli/base64.h"
#include "service/cli/commands.h"
#include "service/cli/filter_option.h"
#include "service/cli/jsonl.h"
#include "service/cli/methods.h"
#include "service/cli/npy.h"
#include "service/cli/search_print.h"
#include "service/cli/way_on.h"

static status query_from_file(struct cli *cli, const char *path, Sluice__V1__Vector *ret)
{
	SCOPED(npy) npy = NULL;
	const struct npy_header *header;
	uint64_t row = 0;

	TRY(arguments_u64(cli->arguments, "row", 0, UINT64_MAX - 1, &row));
	TRY(npy_open_vectors(cli->arena, path, &npy));
	header = npy_header_of(npy);
	if (row >= header->rows)
		return status_format(cli->arena, STATUS_INVALID_ARGUMENT,
				     "%s has no row %llu: its %llu rows count from 0", path,
				     (unsigned long long)row, (unsigned long long)header->rows);
	ret->n_values = header->columns;
	ret->values = ARENA_ARRAY(cli->arena, float, header->columns);
	if (!ret->values)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	return npy_read_floats(npy, row, ret->values);
}

static status query_from_text(struct cli *cli, const char *text, Sluice__V1__Vector *ret)
{
	Sluice__V1__Vector *vector = NULL;
	status read = jsonl_read_vector(cli->arena, bytes_of_string(text), &vector);

	if (status_failed(read))
		return arguments_misuse(cli->arguments,
					"--vector must be a JSON array of numbers: %s",
					read.detail);
	*ret = *vector;
	return status_ok();
}

/* vector  the place for the query's vector, where it has one. */
static status query_read(struct cli *cli, Sluice__V1__SearchRequest *request,
			 Sluice__V1__Vector *vector)
{
	struct arguments *arguments = cli->arguments;
	const char *path = arguments_value(arguments, "vector-file");
	const char *text = arguments_value(arguments, "vector");
	const char *like = arguments_value(arguments, "like");

	if (!!path + !!text + !!like != 1)
		return arguments_misuse(arguments,
					"search needs one of --vector-file, --vector and --like");
	if (arguments_has(arguments, "row") && !path)
		return arguments_misuse(arguments, "--row goes with --vector-file");
	if (like) {
		request->query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID;
		request->chunk_id = (char *)(uintptr_t)like;
		return status_ok();
	}
	request->query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request->vector = vector;
	return path ? query_from_file(cli, path, vector) : query_from_text(cli, text, vector);
}

static status accuracy_read(struct cli *cli, Sluice__V1__SearchRequest *request,
			    Sluice__V1__Accuracy *accuracy, Sluice__V1__Exact *exact)
{
	double recall = 0;

	if (arguments_has(cli->arguments, "exact") && arguments_has(cli->arguments, "recall"))
		return arguments_misuse(cli->arguments, "--exact and --recall exclude each other");
	if (arguments_has(cli->arguments, "exact")) {
		accuracy->kind_case = SLUICE__V1__ACCURACY__KIND_EXACT;
		accuracy->exact = exact;
		request->accuracy = accuracy;
	} else if (arguments_has(cli->arguments, "recall")) {
		TRY(arguments_number(cli->arguments, "recall", 0.5, 0.999, &recall));
		accuracy->kind_case = SLUICE__V1__ACCURACY__KIND_RECALL_TARGET;
		accuracy->recall_target = (float)recall;
		request->accuracy = accuracy;
	}
	return status_ok();
}

static status bounds_read(struct cli *cli, Sluice__V1__SearchRequest *request)
{
	double min_score = 0;
	bool all = arguments_has(cli->arguments, "all");

	if (all && arguments_has(cli->arguments, "limit"))
		return arguments_misuse(cli->arguments, "--all and --limit exclude each other");
	if (all) {
		request->_limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
		request->limit = UINT64_MAX;
	}
	if (arguments_has(cli->arguments, "limit")) {
		request->_limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
		TRY(arguments_u64(cli->arguments, "limit", 1, UINT64_MAX, &request->limit));
	}
	if (arguments_has(cli->arguments, "min-score")) {
		TRY(arguments_number(cli->arguments, "min-score", -3e38, 3e38, &min_score));
		request->_min_score_case = SLUICE__V1__SEARCH_REQUEST___MIN_SCORE_MIN_SCORE;
		request->min_score = (float)min_score;
	}
	return status_ok();
}

/* "B,A", or "N" for both. */
static status neighbors_read(struct cli *cli, Sluice__V1__SearchRequest *request,
			     Sluice__V1__Neighbors *neighbors)
{
	const char *text = arguments_value(cli->arguments, "neighbors");
	unsigned before = 0, after = 0;
	int end = 0;

	if (!text)
		return status_ok();
	if (sscanf(text, "%2u%n", &before, &end) == 1 && !text[end])
		after = before;
	else if (sscanf(text, "%2u,%2u%n", &before, &after, &end) != 2 || text[end])
		before = 99;
	if (before > 16 || after > 16)
		return arguments_misuse(cli->arguments,
					"--neighbors must be B,A: so many before and after a hit, "
					"at most 16");
	neighbors->before = before;
	neighbors->after = after;
	request->neighbors = neighbors;
	return status_ok();
}

static status budget_read(struct cli *cli, Sluice__V1__SearchRequest *request,
			  Sluice__V1__Budget *budget)
{
	uint64_t tokens = 0;

	if (!arguments_has(cli->arguments, "max-tokens"))
		return status_ok();
	TRY(arguments_u64(cli->arguments, "max-tokens", 1, UINT32_MAX, &tokens));
	budget->_max_tokens_case = SLUICE__V1__BUDGET___MAX_TOKENS_MAX_TOKENS;
	budget->max_tokens = (uint32_t)tokens;
	request->budget = budget;
	return status_ok();
}

static status resume_read(struct cli *cli, Sluice__V1__SearchRequest *request, struct buffer *token)
{
	const char *text = arguments_value(cli->arguments, "resume");

	if (!text)
		return status_ok();
	if (!base64_decode(text, token) || token->size == 0)
		return arguments_misuse(cli->arguments, "--resume must be a token in base64, as a "
							"search prints it");
	request->resume_token = (ProtobufCBinaryData){token->size, token->data};
	return status_ok();
}

static struct bytes token_of(const Sluice__V1__SearchResponse *page)
{
	return bytes_of(page->resume_token.data, page->resume_token.len);
}

static status hits_print(struct cli *cli, const Sluice__V1__SearchRequest *request)
{
	struct search_print memory;
	SCOPED(search_print) print = &memory;
	SCOPED(client_call) call = NULL;
	SCOPED(answer) answer = NULL;

	search_print_init(print, arguments_has(cli->arguments, "json"),
			  arguments_has(cli->arguments, "text"));
	TRY(client_call_open_with(cli->client, &method_search, &request->base, &call));
	for (;;) {
		const Sluice__V1__SearchResponse *page;

		TRY(cli_receive(call, &answer));
		if (!answer)
			return status_ok();
		page = (const Sluice__V1__SearchResponse *)answer;
		for (size_t i = 0; i < page->n_hits; i++)
			TRY(search_print_hit(print, page->hits[i]));
		if (page->summary)
			TRY(search_print_summary(print, page->summary));
		/* Hits are shown as they arrive. */
		TRY(cli_flush());
		way_on_note(token_of(page));
	}
}

/* Whatever ends it before its time, what was printed is not lost. */
static status search_stream(struct cli *cli, const Sluice__V1__SearchRequest *request)
{
	status printed;

	way_on_note(bytes_of(request->resume_token.data, request->resume_token.len));
	way_on_watch();
	printed = hits_print(cli, request);
	if (status_failed(printed))
		way_on_say();
	return printed;
}

static status search_run(struct cli *cli)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__Exact exact = SLUICE__V1__EXACT__INIT;
	Sluice__V1__Neighbors neighbors = SLUICE__V1__NEIGHBORS__INIT;
	Sluice__V1__Budget budget = SLUICE__V1__BUDGET__INIT;
	SCOPED(buffer) token = &(struct buffer){0};

	request.collection = cli_name(cli, 0);
	TRY(query_read(cli, &request, &vector));
	TRY(accuracy_read(cli, &request, &accuracy, &exact));
	TRY(bounds_read(cli, &request));
	TRY(neighbors_read(cli, &request, &neighbors));
	TRY(budget_read(cli, &request, &budget));
	TRY(resume_read(cli, &request, token));
	TRY(filter_option_read(cli, &request.filter));
	return search_stream(cli, &request);
}

static const struct option search_options[] = {
	{"vector-file", OPTION_VALUE, "F.npy  the query is a row of this matrix"},
	{"row", OPTION_VALUE, "I  which row, from 0 (0)"},
	{"vector", OPTION_VALUE, "'[...]'  the query is this array of numbers"},
	{"like", OPTION_VALUE, "ID  the query is the vector of this chunk"},
	{"limit", OPTION_VALUE, "N  hits at most (10)"},
	{"all", OPTION_FLAG, "  no limit: all hits, to the end"},
	{"max-tokens", OPTION_VALUE, "N  stops where the texts would have more tokens"},
	{"neighbors", OPTION_VALUE, "B,A  so many chunks of its document before and after a hit"},
	{"resume", OPTION_VALUE, "TOKEN  goes on where a search broke off, with the same query"},
	{"exact", OPTION_FLAG, "  the true nearest, proven"},
	{"recall", OPTION_VALUE, "R  the share of the true nearest wanted, 0.5 to 0.999"},
	FILTER_OPTION,
	{"min-score", OPTION_VALUE, "S  stops at the first hit below this score"},
	{"text", OPTION_FLAG, "  the whole text under each hit"},
	{"json", OPTION_FLAG, "  one JSON object a hit, and the summary as the last one"},
};

const struct command search_command = {
	.name = "search",
	.usage = "NAME (--vector-file F.npy [--row I] | --vector '[...]' | --like ID) "
		 "[--limit N | --all] [--exact | --recall R] [--filter F] [--min-score S] "
		 "[--max-tokens N] [--neighbors B,A] [--resume TOKEN] [--text | --json]",
	.summary = "stream the chunks nearest to a query, best first",
	.details = "A line a hit: rank, score, id, and the title or the first line of the text.\n"
		   "The last line says why the stream ended and what it cost. A search that is\n"
		   "interrupted or fails says how to go on.\n" FILTER_WORDS_HELP,
	.options = OPTION_LIST(search_options),
	.names_min = 1,
	.names_max = 1,
	.run = search_run,
};
