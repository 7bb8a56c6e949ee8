/* chunks - get, list, export, count and delete: whole chunks by id, or all of them. */
#include "service/cli/commands.h"
#include "service/cli/filter_option.h"
#include "service/cli/jsonl.h"
#include "service/cli/methods.h"
#include "service/cli/npy.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

/* What one request may name. */
#define GET_IDS_MAX 1000
#define DELETE_IDS_MAX 10000

static char *all_paths[] = {
	(char *)"id",          (char *)"document_id", (char *)"ordinal", (char *)"text",
	(char *)"token_count", (char *)"metadata",    (char *)"vector",
};

/* NULL is the server's default: all but the vector. */
static Google__Protobuf__FieldMask *mask_with_vector(Google__Protobuf__FieldMask *mask)
{
	google__protobuf__field_mask__init(mask);
	mask->paths = all_paths;
	mask->n_paths = sizeof all_paths / sizeof *all_paths;
	return mask;
}

/* Prints each chunk as a line; with a writer the vectors go there. */
static status chunks_print(Sluice__V1__Chunk *const *chunks, size_t n, struct buffer *line,
			   struct npy_writer *writer, uint32_t dimension)
{
	for (size_t i = 0; i < n; i++) {
		Sluice__V1__Chunk chunk = *chunks[i];

		if (writer) {
			if (!chunk.vector || chunk.vector->n_values != dimension)
				return status_make(STATUS_INTERNAL,
						   "the server sent a vector of another dimension");
			TRY(npy_writer_append(writer, chunk.vector->values));
			chunk.vector = NULL;
		}
		line->size = 0;
		jsonl_write(line, &chunk);
		buffer_append_u8(line, '\n');
		if (line->failed)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a line");
		if (fwrite(line->data, 1, line->size, stdout) != line->size)
			return cli_flush();
	}
	return status_ok();
}

/* What get has asked for and not found. */
struct missing {
	struct buffer ids; /* "a, b" */
	uint64_t n;
};

static status get_some(struct cli *cli, size_t first, size_t n, struct missing *missing)
{
	Sluice__V1__GetChunksRequest request = SLUICE__V1__GET_CHUNKS_REQUEST__INIT;
	Google__Protobuf__FieldMask mask;
	SCOPED(client_call) call = NULL;
	SCOPED(answer) answer = NULL;
	struct buffer memory = {0};
	SCOPED(buffer) line = &memory;

	request.collection = cli_name(cli, 0);
	request.ids = (char **)(uintptr_t)&cli->arguments->names[first];
	request.n_ids = n;
	if (arguments_has(cli->arguments, "vector"))
		request.read_mask = mask_with_vector(&mask);
	TRY(client_call_open_with(cli->client, &method_get_chunks, &request.base, &call));
	for (;;) {
		const Sluice__V1__GetChunksResponse *page;

		TRY(cli_receive(call, &answer));
		if (!answer)
			return status_ok();
		page = (const Sluice__V1__GetChunksResponse *)answer;
		TRY(chunks_print(page->chunks, page->n_chunks, line, NULL, 0));
		for (size_t i = 0; i < page->n_missing_ids; i++) {
			buffer_append(&missing->ids, ", ", missing->n++ ? 2 : 0);
			buffer_append(&missing->ids, page->missing_ids[i],
				      strlen(page->missing_ids[i]));
		}
	}
}

static status get_run(struct cli *cli)
{
	struct missing missing = {0};
	SCOPED(buffer) ids = &missing.ids;
	size_t n = cli->arguments->n_names;

	for (size_t first = 1; first < n; first += GET_IDS_MAX)
		TRY(get_some(cli, first, n - first < GET_IDS_MAX ? n - first : GET_IDS_MAX,
			     &missing));
	if (missing.n == 0)
		return status_ok();
	return status_format(cli->arena, STATUS_NOT_FOUND, "%s has no chunk %.*s", cli_name(cli, 0),
			     (int)(ids->size < 2000 ? ids->size : 2000), (const char *)ids->data);
}

static const struct option get_options[] = {
	{"vector", OPTION_FLAG, "  with the vectors"},
};

const struct command get_command = {
	.name = "get",
	.usage = "NAME ID... [--vector]",
	.summary = "print chunks by id, as JSON lines",
	.options = OPTION_LIST(get_options),
	.names_min = 2,
	.names_max = SIZE_MAX,
	.run = get_run,
};

static status list_all(struct cli *cli, const Sluice__V1__ListChunksRequest *request,
		       struct npy_writer *writer, uint32_t dimension)
{
	SCOPED(client_call) call = NULL;
	SCOPED(answer) answer = NULL;
	struct buffer memory = {0};
	SCOPED(buffer) line = &memory;

	TRY(client_call_open_with(cli->client, &method_list_chunks, &request->base, &call));
	for (;;) {
		const Sluice__V1__ListChunksResponse *page;

		TRY(cli_receive(call, &answer));
		if (!answer)
			return status_ok();
		page = (const Sluice__V1__ListChunksResponse *)answer;
		TRY(chunks_print(page->chunks, page->n_chunks, line, writer, dimension));
	}
}

