/* import_target - asks for the collection, and looks into the chunks only as far as it must. */
#include "service/cli/import_target.h"

#include "service/cli/fields.h"
#include "service/cli/jsonl.h"
#include "service/cli/lines.h"
#include "service/cli/methods.h"
#include "service/cli/words.h"

#define LINES_LOOKED_AT 1000
#define LINE_ARENA_BYTES ((size_t)64 << 20)

/* What the first lines say. */
struct glance {
	struct fields fields;
	uint32_t dimension; /* of the first vector, 0 if there is none */
};

static status glance_at(struct cli *cli, struct lines *lines, uint64_t n_max, struct glance *glance)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	enum lines_step step = LINES_END;
	struct bytes line;

	arena_init(arena, LINE_ARENA_BYTES);
	for (uint64_t n = 0; n < n_max && (step = lines_next(lines, &line)) == LINES_LINE; n++) {
		Sluice__V1__Chunk chunk;
		status read;

		arena_reset(arena);
		read = jsonl_read(arena, line, &chunk);
		if (status_failed(read))
			return lines_complain(lines, read);
		TRY(fields_see(&glance->fields, cli->arena, &chunk));
		if (n == 0 && chunk.vector)
			glance->dimension = (uint32_t)chunk.vector->n_values;
	}
	return step == LINES_FAIL ? lines_failure(lines) : status_ok();
}

/* npy  NULL: the dimension is that of the first chunk. n_max  how many lines to look at. */
static status glance_take(struct cli *cli, const struct npy *npy, const char *path, uint64_t n_max,
			  struct glance *ret)
{
	SCOPED(lines) lines = NULL;

	TRY(lines_open(cli->arena, path, &lines));
	if (lines_size_bytes(lines) == 0)
		return status_format(cli->arena, STATUS_INVALID_ARGUMENT,
				     "%s must be a file that can be read twice, and not empty",
				     path);
	TRY(glance_at(cli, lines, n_max, ret));
	if (npy)
		ret->dimension = npy_header_of(npy)->columns;
	if (ret->dimension == 0)
		return status_format(
			cli->arena, STATUS_INVALID_ARGUMENT,
			"the first chunk of %s has no vector, and there is no --vectors", path);
	return status_ok();
}

static status target_make(struct cli *cli, const struct glance *glance, Sluice__V1__Metric metric)
{
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	SCOPED(answer) answer = NULL;

	collection.name = cli_name(cli, 0);
	collection.dimension = glance->dimension;
	collection.metric = metric;
	TRY(fields_declare(&glance->fields, cli->arena, &collection));
	request.collection = &collection;
	return cli_ask(cli, &method_create_collection, &request.base, &answer);
}

/* metric  what was asked for, METRIC_UNSPECIFIED: nothing. */
static status target_compare(struct cli *cli, const Sluice__V1__Collection *there,
			     uint32_t dimension, Sluice__V1__Metric metric)
{
	if (!there)
		return status_make(STATUS_INTERNAL, "the server did not describe the collection");
	if (dimension && there->dimension != dimension)
		return status_format(cli->arena, STATUS_FAILED_PRECONDITION,
				     "collection %s has dimension %u, but the vectors have %u",
				     there->name, there->dimension, dimension);
	if (metric && there->metric != metric)
		return status_format(cli->arena, STATUS_FAILED_PRECONDITION,
				     "collection %s has metric %s, not %s", there->name,
				     metric_word(there->metric), metric_word(metric));
	return status_ok();
}

status import_target(struct cli *cli, const struct npy *npy, const char *path,
		     uint32_t *ret_dimension)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	const char *word = arguments_value(cli->arguments, "metric");
	bool create = arguments_has(cli->arguments, "create");
	Sluice__V1__Metric metric = SLUICE__V1__METRIC__METRIC_UNSPECIFIED;
	const Sluice__V1__GetCollectionResponse *response;
	struct glance glance = {0};
	SCOPED(answer) answer = NULL;
	status asked;

	if (word || create)
		TRY(metric_read(cli->arguments, word ? word : "cosine", &metric));
	request.name = cli_name(cli, 0);
	asked = cli_ask(cli, &method_get_collection, &request.base, &answer);
	if (asked.code == STATUS_NOT_FOUND && create) {
		TRY(glance_take(cli, npy, path, LINES_LOOKED_AT, &glance));
		*ret_dimension = glance.dimension;
		return target_make(cli, &glance, metric);
	}
	TRY(asked);
	if (npy)
		glance.dimension = npy_header_of(npy)->columns;
	else if (create)
		TRY(glance_take(cli, npy, path, 1, &glance));
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	TRY(target_compare(cli, response->collection, glance.dimension, metric));
	*ret_dimension = response->collection->dimension;
	return status_ok();
}
