/* import - a file of chunks and a matrix of vectors, upserted batch by batch.
 *
 * Batches go out without waiting for their acknowledgements, up to IN_FLIGHT_MAX of them, so that
 * lines are read while the server writes. Acknowledgements come in order: the oldest batch without
 * one is the one that a failure is about.
 */
#include "service/cli/batch.h"
#include "service/cli/commands.h"
#include "service/cli/import_target.h"
#include "service/cli/jsonl.h"
#include "service/cli/lines.h"
#include "service/cli/long_values.h"
#include "service/cli/methods.h"
#include "service/cli/npy.h"
#include "service/cli/progress.h"
#include "service/cli/refusal.h"
#include "service/cli/words.h"
#include "sluice/v1/ingest_service.pb-c.h"

#define IN_FLIGHT_MAX 4
#define BATCH_CHUNKS 1000
/* What one line may become. */
#define LINE_ARENA_BYTES ((size_t)64 << 20)

struct import {
	struct cli *cli;
	const char *collection;
	struct target target;
	struct lines *lines;
	struct npy *npy;        /* NULL: vectors are in the lines */
	Sluice__V1__Vector row; /* of the matrix */
	struct client_call *call;
	struct batch batch;
	struct arena *line_arena;
	struct batch_lines *in_flight; /* [IN_FLIGHT_MAX] a ring, by sequence; the oldest is
					  done_sequence + 1 */
	uint64_t sent_sequence, done_sequence;
	uint64_t n_lines, inserted, replaced;
	struct long_values long_values;
	struct progress progress;
};

/* What the server said of the oldest batch that it did not acknowledge. */
static status blame(const struct import *import, status failed)
{
	uint64_t oldest = import->done_sequence + 1;

	if (import->done_sequence == import->sent_sequence)
		return failed;
	return refusal_explain(import->cli->arena, failed,
			       &import->in_flight[oldest % IN_FLIGHT_MAX],
			       lines_path(import->lines));
}

/* Waits for the oldest acknowledgement. */
static status acknowledge(struct import *import)
{
	SCOPED(answer) answer = NULL;
	const Sluice__V1__UpsertChunksResponse *response;
	status received = cli_receive(import->call, &answer);

	if (status_failed(received))
		return blame(import, received);
	if (!answer)
		return blame(import, status_make(STATUS_INTERNAL,
						 "the server ended without an acknowledgement"));
	response = (const Sluice__V1__UpsertChunksResponse *)answer;
	if (response->sequence != import->done_sequence + 1)
		return status_make(STATUS_INTERNAL,
				   "the server acknowledged another batch than is due");
	import->done_sequence++;
	import->inserted += response->inserted;
	import->replaced += response->replaced;
	return status_ok();
}

/* Where sending fails the call has ended, and one of the acknowledgements says why. */
static status acknowledge_rest(struct import *import)
{
	while (import->done_sequence < import->sent_sequence)
		TRY(acknowledge(import));
	return status_ok();
}

static double share_of(const struct lines *lines)
{
	uint64_t size_bytes = lines_size_bytes(lines);

	return size_bytes ? (double)lines_read_bytes(lines) / (double)size_bytes : -1;
}

static status send_batch(struct import *import)
{
	struct batch *batch = &import->batch;
	uint64_t sequence = batch->lines.sequence;
	status sent;

	if (import->sent_sequence - import->done_sequence == IN_FLIGHT_MAX)
		TRY(acknowledge(import));
	import->in_flight[sequence % IN_FLIGHT_MAX] = batch->lines;
	import->sent_sequence = sequence;
	sent = client_call_send(import->call, bytes_of(batch->buffer.data, batch->buffer.size));
	if (status_failed(sent)) {
		TRY(acknowledge_rest(import));
		return sent;
	}
	batch_start(batch, import->collection, sequence + 1);
	progress_show(&import->progress, import->n_lines, share_of(import->lines));
	return status_ok();
}

static status add_chunk(struct import *import, const Sluice__V1__Chunk *chunk)
{
	uint64_t line = lines_number(import->lines);
	enum batch_add added = batch_add(&import->batch, chunk, line);

	if (added == BATCH_FULL) {
		TRY(send_batch(import));
		added = batch_add(&import->batch, chunk, line);
	}
	if (added == BATCH_TOO_LARGE)
		return lines_complain(import->lines,
				      status_make(STATUS_INVALID_ARGUMENT,
						  "the chunk is too large for one message"));
	if (added != BATCH_ADDED)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a batch");
	if (import->batch.lines.n == import->batch.chunks_max)
		return send_batch(import);
	return status_ok();
}

