/* collections - create, drop and the table of collections. */
#include "service/cli/commands.h"
#include "service/cli/methods.h"
#include "service/cli/words.h"

static status create_fields(struct cli *cli, Sluice__V1__Collection *collection)
{
	struct arguments *arguments = cli->arguments;
	size_t n = arguments->n_given;
	Sluice__V1__FieldSchema **list = ARENA_ARRAY(cli->arena, Sluice__V1__FieldSchema *, n);

	if (!list)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for fields");
	collection->fields = list;
	for (size_t i = 0; i < n; i++) {
		Sluice__V1__FieldSchema *field;

		if (strcmp(arguments->given[i].option->name, "field") != 0)
			continue;
		field = ARENA_NEW(cli->arena, Sluice__V1__FieldSchema);
		if (!field)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for fields");
		sluice__v1__field_schema__init(field);
		TRY(field_read(arguments, arguments->given[i].value, field));
		list[collection->n_fields++] = field;
	}
	return status_ok();
}

static status create_run(struct cli *cli)
{
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;
	const char *metric = arguments_value(cli->arguments, "metric");
	const char *kind = arguments_value(cli->arguments, "index");
	const char *encoding = arguments_value(cli->arguments, "encoding");
	SCOPED(answer) answer = NULL;
	uint64_t dimension = 0;

	if (!arguments_has(cli->arguments, "dimension"))
		return arguments_misuse(cli->arguments, "create needs --dimension");
	TRY(arguments_u64(cli->arguments, "dimension", 1, 8192, &dimension));
	TRY(metric_read(cli->arguments, metric ? metric : "cosine", &collection.metric));
	if (kind)
		TRY(index_read(cli->arguments, kind, &index));
	if (encoding)
		TRY(encoding_read(cli->arguments, encoding, &index.encoding));
	TRY(create_fields(cli, &collection));
	collection.name = cli_name(cli, 0);
	collection.dimension = (uint32_t)dimension;
	collection.index = kind || encoding ? &index : NULL;
	request.collection = &collection;
	TRY(cli_ask(cli, &method_create_collection, &request.base, &answer));
	printf("created %s: dimension %u, metric %s\n", collection.name, collection.dimension,
	       metric_word(collection.metric));
	return status_ok();
}

static const struct option create_options[] = {
	{"dimension", OPTION_VALUE, "N  numbers in a vector, 1 to 8192"},
	{"metric", OPTION_VALUE, "M  cosine, ip or l2 (cosine)"},
	{"index", OPTION_VALUE, "KIND  flat, ivf or faiss:FACTORY (flat while small, then ivf)"},
	{"encoding", OPTION_VALUE, "E  how vectors are kept: float32, or float16 in half the room"},
	{"field", OPTION_REPEATED, "name:type  declares a metadata field, once for each"},
};

const struct command create_command = {
	.name = "create",
	.usage = "NAME --dimension N [--metric M] [--index KIND] "
		 "[--encoding E] [--field name:type]...",
	.summary = "make a collection",
	.details = "The types of fields are string, int, double, bool and string_list.",
	.options = OPTION_LIST(create_options),
	.names_min = 1,
	.names_max = 1,
	.run = create_run,
};

static status drop_run(struct cli *cli)
{
	Sluice__V1__DeleteCollectionRequest request = SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;
	SCOPED(answer) answer = NULL;

	request.name = cli_name(cli, 0);
	TRY(cli_ask(cli, &method_delete_collection, &request.base, &answer));
	printf("dropped %s\n", request.name);
	return status_ok();
}

const struct command drop_command = {
	.name = "drop",
	.usage = "NAME",
	.summary = "remove a collection and all that is in it",
	.names_min = 1,
	.names_max = 1,
	.run = drop_run,
};

/* One that is dropped while the table is made has no row in it. */
static status collections_row(struct cli *cli, const Sluice__V1__Collection *collection)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	SCOPED(answer) answer = NULL;
	const Sluice__V1__GetCollectionResponse *response;
	status asked;

	request.name = collection->name;
	asked = cli_ask(cli, &method_get_collection, &request.base, &answer);
	if (asked.code == STATUS_NOT_FOUND)
		return status_ok();
	TRY(asked);
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	printf("%-24s %9u  %-7s %-12s %12s\n", collection->name, collection->dimension,
	       metric_word(collection->metric), index_word(cli->arena, collection->index),
	       count_format(response->status ? response->status->chunk_count : 0).text);
	return status_ok();
}

static status collections_run(struct cli *cli)
{
	Sluice__V1__ListCollectionsRequest request = SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;

	printf("%-24s %9s  %-7s %-12s %12s\n", "name", "dimension", "metric", "index", "chunks");
	do {
		SCOPED(answer) answer = NULL;
		const Sluice__V1__ListCollectionsResponse *page;

		TRY(cli_ask(cli, &method_list_collections, &request.base, &answer));
		page = (const Sluice__V1__ListCollectionsResponse *)answer;
		for (size_t i = 0; i < page->n_collections; i++)
			TRY(collections_row(cli, page->collections[i]));
		request.page_token = arena_copy(cli->arena, page->next_page_token,
						strlen(page->next_page_token));
		if (!request.page_token)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a page token");
	} while (request.page_token[0]);
	return status_ok();
}

const struct command collections_command = {
	.name = "collections",
	.usage = "",
	.summary = "list the collections",
	.run = collections_run,
};
