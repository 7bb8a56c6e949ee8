/* import - what the command line says of input that is refused, and what it leaves behind. */
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

#include <stdio.h>

TestSuite(import, .init = world_open, .fini = world_close, .timeout = 120);

#define DIM 3

/* --- input --- */

/* Under the server's folder, which goes with the world. */
static char *input_path(const char *name)
{
	return text_of("%s/%s", world.scratch.path, name);
}

/* What a line of the file is to be instead of a good one; line 0: all are good. */
struct oddity {
	size_t line; /* from 1 */
	const char *text;
};

/* n chunks "c1" to "cN", one a line, with vectors in them or without. */
static char *chunks_write(size_t n, bool with_vectors, struct oddity odd)
{
	char *path = input_path("chunks.jsonl");
	FILE *out = fopen(path, "we");

	cr_assert_not_null(out);
	for (size_t i = 1; i <= n; i++) {
		if (i == odd.line)
			fprintf(out, "%s\n", odd.text);
		else if (with_vectors)
			fprintf(out, "{\"id\": \"c%zu\", \"vector\": [1, 2, %zu]}\n", i, i);
		else
			fprintf(out, "{\"id\": \"c%zu\"}\n", i);
	}
	cr_assert_eq(fclose(out), 0);
	return path;
}

/* rows of DIM numbers of four bytes, all of which are ones of the type "<f4" or "<i4". */
static char *matrix_write(const char *type, size_t rows)
{
	char *path = input_path("vectors.npy"), dictionary[128];
	const float real = 1;
	const int32_t whole = 1;
	FILE *out = fopen(path, "we");
	int n = snprintf(dictionary, sizeof dictionary,
			 "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %d), }\n", type,
			 rows, DIM);

	cr_assert_not_null(out);
	fwrite("\x93NUMPY\1", 1, 7, out);
	fputc(0, out);
	fputc(n, out);
	fputc(0, out);
	fputs(dictionary, out);
	for (size_t i = 0; i < rows * DIM; i++)
		fwrite(strcmp(type, "<i4") == 0 ? (const void *)&whole : &real, 4, 1, out);
	cr_assert_eq(fclose(out), 0);
	return path;
}

/* --- the command --- */

/* The exit status of sluice import x CHUNKS and more; what it said to standard error. */
static int import(const char *chunks, const char *const *more, char **ret_said)
{
	const char *arguments[16] = {
		"import", "x", chunks, "--progress", "never", "--server", world.server.address};
	struct said said;

	for (size_t i = 0; more[i]; i++)
		arguments[7 + i] = more[i];
	said = command_run(arguments);
	*ret_said = text_of("%s", said.err);
	return said.result;
}

/* The import fails, and says each of the words, which '|' separates. */
static void want_refused(const char *chunks, const char *const *more, const char *words)
{
	struct answer said = {.code = 1};
	char *text;
	int result = import(chunks, more, &text);

	said.detail = text;
	cr_assert_eq(result, 1, "%d: %s", result, text);
	WANT(said, 1, words);
}

static void want_collection(bool there)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;

	request.name = text_of("x");
	WANT(session_call(&world.session, &get_collection, &request.base),
	     there ? GRPC_STATUS_OK : GRPC_STATUS_NOT_FOUND, "");
}

/* A chunk that only the server refuses: its id is too long. */
static struct oddity refused_at(size_t line)
{
	return (struct oddity){line, text_of("{\"id\": \"%01000d\", \"vector\": [1, 2, 3]}", 0)};
}

static const char *const create[] = {"--create", "--batch", "10", NULL};
static const char *const plain[] = {"--batch", "10", NULL};

/* --- lines --- */

Test(import, names_the_line_that_the_server_refuses)
{
	make_collection("x", DIM, SLUICE__V1__METRIC__METRIC_L2);
	want_refused(chunks_write(100, true, refused_at(57)), plain,
		     "chunks.jsonl:57: INVALID_ARGUMENT: batch 6: chunks[6].id: |"
		     "(what is before line 51 is imported)");
	cr_assert_eq(count_of("x"), 50);
	want_idle();
}

Test(import, counts_blank_lines_too)
{
	make_collection("x", DIM, SLUICE__V1__METRIC__METRIC_L2);
	want_refused(
		chunks_write(10, true, (struct oddity){4, text_of("\n \n%s", refused_at(4).text)}),
		plain,
		"chunks.jsonl:6: INVALID_ARGUMENT: batch 1: chunks[3].id: |"
		"(nothing is imported)");
	cr_assert_eq(count_of("x"), 0);
}