/* The server would refuse it as well, but with the whole of its batch. */
static status check_own_vector(const struct import *import, const Sluice__V1__Chunk *chunk)
{
	if (chunk->vector->n_values == import->target.dimension)
		return status_ok();
	return lines_complain(
		import->lines,
		status_format(import->cli->arena, STATUS_INVALID_ARGUMENT,
			      "the vector has %zu numbers, but collection %s has dimension %u",
			      chunk->vector->n_values, import->collection,
			      import->target.dimension));
}

/* Gives the chunk the row of the matrix, where there is one. */
static status attach_vector(struct import *import, Sluice__V1__Chunk *chunk)
{
	status source = target_check_source(import->npy, chunk);
	uint64_t rows;

	if (status_failed(source))
		return lines_complain(import->lines, source);
	if (!import->npy)
		return check_own_vector(import, chunk);
	rows = npy_header_of(import->npy)->rows;
	if (import->n_lines == rows)
		return status_format(import->cli->arena, STATUS_INVALID_ARGUMENT,
				     "%s has %llu rows, but %s has more chunks, the next in line "
				     "%llu",
				     npy_path(import->npy), (unsigned long long)rows,
				     lines_path(import->lines),
				     (unsigned long long)lines_number(import->lines));
	TRY(npy_read_floats(import->npy, import->n_lines, import->row.values));
	chunk->vector = &import->row;
	return status_ok();
}

static status import_line(struct import *import, struct bytes line)
{
	Sluice__V1__Chunk chunk;
	status read;

	arena_reset(import->line_arena);
	read = jsonl_read(import->line_arena, line, &chunk);
	if (!status_failed(read))
		read = long_values_apply(&import->long_values, import->line_arena,
					 lines_number(import->lines), &chunk);
	if (status_failed(read))
		return lines_complain(import->lines, read);
	TRY(attach_vector(import, &chunk));
	TRY(add_chunk(import, &chunk));
	import->n_lines++;
	return status_ok();
}

static status compare_rows(const struct import *import, uint64_t n_lines)
{
	if (!import->npy || n_lines == npy_header_of(import->npy)->rows)
		return status_ok();
	return status_format(import->cli->arena, STATUS_INVALID_ARGUMENT,
			     "%s has %llu chunks, but %s has %llu rows", lines_path(import->lines),
			     (unsigned long long)n_lines, npy_path(import->npy),
			     (unsigned long long)npy_header_of(import->npy)->rows);
}

/* Whether there is a row for each line, said before anything is made or sent. Only of a file that
 * can be read twice: counting is quick next to what follows. */
static status count_rows(const struct import *import)
{
	SCOPED(lines) lines = NULL;
	enum lines_step step;
	struct bytes line;
	uint64_t n = 0;

	if (!import->npy || lines_size_bytes(import->lines) == 0)
		return status_ok();
	TRY(lines_open(import->cli->arena, lines_path(import->lines), &lines));
	while ((step = lines_next(lines, &line)) == LINES_LINE)
		n++;
	if (step == LINES_FAIL)
		return lines_failure(lines);
	return compare_rows(import, n);
}

static status import_lines(struct import *import)
{
	enum lines_step step;
	struct bytes line;

	batch_start(&import->batch, import->collection, 1);
	while ((step = lines_next(import->lines, &line)) == LINES_LINE)
		TRY(import_line(import, line));
	if (step == LINES_FAIL)
		return lines_failure(import->lines);
	return compare_rows(import, import->n_lines);
}

/* Sends what is left, says that it was all, and waits for every acknowledgement. */
static status import_end(struct import *import)
{
	SCOPED(answer) answer = NULL;

	if (import->batch.lines.n)
		TRY(send_batch(import));
	if (status_failed(client_call_send_end(import->call))) {
		TRY(acknowledge_rest(import));
		return status_make(STATUS_INTERNAL, "the server ended the call early");
	}
	TRY(acknowledge_rest(import));
	return cli_receive(import->call, &answer);
}

