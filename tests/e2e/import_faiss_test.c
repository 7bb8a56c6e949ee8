/* import --faiss - indexes that FAISS wrote, through the program into a server and out again. */
#include "tests/e2e/command.h"
#include "tests/e2e/random.h"
#include "tests/e2e/rows.h"
#include "tests/support/faiss_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(import_faiss, .init = world_open, .fini = world_close, .timeout = 300);

enum { dim = 8, n_rows = 300 };

static const char *file_at(const char *name)
{
	return text_of("%s/%s", world.scratch.path, name);
}

/* Rows whose collection is x, with the metric. */
static struct rows rows_of(Sluice__V1__Metric metric)
{
	struct rows rows = {.collection = "x", .metric = metric, .dim = dim, .n = n_rows};

	rows_make(&rows, 5);
	return rows;
}

/* ids  [n] or NULL. */
static const char *write_index(const struct rows *rows, const char *factory, const int64_t *ids)
{
	const char *path = file_at("some.faiss");
	struct faiss_index index = {
		.factory = factory,
		.inner_product = rows->metric != SLUICE__V1__METRIC__METRIC_L2,
		.dim = dim,
		.n = n_rows,
		.n_trained = n_rows,
		.rows = rows->vectors,
		.ids = ids,
	};

	cr_assert(faiss_index_write(&index, path, NULL));
	return path;
}

/* The ids of rows, the first n of them, one a line. */
static const char *write_ids(size_t n)
{
	const char *path = file_at("ids.txt");
	FILE *out = fopen(path, "we");

	cr_assert_not_null(out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s\n", rows_id(i));
	cr_assert_eq(fclose(out), 0);
	return path;
}

/* import x --faiss PATH and more. */
static struct said import_index(const char *path, const char *const *more)
{
	const char *arguments[16] = {
		"import", "x", "--faiss", path, "--server", world.server.address, "--batch", "64"};

	for (size_t i = 0; more[i]; i++)
		arguments[8 + i] = more[i];
	return command_run(arguments);
}

static void drop_collection(void)
{
	const char *const arguments[] = {"drop", "x", "--server", world.server.address, NULL};
	struct said said = command_run(arguments);

	cr_assert_eq(said.result, 0, "%s", said.err);
}

static const char *const create[] = {"--create", NULL};

/* Exit status 1, and one line that says so. */
static void want_refused(struct said said, const char *word)
{
	const char *end = strchr(said.err, '\n');

	cr_assert_eq(said.result, 1, "%d: %s", said.result, said.err);
	cr_assert(strncmp(said.err, "error: ", 7) == 0 && end && !end[1], "%s", said.err);
	cr_assert(strstr(said.err, word), "%s: %s", word, said.err);
}

/* All of them, in the order of the definition. */
static void want_found(const struct rows *rows, const char *factory)
{
	float *query = query_make(dim, 9);
	Sluice__V1__SearchRequest request = search_request(rows, query, n_rows);
	struct seen_list seen = search_all(&world.session, &request);
	struct seen_list wanted = oracle_order(rows, query, NULL);

	cr_assert_eq(seen.n, n_rows, "%s: %zu", factory, seen.n);
	WANT_SAME(&seen, &wanted, n_rows);
}

static const char *const exact_factories[] = {"Flat", "IDMap,Flat", "IVF16,Flat", "HNSW8,Flat",
					      "IDMap2,Flat"};

Test(import_faiss, finds_what_was_in_the_index)
{
	static const Sluice__V1__Metric metrics[] = {SLUICE__V1__METRIC__METRIC_L2,
						     SLUICE__V1__METRIC__METRIC_INNER_PRODUCT};

	for (size_t i = 0; i < 2 * sizeof exact_factories / sizeof *exact_factories; i++) {
		const char *factory = exact_factories[i / 2];
		struct rows rows = rows_of(metrics[i % 2]);
		const char *const more[] = {"--create", "--ids", write_ids(n_rows), NULL};
		int64_t ids[n_rows];
		struct said said;

		for (int64_t row = 0; row < n_rows; row++)
			ids[row] = row * 7;
		said = import_index(
			write_index(&rows, factory, strstr(factory, "IDMap") ? ids : NULL), more);

		cr_assert_eq(said.result, 0, "%s: %s", factory, said.err);
		cr_assert(strstr(said.out, "imported 300 chunks (300 new"), "%s", said.out);
		want_found(&rows, factory);
		drop_collection();
	}
}

Test(import_faiss, takes_cosine_where_it_is_told)
{
	static const char *const cosine[] = {"--create", "--metric", "cosine", NULL};
	static const char *const l2[] = {"--create", "--metric", "l2", NULL};
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_COSINE);
	const char *path = write_index(&rows, "Flat", NULL);

	want_refused(import_index(path, l2), "has metric ip");
	cr_assert_eq(import_index(path, cosine).result, 0);
	cr_assert_eq(count_of("x"), n_rows);
	want_refused(import_index(path, create), "collection x has metric cosine, not ip");
}

/* --- export gives back what was there, to the bit --- */

/* The numbers of a .npy file of n_rows; malloc'd. */
static float *read_vectors(const char *path)
{
	size_t size = sizeof(float) * n_rows * dim;
	float *vectors = malloc(size);
	FILE *in = fopen(path, "rbe");

	cr_assert(vectors && in);
	cr_assert_eq(fseek(in, -(long)size, SEEK_END), 0);
	cr_assert_eq(fread(vectors, 1, size, in), size);
	fclose(in);
	return vectors;
}

