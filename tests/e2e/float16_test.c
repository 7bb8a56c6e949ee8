/* float16 - vectors kept in halves: what is imported is rounded, and answers are exact over that, before
 * and after it is sealed.
 */
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

#include <math.h>
#include <stdio.h>

TestSuite(float16, .init = world_open, .fini = world_close, .timeout = 120);

enum { dim = 7, n_rows = 400, seal_rows = 100 };

/* The nearest half, of two the even one, by its definition. */
static float half_of(float value)
{
	int exponent;

	(void)frexpf(value, &exponent);
	exponent = exponent - 11 < -24 ? -24 : exponent - 11;
	return ldexpf(nearbyintf(ldexpf(value, -exponent)), exponent);
}

static struct rows rows_of(Sluice__V1__Metric metric)
{
	struct rows rows = {.collection = "x", .metric = metric, .dim = dim, .n = n_rows};

	rows_make(&rows, 3);
	for (size_t i = 0; i < n_rows * dim; i++)
		rows.stored[i] = half_of(rows.stored[i]);
	return rows;
}

static const char *jsonl_write(const struct rows *rows)
{
	const char *path = text_of("%s/chunks.jsonl", world.scratch.path);
	FILE *out = fopen(path, "we");

	cr_assert_not_null(out);
	for (size_t i = 0; i < rows->n; i++) {
		fprintf(out, "{\"id\": \"%s\", \"vector\": [", rows_id(i));
		for (size_t at = 0; at < dim; at++)
			fprintf(out, "%s%.9g", at ? ", " : "", (double)rows_vector(rows, i)[at]);
		fprintf(out, "]}\n");
	}
	cr_assert_eq(fclose(out), 0);
	return path;
}

static void want_done(const char *const *arguments)
{
	struct said said = command_run(arguments);

	cr_assert_eq(said.result, 0, "%s: %s", arguments[0], said.err);
}

static void want_answers(const struct rows *rows)
{
	float *query = query_make(dim, 8);
	struct seen_list wanted = oracle_order(rows, query, NULL);
	Sluice__V1__SearchRequest request = search_request(rows, query, n_rows);
	struct seen_list seen = search_all(&world.session, &request);

	WANT_SAME(&seen, &wanted, n_rows);
}

static void restart_sealing(void)
{
	world_restart_with(&(struct server_options){0},
			   text_of("index: {seal_rows: %d}\n", seal_rows));
}

static void check_metric(const char *word, Sluice__V1__Metric metric)
{
	struct rows rows = rows_of(metric);
	const char *file = jsonl_write(&rows);
	const char *const create[] = {
		"create",  "x",        "--dimension",        "7", "--metric", word, "--encoding",
		"float16", "--server", world.server.address, NULL};
	const char *const import[] = {
		"import", "x", file, "--progress", "never", "--server", world.server.address, NULL};

	want_done(create);
	want_done(import);
	cr_assert_eq(described("x")->collection->index->encoding,
		     SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT16);
	want_answers(&rows);

	restart_sealing();
	rows = rows_of(metric);
	await_indexed("x", n_rows);
	want_answers(&rows);
	restart_sealing();
	rows = rows_of(metric);
	cr_assert_eq(described("x")->status->indexed_rows, n_rows);
	want_answers(&rows);
}

Test(float16, is_exact_over_what_was_rounded_by_l2)
{
	check_metric("l2", SLUICE__V1__METRIC__METRIC_L2);
}

Test(float16, is_exact_over_what_was_rounded_by_cosine)
{
	check_metric("cosine", SLUICE__V1__METRIC__METRIC_COSINE);
}

Test(float16, names_the_chunk_and_the_value_that_no_half_holds)
{
	const char *path = text_of("%s/far.jsonl", world.scratch.path);
	const char *const create[] = {
		"create",  "x",        "--dimension",        "2", "--metric", "ip", "--encoding",
		"float16", "--server", world.server.address, NULL};
	const char *const import[] = {
		"import", "x", path, "--progress", "never", "--server", world.server.address, NULL};
	FILE *out = fopen(path, "we");
	struct said said;

	cr_assert_not_null(out);
	fprintf(out, "{\"id\": \"a\", \"vector\": [1, -65504]}\n"
		     "{\"id\": \"b\", \"vector\": [1, 70000]}\n");
	cr_assert_eq(fclose(out), 0);
	want_done(create);
	said = command_run(import);
	cr_assert_eq(said.result, 1);
	WANT(((struct answer){.code = 1, .detail = said.err}), 1,
	     "far.jsonl:2: |\"b\": value 1 |65504");
}
