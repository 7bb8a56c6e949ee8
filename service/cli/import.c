/* import - a file of chunks and a matrix of vectors, upserted batch by batch; or an index of FAISS. */
#include "service/cli/commands.h"
#include "service/cli/import_faiss.h"
#include "service/cli/import_target.h"
#include "service/cli/jsonl.h"
#include "service/cli/lines.h"
#include "service/cli/long_values.h"
#include "service/cli/npy.h"
#include "service/cli/refusal.h"
#include "service/cli/upload.h"

/* What one line may become. */
#define LINE_ARENA_BYTES ((size_t)64 << 20)

struct import {
	struct cli *cli;
	const char *collection;
	struct target target;
	struct lines *lines;
	struct npy *npy;        /* NULL: vectors are in the lines */
	Sluice__V1__Vector row; /* of the matrix */
	struct upload upload;
	struct arena *line_arena;
	uint64_t n_lines;
	struct long_values long_values;
};

/* What the server said of a batch, by line. */
static status import_blame(const void *context, status failed, const struct batch_lines *lines)
{
	const struct import *import = context;

	return refusal_explain(import->cli->arena, failed, lines, lines_path(import->lines));
}

static double share_of(const struct lines *lines)
{
	uint64_t size_bytes = lines_size_bytes(lines);

	return size_bytes ? (double)lines_read_bytes(lines) / (double)size_bytes : -1;
}

static status add_chunk(struct import *import, const Sluice__V1__Chunk *chunk)
{
	status added;

	import->upload.share = share_of(import->lines);
	added = upload_add(&import->upload, chunk, lines_number(import->lines));
	return upload_is_too_large(added) ? lines_complain(import->lines, added) : added;
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

	while ((step = lines_next(import->lines, &line)) == LINES_LINE)
		TRY(import_line(import, line));
	if (step == LINES_FAIL)
		return lines_failure(import->lines);
	return compare_rows(import, import->n_lines);
}

static status import_run_call(struct import *import)
{
	status read;

	TRY(upload_open(&import->upload));
	read = import_lines(import);
	if (!status_failed(read))
		return upload_end(&import->upload);
	/* A bad line, most likely. A failure of the server was blamed already, and this changes
	 * nothing. */
	upload_abandon(&import->upload);
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
	upload_finish(&import->upload);
	npy_close(import->npy);
	lines_close(import->lines);
	arena_finish(import->line_arena);
}

SCOPE_DEFINE(import, import_finish)

static status import_lines_run(struct cli *cli)
{
	struct arena line_arena;
	struct import memory = {
		.cli = cli,
		.collection = cli_name(cli, 0),
		.line_arena = &line_arena,
		.upload = {.cli = cli, .blame = import_blame, .context = &memory},
	};
	SCOPED(import) import = &memory;
	status parsed, ran;

	arena_init(&line_arena, LINE_ARENA_BYTES);
	TRY(upload_init(&import->upload));
	parsed = long_values_parse(cli->arena, arguments_value(cli->arguments, "long-values"),
				   &import->long_values);
	if (status_failed(parsed))
		return arguments_misuse(cli->arguments, "%s", parsed.detail);
	TRY(import_vectors(import, arguments_value(cli->arguments, "vectors")));
	TRY(lines_open(cli->arena, cli_name(cli, 1), &import->lines));
	TRY(count_rows(import));
	TRY(target_find(cli, import->npy, cli_name(cli, 1), &import->target));
	ran = import_run_call(import);
	if (status_failed(ran))
		return upload_stands(&import->upload) ? ran
						      : target_undo(cli, &import->target, ran);
	upload_end_progress(&import->upload);
	long_values_report(&import->long_values, stderr);
	upload_report(&import->upload);
	return status_ok();
}

/* Two commands in one, as their users see them: what goes with one is no part of the other. */
static status import_run(struct cli *cli)
{
	static const char *const lines_alone[] = {"vectors", "long-values"};
	struct arguments *arguments = cli->arguments;

	if (!arguments_has(arguments, "faiss")) {
		if (arguments_has(arguments, "ids"))
			return arguments_misuse(arguments, "--ids goes with --faiss");
		if (arguments->n_names < 2)
			return arguments_misuse(arguments,
						"FILE.jsonl or --faiss FILE must follow the name");
		return import_lines_run(cli);
	}
	if (arguments->n_names > 1)
		return arguments_misuse(arguments, "%.128s and --faiss: one of them at a time",
					arguments->names[1]);
	for (size_t i = 0; i < sizeof lines_alone / sizeof *lines_alone; i++)
		if (arguments_has(arguments, lines_alone[i]))
			return arguments_misuse(arguments, "--%s does not go with --faiss",
						lines_alone[i]);
	return import_faiss(cli);
}

static const struct option import_options[] = {
	{"vectors", OPTION_VALUE, "FILE.npy  float32 or float16, row i is the vector of chunk i"},
	{"faiss", OPTION_VALUE, "FILE  an index written by FAISS, instead of FILE.jsonl"},
	{"ids", OPTION_VALUE, "FILE  with --faiss: a chunk's id on each line (the FAISS ids)"},
	{"batch", OPTION_VALUE, "N  chunks in a batch at most, up to 2048 (1000)"},
	{"create", OPTION_FLAG, "  makes the collection if it is missing"},
	{"metric", OPTION_VALUE,
	 "M  cosine, ip or l2: of the collection (cosine; that of the index)"},
	{"long-values", OPTION_VALUE,
	 "HOW  of metadata strings above 4,096 bytes: cut them, or stop (cut)"},
	{"progress", OPTION_VALUE, "WHEN  always, never or auto: on a terminal (auto)"},
};

const struct command import_command = {
	.name = "import",
	.usage = "NAME (FILE.jsonl [--vectors FILE.npy] | --faiss FILE [--ids FILE]) [--create]\n"
		 "                     [--metric M] [--batch N]",
	.summary = "upsert a file of chunks, one JSON object a line, or an index of FAISS",
	.details =
		"The members of a chunk are id, document_id, ordinal, text, token_count, metadata\n"
		"and vector; only id is required, and vector unless --vectors is given.\n"
		"A bad line stops the import and is named; batches acknowledged before it stand.\n"
		"A collection that was made for an import of which nothing stands is dropped "
		"again.\n"
		"Run again, it replaces what is there. --create takes the dimension from the\n"
		"vectors and declares the metadata fields of the first 1,000 lines.\n"
		"\n"
		"--faiss reads what faiss.write_index wrote of these: Flat, IDMap, IDMap2, "
		"IVF..,Flat,\n"
		"HNSW..,Flat, SQ8 and SQfp16. Each vector becomes a chunk without text, in the "
		"order\n"
		"in which they were added, or by id where the index is an IVF. Its id is the line "
		"of\n"
		"--ids in that order, or the FAISS id in decimal. The metric is that of the index, "
		"or\n"
		"cosine where --metric says so. SQ8 has lost precision: what it decodes to is "
		"stored.",
	.options = OPTION_LIST(import_options),
	.names_min = 1,
	.names_max = 2,
	.run = import_run,
};