/* What only the collection can tell: these were checked with the whole batch. */
Test(import, names_the_line_of_a_vector_or_a_field_that_does_not_fit)
{
	want_refused(chunks_write(100, true,
				  (struct oddity){57, "{\"id\": \"z\", \"vector\": [0, 0, 0]}"}),
		     create,
		     "chunks.jsonl:57: INVALID_ARGUMENT: batch 6: chunks[6]: chunk \"z\": |"
		     "(what is before line 51 is imported)");
	want_refused(chunks_write(30, true,
				  (struct oddity){1, "{\"id\": \"a\", \"vector\": [0, 0, 0]}"}),
		     create, "chunks.jsonl:1: |(nothing is imported)");
	cr_assert_eq(count_of("x"), 50);
}

Test(import, passes_over_a_byte_order_mark)
{
	char *said;
	int result = import(chunks_write(5, true,
					 (struct oddity){1, "\xEF\xBB\xBF{\"id\": \"c1\", "
							    "\"vector\": [1, 2, 3]}"}),
			    create, &said);

	cr_assert_eq(result, 0, "%s", said);
	cr_assert_eq(count_of("x"), 5);
}

Test(import, calls_a_word_that_it_does_not_know_bad_usage)
{
	static const char *const words[][3] = {
		{"--long-values", "maybe"}, {"--batch", "0"}, {"--metric", "dot"}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char *said;

		cr_assert_eq(import(chunks_write(1, true, (struct oddity){0}), words[i], &said), 2,
			     "%s", said);
		cr_assert(strstr(said, words[i][0]), "%s", said);
	}
}

/* --- what --create leaves --- */

Test(import, makes_a_collection_for_good_input)
{
	char *said;
	int result = import(chunks_write(25, true, (struct oddity){0}), create, &said);

	cr_assert_eq(result, 0, "%s", said);
	cr_assert_eq(count_of("x"), 25);
}

Test(import, makes_nothing_for_a_line_of_another_dimension)
{
	want_refused(
		chunks_write(25, true, (struct oddity){20, "{\"id\": \"a\", \"vector\": [1]}"}),
		create, "chunks.jsonl:20: the vector has 1 numbers, but that of the first");
	want_collection(false);
}

Test(import, makes_nothing_for_another_number_of_rows)
{
	for (size_t rows = 24; rows <= 26; rows += 2) {
		const char *more[] = {
			"--create", "--batch", "10", "--vectors", matrix_write("<f4", rows), NULL};

		want_refused(chunks_write(25, false, (struct oddity){0}), more,
			     text_of("chunks.jsonl has 25 chunks, but |vectors.npy has %zu rows\n",
				     rows));
		want_collection(false);
	}
}

Test(import, passes_over_blank_lines_when_it_counts_rows)
{
	const char *more[] = {"--create", "--vectors", matrix_write("<f4", 5), NULL};
	char *said;
	int result = import(chunks_write(5, false, (struct oddity){2, "\n \t\r\n{\"id\": \"c2\"}"}),
			    more, &said);

	cr_assert_eq(result, 0, "%s", said);
	cr_assert_eq(count_of("x"), 5);
}

Test(import, makes_nothing_for_integers)
{
	const char *more[] = {"--create", "--vectors", matrix_write("<i4", 5), NULL};

	want_refused(chunks_write(5, false, (struct oddity){0}), more,
		     "vectors.npy: numbers of type '<i4'; vectors must be float32 or float16");
	want_collection(false);
}

Test(import, drops_what_it_made_where_nothing_was_imported)
{
	want_refused(chunks_write(8, true, refused_at(5)), create,
		     "chunks.jsonl:5: INVALID_ARGUMENT: batch 1: chunks[4].id: |"
		     "collection x, made for this import, is dropped again");
	want_collection(false);
	want_idle();
}

Test(import, leaves_what_it_made_where_a_batch_was_imported)
{
	want_refused(chunks_write(25, true, refused_at(15)), create,
		     "chunks.jsonl:15: |(what is before line 11 is imported)\n");
	cr_assert_eq(count_of("x"), 10);
}

Test(import, leaves_what_it_did_not_make)
{
	make_collection("x", DIM, SLUICE__V1__METRIC__METRIC_COSINE);
	want_refused(chunks_write(8, true, refused_at(5)), create, "(nothing is imported)\n");
	want_collection(true);
}