static status import_run_call(struct import *import)
{
	status read;

	TRY(client_call_open(import->cli->client, &method_upsert_chunks, &import->call));
	read = import_lines(import);
	if (!status_failed(read))
		return import_end(import);
	/* A bad line: the batches that are under way get their acknowledgements first. A failure of
	 * the server was blamed already, and this changes nothing. */
	if (import->done_sequence < import->sent_sequence &&
	    !status_failed(client_call_send_end(import->call)))
		while (import->done_sequence < import->sent_sequence &&
		       !status_failed(acknowledge(import)))
			;
	return read;
}

static status import_vectors(struct import *import, const char *path)
{
	if (!path)
		return status_ok();
	TRY(npy_open_vectors(import->cli->arena, path, &import->npy));
	sluice__v1__vector__init(&import->row);
	import->row.n_values = npy_header_of(import->npy)->columns;
	import->row.values = ARENA_ARRAY(import->cli->arena, float, import->row.n_values);
	if (!import->row.values)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	return status_ok();
}

static void import_finish(struct import *import)
{
	progress_end(&import->progress);
	client_call_close(import->call);
	npy_close(import->npy);
	lines_close(import->lines);
	batch_finish(&import->batch);
	arena_finish(import->line_arena);
}

SCOPE_DEFINE(import, import_finish)

static status import_run(struct cli *cli)
{
	struct arena line_arena;
	struct import memory = {
		.cli = cli,
		.collection = cli_name(cli, 0),
		.line_arena = &line_arena,
	};
	SCOPED(import) import = &memory;
	uint64_t chunks_max = BATCH_CHUNKS;
	double seconds;
	status parsed, ran;

	arena_init(&line_arena, LINE_ARENA_BYTES);
	TRY(arguments_u64(cli->arguments, "batch", 1, BATCH_CHUNKS_MAX, &chunks_max));
	import->batch.chunks_max = (uint32_t)chunks_max;
	import->in_flight = ARENA_ARRAY(cli->arena, struct batch_lines, IN_FLIGHT_MAX);
	if (!import->in_flight)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for batches");
	parsed = long_values_parse(cli->arena, arguments_value(cli->arguments, "long-values"),
				   &import->long_values);
	if (status_failed(parsed))
		return arguments_misuse(cli->arguments, "%s", parsed.detail);
	TRY(progress_start(&import->progress, cli->arguments));
	TRY(import_vectors(import, arguments_value(cli->arguments, "vectors")));
	TRY(lines_open(cli->arena, cli_name(cli, 1), &import->lines));
	TRY(count_rows(import));
	TRY(target_find(cli, import->npy, cli_name(cli, 1), &import->target));
	ran = import_run_call(import);
	if (status_failed(ran))
		return import->done_sequence ? ran : target_undo(cli, &import->target, ran);
	progress_end(&import->progress);
	long_values_report(&import->long_values, stderr);
	seconds = progress_seconds(&import->progress);
	printf("imported %s chunks (%s new, %s replaced) in %.1f s, %s a second\n",
	       count_format(import->n_lines).text, count_format(import->inserted).text,
	       count_format(import->replaced).text, seconds,
	       count_format((uint64_t)((double)import->n_lines / seconds)).text);
	return status_ok();
}

static const struct option import_options[] = {
	{"vectors", OPTION_VALUE, "FILE.npy  float32 or float16, row i is the vector of chunk i"},
	{"batch", OPTION_VALUE, "N  chunks in a batch at most, up to 2048 (1000)"},
	{"create", OPTION_FLAG, "  makes the collection if it is missing"},
	{"metric", OPTION_VALUE, "M  cosine, ip or l2: of the collection (cosine)"},
	{"long-values", OPTION_VALUE,
	 "HOW  of metadata strings above 4,096 bytes: cut them, or stop (cut)"},
	{"progress", OPTION_VALUE, "WHEN  always, never or auto: on a terminal (auto)"},
};

const struct command import_command = {
	.name = "import",
	.usage = "NAME FILE.jsonl [--vectors FILE.npy] [--create] [--metric M] [--batch N]",
	.summary = "upsert a file of chunks, one JSON object a line",
	.details =
		"The members of a chunk are id, document_id, ordinal, text, token_count, metadata\n"
		"and vector; only id is required, and vector unless --vectors is given.\n"
		"A bad line stops the import and is named; batches acknowledged before it stand.\n"
		"A collection that was made for an import of which nothing stands is dropped "
		"again.\n"
		"Run again, it replaces what is there. --create takes the dimension from the\n"
		"vectors and declares the metadata fields of the first 1,000 lines.",
	.options = OPTION_LIST(import_options),
	.names_min = 2,
	.names_max = 2,
	.run = import_run,
};
