/* import_faiss - each vector of an index becomes a chunk without text.
 *
 * The ids' lines stand in the order of the vectors, and there is one for each: both are checked
 * before a collection is made, where the file of ids can be read twice.
 */
#include "service/cli/import_faiss.h"

#include "kernels/base/error_info.h"
#include "service/cli/faiss_file.h"
#include "service/cli/import_target.h"
#include "service/cli/lines.h"
#include "service/cli/refusal.h"
#include "service/cli/upload.h"
#include "service/cli/words.h"

#include <inttypes.h>

struct import_faiss {
	struct cli *cli;
	struct faiss_file *file;
	struct lines *ids; /* NULL: those of the index */
	struct target target;
	struct upload upload;
	char *id; /* [ID_BYTES_MAX + 1] of the chunk in the making */
	Sluice__V1__Vector vector;
};

/* Longer ids get a better answer from the server than from here. */
#define ID_BYTES_MAX 4096

static void import_faiss_finish(struct import_faiss *import)
{
	upload_finish(&import->upload);
	faiss_file_close(import->file);
	lines_close(import->ids);
}

SCOPE_DEFINE(import_faiss, import_faiss_finish)

static const char *path_of(const struct import_faiss *import)
{
	return faiss_file_path(import->file);
}

/* By the line of its id, or by its number from 1. */
static status blame_vector(const void *context, status failed, const struct batch_lines *lines)
{
	const struct import_faiss *import = context;
	struct arena *arena = import->cli->arena;
	unsigned long long number, first = lines->numbers[0];
	unsigned long long last = lines->numbers[lines->n - 1];
	status explained;

	if (import->ids)
		return refusal_explain(arena, failed, lines, lines_path(import->ids));
	number = refusal_line(arena, failed, lines);
	if (number)
		explained =
			status_format(arena, failed.code,
				      "%s, vector %llu: %s (%llu vectors before it are imported)",
				      path_of(import), number, failed.detail, first - 1);
	else
		explained = status_format(arena, failed.code,
					  "%s, vectors %llu to %llu: %s (%llu before them are "
					  "imported)",
					  path_of(import), first, last, failed.detail, first - 1);
	return status_with(explained, failed.info);
}

static status compare_ids(const struct import_faiss *import, uint64_t n_ids)
{
	uint64_t rows = faiss_file_shape(import->file)->rows;

	if (n_ids == rows)
		return status_ok();
	return status_format(import->cli->arena, STATUS_INVALID_ARGUMENT,
			     "%s has %llu ids, but %s has %llu vectors", lines_path(import->ids),
			     (unsigned long long)n_ids, path_of(import), (unsigned long long)rows);
}

/* Opens the ids, and counts them where that is possible. */
static status open_ids(struct import_faiss *import, const char *path)
{
	SCOPED(lines) lines = NULL;
	enum lines_step step;
	struct bytes line;
	uint64_t n = 0;

	if (!path)
		return status_ok();
	TRY(lines_open(import->cli->arena, path, &import->ids));
	if (lines_size_bytes(import->ids) == 0)
		return status_ok();
	TRY(lines_open(import->cli->arena, path, &lines));
	while ((step = lines_next(lines, &line)) == LINES_LINE)
		n++;
	if (step == LINES_FAIL)
		return lines_failure(lines);
	return compare_ids(import, n);
}

/* The metric of the index, or cosine where that is asked for: the only other one that the same
 * vectors are kept for. */
static status choose_metric(const struct import_faiss *import, Sluice__V1__Metric *ret)
{
	const char *word = arguments_value(import->cli->arguments, "metric");
	Sluice__V1__Metric own = faiss_file_shape(import->file)->inner_product
					 ? SLUICE__V1__METRIC__METRIC_INNER_PRODUCT
					 : SLUICE__V1__METRIC__METRIC_L2;

	*ret = own;
	if (!word)
		return status_ok();
	TRY(metric_read(import->cli->arguments, word, ret));
	if (*ret == own || *ret == SLUICE__V1__METRIC__METRIC_COSINE)
		return status_ok();
	return status_format(import->cli->arena, STATUS_INVALID_ARGUMENT,
			     "%s has metric %s: --metric can say that or cosine", path_of(import),
			     metric_word(own));
}

/* The id's line into import->id. */
static status take_id(struct import_faiss *import, uint64_t row)
{
	enum lines_step step;
	struct bytes line;

	step = lines_next(import->ids, &line);
	if (step == LINES_FAIL)
		return lines_failure(import->ids);
	if (step == LINES_END)
		return compare_ids(import, row);
	if (line.size && line.data[line.size - 1] == '\r')
		line.size--;
	if (line.size > ID_BYTES_MAX || memchr(line.data, 0, line.size))
		return lines_complain(import->ids,
				      status_make(STATUS_INVALID_ARGUMENT,
						  "an id is at most 512 bytes, none of them zero"));
	memcpy(import->id, line.data, line.size);
	import->id[line.size] = '\0';
	return status_ok();
}

static status import_row(struct import_faiss *import, uint64_t row, uint64_t rows)
{
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	uint64_t number = row + 1;
	int64_t id;

	TRY(faiss_file_read(import->file, row, &id, import->vector.values));
	if (import->ids) {
		TRY(take_id(import, row));
		number = lines_number(import->ids);
	} else {
		snprintf(import->id, ID_BYTES_MAX, "%" PRId64, id);
	}
	chunk.id = import->id;
	chunk.vector = &import->vector;
	import->upload.share = (double)row / (double)rows;
	return upload_add(&import->upload, &chunk, number);
}

static status import_rows(struct import_faiss *import)
{
	uint64_t rows = faiss_file_shape(import->file)->rows;
	struct bytes line;

	for (uint64_t row = 0; row < rows; row++)
		TRY(import_row(import, row, rows));
	/* Only a pipe can still have more: others were counted. */
	if (import->ids && lines_next(import->ids, &line) == LINES_LINE)
		return compare_ids(import, rows + 1);
	return status_ok();
}

static status import_call(struct import_faiss *import)
{
	status read;

	TRY(upload_open(&import->upload));
	read = import_rows(import);
	if (!status_failed(read))
		return upload_end(&import->upload);
	upload_abandon(&import->upload);
	return read;
}

static status import_faiss_open(struct import_faiss *import)
{
	struct cli *cli = import->cli;
	const struct faiss_shape *shape;

	TRY(faiss_file_open(cli->arena, arguments_value(cli->arguments, "faiss"), &import->file));
	shape = faiss_file_shape(import->file);
	sluice__v1__vector__init(&import->vector);
	import->vector.n_values = shape->dimension;
	import->vector.values = ARENA_ARRAY(cli->arena, float, shape->dimension);
	import->id = arena_alloc(cli->arena, ID_BYTES_MAX + 1);
	if (!import->vector.values || !import->id)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	return open_ids(import, arguments_value(cli->arguments, "ids"));
}

status import_faiss(struct cli *cli)
{
	struct import_faiss memory = {
		.cli = cli,
		.upload = {.cli = cli, .blame = blame_vector, .context = &memory},
	};
	SCOPED(import_faiss) import = &memory;
	Sluice__V1__Metric metric;
	status ran;

	TRY(upload_init(&import->upload));
	TRY(import_faiss_open(import));
	TRY(choose_metric(import, &metric));
	TRY(target_find_known(cli, faiss_file_shape(import->file)->dimension, metric,
			      &import->target));
	ran = import_call(import);
	if (status_failed(ran))
		return upload_stands(&import->upload) ? ran
						      : target_undo(cli, &import->target, ran);
	upload_report(&import->upload);
	return status_ok();
}