/* The ids in the order of the index; a chunk has nothing else. */
static void want_exported(const struct rows *rows, const int64_t *ids)
{
	const char *path = file_at("out.npy"), *at;
	const char *const arguments[] = {
		"export", "x", "--vectors", path, "--server", world.server.address, NULL};
	struct said said = command_run(arguments);
	float *vectors;

	cr_assert_eq(said.result, 0, "%s", said.err);
	at = said.out;
	for (size_t i = 0; i < n_rows; i++) {
		const char *line = text_of("{\"id\": \"%" PRId64 "\"}\n", ids[i]);

		cr_assert(strncmp(at, line, strlen(line)) == 0, "row %zu: %.40s", i, at);
		at += strlen(line);
	}
	vectors = read_vectors(path);
	cr_assert_eq(memcmp(vectors, rows->vectors, sizeof(float) * n_rows * dim), 0);
	free(vectors);
}

Test(import_faiss, exports_vectors_and_ids_as_they_were)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_L2);
	int64_t own[n_rows], counted[n_rows];

	for (int64_t i = 0; i < n_rows; i++) {
		own[i] = i * 1000003 - 5;
		counted[i] = i;
	}
	for (size_t i = 0; i < sizeof exact_factories / sizeof *exact_factories; i++) {
		const char *factory = exact_factories[i];
		bool maps = strstr(factory, "IDMap") || strstr(factory, "IVF");
		struct said said =
			import_index(write_index(&rows, factory, maps ? own : NULL), create);

		cr_assert_eq(said.result, 0, "%s: %s", factory, said.err);
		want_exported(&rows, maps ? own : counted);
		drop_collection();
	}
}

Test(import_faiss, takes_what_SQ8_has_left)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_INNER_PRODUCT);
	struct said said = import_index(write_index(&rows, "SQ8", NULL), create);

	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert_eq(count_of("x"), n_rows);
}

/* --- ids --- */

Test(import_faiss, makes_nothing_for_another_number_of_ids)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_L2);
	const char *path = write_index(&rows, "Flat", NULL);

	for (size_t n = n_rows - 1; n <= n_rows + 1; n += 2) {
		const char *const more[] = {"--create", "--ids", write_ids(n), NULL};

		want_refused(import_index(path, more),
			     text_of("ids.txt has %zu ids, but %s has 300 vectors", n, path));
	}
	want_refused(import_index(path, (const char *const[]){NULL}), "no collection \"x\"");
}

Test(import_faiss, names_the_line_of_an_id_that_is_refused)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_L2);
	const char *const more[] = {"--create", "--ids", file_at("ids.txt"), NULL};
	const char *path = write_index(&rows, "Flat", NULL);
	FILE *out = fopen(more[2], "we");

	cr_assert_not_null(out);
	for (int i = 0; i < n_rows; i++)
		fprintf(out, "%0*d\r\n", i == 100 ? 600 : 5, i);
	cr_assert_eq(fclose(out), 0);
	want_refused(import_index(path, more), "ids.txt:101: INVALID_ARGUMENT");
	cr_assert_eq(count_of("x"), 64);
}

Test(import_faiss, names_the_vector_that_is_refused)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_L2);

	rows.vectors[70 * dim + 1] = 0.0F / 0.0F;
	want_refused(import_index(write_index(&rows, "Flat", NULL), create),
		     "some.faiss, vector 71: INVALID_ARGUMENT");
	cr_assert_eq(count_of("x"), 64);
}

/* --- what is no index --- */

Test(import_faiss, refuses_a_file_that_is_broken_off)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_L2);
	const char *path = write_index(&rows, "IVF16,Flat", NULL);
	FILE *whole = fopen(path, "re");
	long size;

	cr_assert(whole && fseek(whole, 0, SEEK_END) == 0);
	size = ftell(whole);
	fclose(whole);
	for (long i = 39; i >= 0; i--) {
		cr_assert_eq(truncate(path, size * i / 40), 0);
		want_refused(import_index(path, create), "some.faiss");
	}
	want_refused(import_index(path, (const char *const[]){NULL}), "no index of FAISS");
}

/* A flip in a vector makes another vector, which no one can tell. */
Test(import_faiss, ends_well_whatever_byte_is_flipped)
{
	struct rows rows = rows_of(SLUICE__V1__METRIC__METRIC_L2);
	const char *path = write_index(&rows, "HNSW8,Flat", NULL);
	struct random random = {3};
	int refused = 0;

	for (size_t i = 0; i < 40; i++) {
		long at = i < 30 ? (long)i * 2 : (long)random_below(&random, 20000);
		FILE *file = fopen(path, "r+e");
		struct said said;
		int byte;

		cr_assert(file && fseek(file, at, SEEK_SET) == 0);
		byte = fgetc(file);
		cr_assert(byte != EOF && fseek(file, at, SEEK_SET) == 0);
		fputc(byte ^ 0x80, file);
		fflush(file);
		said = import_index(path, create);
		if (said.result != 0)
			want_refused(said, "");
		refused += said.result;
		cr_assert_eq(fseek(file, at, SEEK_SET), 0);
		fputc(byte, file);
		cr_assert_eq(fclose(file), 0);
	}
	cr_assert_gt(refused, 5);
	want_idle();
}

Test(import_faiss, calls_a_mixture_of_both_ways_bad_usage)
{
	static const char *const words[][4] = {
		{"x"},
		{"x", "a.jsonl", "--faiss", "b"},
		{"x", "--faiss", "b", "--vectors=c"},
		{"x", "a.jsonl", "--ids", "b"},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const char *arguments[6] = {"import"};

		for (size_t k = 0; k < 4; k++)
			arguments[1 + k] = words[i][k];
		cr_assert_eq(command_run(arguments).result, 2, "%zu", i);
	}
}