static status list_run(struct cli *cli)
{
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Google__Protobuf__FieldMask mask;

	request.collection = cli_name(cli, 0);
	if (arguments_has(cli->arguments, "limit")) {
		request._limit_case = SLUICE__V1__LIST_CHUNKS_REQUEST___LIMIT_LIMIT;
		TRY(arguments_u64(cli->arguments, "limit", 1, UINT64_MAX, &request.limit));
	}
	if (arguments_has(cli->arguments, "vector"))
		request.read_mask = mask_with_vector(&mask);
	TRY(filter_option_read(cli, &request.filter));
	return list_all(cli, &request, NULL, 0);
}

static const struct option list_options[] = {
	FILTER_OPTION,
	{"limit", OPTION_VALUE, "N  chunks at most (all)"},
	{"vector", OPTION_FLAG, "  with the vectors"},
};

const struct command list_command = {
	.name = "list",
	.usage = "NAME [--filter F] [--limit N] [--vector]",
	.summary = "print the chunks of a collection in the order of writing, as JSON lines",
	.details = FILTER_WORDS_HELP,
	.options = OPTION_LIST(list_options),
	.names_min = 1,
	.names_max = 1,
	.run = list_run,
};

static status dimension_ask(struct cli *cli, uint32_t *ret)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	SCOPED(answer) answer = NULL;
	const Sluice__V1__GetCollectionResponse *response;

	request.name = cli_name(cli, 0);
	TRY(cli_ask(cli, &method_get_collection, &request.base, &answer));
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	*ret = response->collection ? response->collection->dimension : 0;
	return status_ok();
}

static status export_run(struct cli *cli)
{
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Google__Protobuf__FieldMask mask;
	const char *path = arguments_value(cli->arguments, "vectors");
	SCOPED(npy_writer) writer = NULL;
	uint32_t dimension = 0;

	request.collection = cli_name(cli, 0);
	request.read_mask = mask_with_vector(&mask);
	if (path) {
		TRY(dimension_ask(cli, &dimension));
		TRY(npy_writer_open(cli->arena, path, dimension, &writer));
	}
	TRY(list_all(cli, &request, writer, dimension));
	return writer ? npy_writer_finish(writer) : status_ok();
}

static const struct option export_options[] = {
	{"vectors", OPTION_VALUE, "FILE.npy  writes the vectors there, as float32"},
};

const struct command export_command = {
	.name = "export",
	.usage = "NAME [--vectors FILE.npy]",
	.summary = "write a collection as JSON lines that import takes back",
	.details = "Vectors of a collection with the metric cosine come at unit length.",
	.options = OPTION_LIST(export_options),
	.names_min = 1,
	.names_max = 1,
	.run = export_run,
};

static status count_run(struct cli *cli)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	SCOPED(answer) answer = NULL;

	request.collection = cli_name(cli, 0);
	TRY(filter_option_read(cli, &request.filter));
	TRY(cli_ask(cli, &method_count_chunks, &request.base, &answer));
	printf("%llu\n",
	       (unsigned long long)((const Sluice__V1__CountChunksResponse *)answer)->count);
	return status_ok();
}

static const struct option count_options[] = {
	FILTER_OPTION,
};

const struct command count_command = {
	.name = "count",
	.usage = "NAME [--filter F]",
	.summary = "print how many chunks a collection has, or how many of them pass a filter",
	.details = FILTER_WORDS_HELP,
	.options = OPTION_LIST(count_options),
	.names_min = 1,
	.names_max = 1,
	.run = count_run,
};

static status delete_some(struct cli *cli, const Sluice__V1__DeleteChunksRequest *request,
			  uint64_t *deleted)
{
	SCOPED(answer) answer = NULL;

	TRY(cli_ask(cli, &method_delete_chunks, &request->base, &answer));
	*deleted += ((const Sluice__V1__DeleteChunksResponse *)answer)->deleted;
	return status_ok();
}

static status delete_matching(struct cli *cli, uint64_t *deleted)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;

	request.collection = cli_name(cli, 0);
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_FILTER;
	TRY(filter_option_read(cli, &request.filter));
	return delete_some(cli, &request, deleted);
}

static status delete_by_id(struct cli *cli, uint64_t *deleted)
{
	size_t n = cli->arguments->n_names;

	for (size_t first = 1; first < n; first += DELETE_IDS_MAX) {
		Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
		Sluice__V1__ChunkIds ids = SLUICE__V1__CHUNK_IDS__INIT;

		ids.ids = (char **)(uintptr_t)&cli->arguments->names[first];
		ids.n_ids = n - first < DELETE_IDS_MAX ? n - first : DELETE_IDS_MAX;
		request.collection = cli_name(cli, 0);
		request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
		request.ids = &ids;
		TRY(delete_some(cli, &request, deleted));
	}
	return status_ok();
}

static status delete_run(struct cli *cli)
{
	bool matching = arguments_has(cli->arguments, "filter");
	uint64_t deleted = 0;

	if (matching == (cli->arguments->n_names > 1))
		return arguments_misuse(cli->arguments,
					"delete needs ids or --filter, and not both");
	TRY(matching ? delete_matching(cli, &deleted) : delete_by_id(cli, &deleted));
	printf("%llu\n", (unsigned long long)deleted);
	return status_ok();
}

static const struct option delete_options[] = {
	FILTER_OPTION,
};

const struct command delete_command = {
	.name = "delete",
	.usage = "NAME (ID... | --filter F)",
	.summary = "remove chunks by id or by a filter, and print how many there were",
	.details = FILTER_WORDS_HELP,
	.options = OPTION_LIST(delete_options),
	.names_min = 1,
	.names_max = SIZE_MAX,
	.run = delete_run,
};
