/* import_target - asks for the collection, and looks into the chunks only as far as it must. */
#include "service/cli/import_target.h"

#include "service/cli/fields.h"
#include "service/cli/jsonl.h"
#include "service/cli/lines.h"
#include "service/cli/methods.h"
#include "service/cli/words.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define LINES_LOOKED_AT 1000
#define LINE_ARENA_BYTES ((size_t)64 << 20)

/* What the first lines say. */
struct glance {
	const struct npy *npy; /* NULL: the dimension is that of the first chunk */
	struct fields fields;
	uint32_t dimension; /* 0 before the first chunk, without npy */
};

status target_check_source(const struct npy *npy, const Sluice__V1__Chunk *chunk)
{
	if (npy && chunk->vector)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "the chunk has a vector, and --vectors is given as well");
	if (!npy && !chunk->vector)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "the chunk has no vector, and there is no --vectors");
	return status_ok();
}

static status glance_vector(struct cli *cli, struct glance *glance, const Sluice__V1__Chunk *chunk)
{
	TRY(target_check_source(glance->npy, chunk));
	if (glance->npy)
		return status_ok();
	if (chunk->vector->n_values == 0)
		return status_make(STATUS_INVALID_ARGUMENT, "the vector is empty");
	if (glance->dimension == 0)
		glance->dimension = (uint32_t)chunk->vector->n_values;
	if (chunk->vector->n_values != glance->dimension)
		return status_format(cli->arena, STATUS_INVALID_ARGUMENT,
				     "the vector has %zu numbers, but that of the first chunk has "
				     "%u",
				     chunk->vector->n_values, glance->dimension);
	return status_ok();
}

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
		if (!status_failed(read))
			read = glance_vector(cli, glance, &chunk);
		if (status_failed(read))
			return lines_complain(lines, read);
		TRY(fields_see(&glance->fields, cli->arena, &chunk));
	}
	return step == LINES_FAIL ? lines_failure(lines) : status_ok();
}

/* n_max  how many lines to look at. */
static status glance_take(struct cli *cli, const char *path, uint64_t n_max, struct glance *ret)
{
	SCOPED(lines) lines = NULL;

	TRY(lines_open(cli->arena, path, &lines));
	if (lines_size_bytes(lines) == 0)
		return status_format(cli->arena, STATUS_INVALID_ARGUMENT,
				     "%s must be a file that can be read twice, and not empty",
				     path);
	TRY(glance_at(cli, lines, n_max, ret));
	if (ret->dimension == 0)
		return status_format(cli->arena, STATUS_INVALID_ARGUMENT, "%s holds no chunk",
				     path);
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

status target_find(struct cli *cli, const struct npy *npy, const char *path, struct target *ret)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	const char *word = arguments_value(cli->arguments, "metric");
	bool create = arguments_has(cli->arguments, "create");
	Sluice__V1__Metric metric = SLUICE__V1__METRIC__METRIC_UNSPECIFIED;
	const Sluice__V1__GetCollectionResponse *response;
	struct glance glance = {.npy = npy, .dimension = npy ? npy_header_of(npy)->columns : 0};
	SCOPED(answer) answer = NULL;
	status asked;

	if (word || create)
		TRY(metric_read(cli->arguments, word ? word : "cosine", &metric));
	request.name = cli_name(cli, 0);
	asked = cli_ask(cli, &method_get_collection, &request.base, &answer);
	if (asked.code == STATUS_NOT_FOUND && create) {
		TRY(glance_take(cli, path, LINES_LOOKED_AT, &glance));
		TRY(target_make(cli, &glance, metric));
		*ret = (struct target){glance.dimension, true};
		return status_ok();
	}
	TRY(asked);
	if (!npy && create)
		TRY(glance_take(cli, path, 1, &glance));
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	TRY(target_compare(cli, response->collection, glance.dimension, metric));
	*ret = (struct target){response->collection->dimension, false};
	return status_ok();
}

status target_find_known(struct cli *cli, uint32_t dimension, Sluice__V1__Metric metric,
			 struct target *ret)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	const Sluice__V1__GetCollectionResponse *response;
	const struct glance glance = {.dimension = dimension};
	SCOPED(answer) answer = NULL;
	status asked;

	request.name = cli_name(cli, 0);
	asked = cli_ask(cli, &method_get_collection, &request.base, &answer);
	if (asked.code == STATUS_NOT_FOUND && arguments_has(cli->arguments, "create")) {
		TRY(target_make(cli, &glance, metric));
		*ret = (struct target){dimension, true};
		return status_ok();
	}
	TRY(asked);
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	TRY(target_compare(cli, response->collection, dimension, metric));
	*ret = (struct target){dimension, false};
	return status_ok();
}

status target_undo(struct cli *cli, const struct target *target, status failed)
{
	Sluice__V1__CountChunksRequest count = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	Sluice__V1__DeleteCollectionRequest drop = SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;
	SCOPED(answer) counted = NULL;
	SCOPED(answer) dropped = NULL;

	count.collection = cli_name(cli, 0);
	drop.name = cli_name(cli, 0);
	/* What failed first is what a user has to know, whatever else fails now. */
	if (!target->made ||
	    status_failed(cli_ask(cli, &method_count_chunks, &count.base, &counted)))
		return failed;
	if (((const Sluice__V1__CountChunksResponse *)counted)->count > 0 ||
	    status_failed(cli_ask(cli, &method_delete_collection, &drop.base, &dropped)))
		return failed;
	return status_format(cli->arena, failed.code,
			     "%s; collection %s, made for this import, is dropped again",
			     failed.detail, drop.name);
}
