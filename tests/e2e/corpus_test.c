/* corpus - a real one, imported by the command line and searched: the hundred thousand chunks of some
 * manuals, and questions with their known answers.
 *
 * It is not part of the project. It is looked for in SLUICE_CORPUS, else in shared/corpus beside the
 * checkout, which is found through the link that Bazel makes to this file.
 */
#include "tests/e2e/filters.h"
#include "tests/e2e/rows.h"
#include "tests/support/skip.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	QUERIES = 1000,
	EVERY = 10,  /* query of the thousand */
	TRUTH = 100, /* rows known for each */
	LIMIT = 10,
};

/* Scores closer than this may stand in another order in the truth: its sums are of another order. */
#define SCORE_TOLERANCE 3e-7

TestSuite(corpus, .init = world_open, .fini = world_close, .timeout = 280);

/* --- files --- */

static char *corpus_path(const char *file)
{
	static const char own[] = "/tests/e2e/corpus_test.c";
	const char *named = getenv("SLUICE_CORPUS");
	char path[PATH_MAX];
	size_t n;

	if (named)
		return text_of("%s/%s", named, file);
	if (!realpath(&own[1], path))
		return NULL;
	n = strlen(path);
	if (n < sizeof own || strcmp(path + n - (sizeof own - 1), own) != 0)
		return NULL;
	path[n - (sizeof own - 1)] = 0;
	return text_of("%s/../shared/corpus/%s", path, file);
}

/* The numbers of an .npy file of four bytes each, in the session's arena. */
static void *npy_numbers(const char *file, const char *type, size_t count)
{
	void *numbers = arena_alloc(&world.session.arena, count * 4);
	FILE *in = fopen(corpus_path(file), "re");
	uint8_t head[10];
	char header[4096] = "";
	size_t n;

	cr_assert_not_null(numbers);
	cr_assert_not_null(in, "%s", file);
	cr_assert_eq(fread(head, 1, sizeof head, in), sizeof head);
	cr_assert_arr_eq(head, "\x93NUMPY\1", 7);
	n = (size_t)head[8] | (size_t)head[9] << 8;
	cr_assert_lt(n, sizeof header);
	cr_assert_eq(fread(header, 1, n, in), n);
	cr_assert(strstr(header, type), "%s: %s", file, header);
	cr_assert_eq(fread(numbers, 4, count, in), count);
	fclose(in);
	return numbers;
}

/* The id of each line. */
static char **line_ids(size_t *ret_n)
{
	size_t room = 1 << 17, n = 0, size = 0;
	char **ids = ARENA_ARRAY(&world.session.arena, char *, room);
	FILE *in = fopen(corpus_path("chunks.jsonl"), "re");
	char *line = NULL;
	ssize_t length;

	cr_assert_not_null(ids);
	cr_assert_not_null(in);
	while ((length = getline(&line, &size, in)) > 0) {
		json_t *chunk = json_loadb(line, (size_t)length, 0, NULL);

		cr_assert_lt(n, room);
		cr_assert_not_null(chunk, "line %zu", n + 1);
		ids[n++] = text_of("%s", json_string_value(json_object_get(chunk, "id")));
		json_decref(chunk);
	}
	free(line);
	fclose(in);
	*ret_n = n;
	return ids;
}

/* --- the truth --- */

struct truth {
	const int32_t *rows; /* [TRUTH] */
	const float *scores; /* [TRUTH] */
	char *const *ids;    /* by row */
};

static bool is_close(float a, float b)
{
	double difference = (double)a - (double)b;

	return difference < SCORE_TOLERANCE && difference > -SCORE_TOLERANCE;
}

/* The place in the truth that the hit of that rank may have: its own, or another of the same score. */
static bool is_right(const struct truth *truth, size_t rank, const struct seen *seen)
{
	for (size_t place = 0; place < TRUTH; place++)
		if (strcmp(truth->ids[truth->rows[place]], seen->id) == 0)
			return place == rank || is_close(truth->scores[place], truth->scores[rank]);
	return false;
}

static void want_truth(size_t query, const struct truth *truth, const struct seen_list *seen)
{
	cr_assert_eq(seen->end.code, GRPC_STATUS_OK, "%s", seen->end.detail);
	cr_assert_eq(seen->n, LIMIT);
	for (size_t i = 0; i < LIMIT; i++) {
		cr_assert(is_right(truth, i, &seen->seen[i]),
			  "query %zu, rank %zu: %s (%.9g), not %s (%.9g)", query, i,
			  seen->seen[i].id, (double)seen->seen[i].score, truth->ids[truth->rows[i]],
			  (double)truth->scores[i]);
		cr_assert_float_eq((double)seen->seen[i].score, (double)truth->scores[i],
				   2 * SCORE_TOLERANCE);
		for (size_t j = 0; j < i; j++)
			cr_assert_str_neq(seen->seen[i].id, seen->seen[j].id);
	}
}

static void import(void)
{
	const char *const arguments[] = {
		"import",
		"manuals",
		corpus_path("chunks.jsonl"),
		"--vectors",
		corpus_path("vectors.npy"),
		"--create",
		"--progress",
		"never",
		"--server",
		world.server.address,
		NULL,
	};
	pid_t pid = program_start(arguments, NULL);

	cr_assert_eq(program_await(pid, 240), 0, "the import failed");
}

static bool is_there(void)
{
	char *path = corpus_path("chunks.jsonl");

	return path && access(path, R_OK) == 0;
}

Test(corpus, questions_get_their_known_answers)
{
	struct truth truth;
	struct rows rows = {.collection = "manuals", .dim = 384};
	const int32_t *truth_rows;
	const float *truth_scores;
	float *queries;
	size_t n;

	if (!is_there())
		SKIP_LOUDLY("no corpus (SLUICE_CORPUS, or shared/corpus beside the checkout)");
	import();
	truth.ids = line_ids(&n);
	cr_assert_eq(count_of("manuals"), n);

	queries = npy_numbers("queries.npy", "<f4", QUERIES * 384);
	truth_rows = npy_numbers("truth_ids.npy", "<i4", QUERIES * TRUTH);
	truth_scores = npy_numbers("truth_scores.npy", "<f4", QUERIES * TRUTH);
	for (size_t query = 0; query < QUERIES; query += EVERY) {
		Sluice__V1__SearchRequest request =
			search_request(&rows, queries + query * 384, LIMIT);
		struct seen_list seen = search_all(&world.session, &request);

		truth.rows = truth_rows + query * TRUTH;
		truth.scores = truth_scores + query * TRUTH;
		want_truth(query, &truth, &seen);
	}
	want_idle();
}

/* --- filtered --- */

enum { DIM = 384, FILTERED_EVERY = 100 };

/* What a line says of its chunk. */
struct described {
	char source[32];
	long long depth, chars;
};

static struct described *line_descriptions(size_t n)
{
	struct described *list = ARENA_ARRAY(&world.session.arena, struct described, n);
	FILE *in = fopen(corpus_path("chunks.jsonl"), "re");
	char *line = NULL;
	size_t size = 0;

	cr_assert_not_null(list);
	cr_assert_not_null(in);
	for (size_t i = 0; i < n; i++) {
		ssize_t length = getline(&line, &size, in);
		json_t *chunk = json_loadb(line, (size_t)length, 0, NULL), *metadata;

		cr_assert_not_null(chunk, "line %zu", i + 1);
		metadata = json_object_get(chunk, "metadata");
		snprintf(list[i].source, sizeof list[i].source, "%s",
			 json_string_value(json_object_get(metadata, "source")));
		list[i].depth = json_integer_value(json_object_get(metadata, "depth"));
		list[i].chars = json_integer_value(json_object_get(metadata, "chars"));
		json_decref(chunk);
	}
	free(line);
	fclose(in);
	return list;
}

/* The vectors of an .npy file of float16, as floats of unit length. */
static float *unit_vectors(size_t n)
{
	const _Float16 *halves = npy_numbers("vectors.npy", "<f2", n * DIM / 2);
	float *vectors = ARENA_ARRAY(&world.session.arena, float, n *DIM);

	cr_assert_not_null(vectors);
	for (size_t row = 0; row < n; row++) {
		double square = 0;

		for (size_t i = row * DIM; i < (row + 1) * DIM; i++)
			square += (double)halves[i] * (double)halves[i];
		for (size_t i = row * DIM; i < (row + 1) * DIM; i++)
			vectors[i] = (float)((double)halves[i] / sqrt(square));
	}
	return vectors;
}

static bool is_of_git(const struct described *chunk)
{
	return strcmp(chunk->source, "git") == 0;
}

static bool is_shallow(const struct described *chunk)
{
	return chunk->depth <= 1;
}

static bool is_long_and_of_git(const struct described *chunk)
{
	return is_of_git(chunk) && chunk->chars > 760;
}

static bool is_not_of_git(const struct described *chunk)
{
	return !is_of_git(chunk) && chunk->chars >= 100;
}

struct pick {
	Sluice__V1__Filter *filter;
	bool (*passes)(const struct described *chunk);
};

/* The ten best scores of the rows that pass, by brute force. */
static void best_scores(const float *vectors, const bool *live, size_t n, const float *query,
			double ret[LIMIT])
{
	double square = 0;

	for (size_t i = 0; i < DIM; i++)
		square += (double)query[i] * (double)query[i];
	for (size_t i = 0; i < LIMIT; i++)
		ret[i] = -2;
	for (size_t row = 0; row < n; row++) {
		double score = 0;

		if (!live[row])
			continue;
		for (size_t i = 0; i < DIM; i++)
			score += (double)query[i] * (double)vectors[row * DIM + i];
		score /= sqrt(square);
		for (size_t i = 0; i < LIMIT; i++)
			if (score > ret[i]) {
				double worse = ret[i];

				ret[i] = score;
				score = worse;
			}
	}
}

static void want_filtered(const struct pick *pick, const struct seen_list *seen,
			  const double scores[LIMIT])
{
	cr_assert_eq(seen->end.code, GRPC_STATUS_OK, "%s", seen->end.detail);
	cr_assert_eq(seen->n, LIMIT);
	for (size_t i = 0; i < LIMIT; i++) {
		const Sluice__V1__Chunk *chunk = seen->seen[i].hit->chunk;
		struct described described = {0};

		for (size_t m = 0; m < chunk->n_metadata; m++) {
			const Sluice__V1__MetadataValue *value = chunk->metadata[m]->value;

			if (strcmp(chunk->metadata[m]->key, "source") == 0)
				snprintf(described.source, sizeof described.source, "%s",
					 value->string_value);
			if (strcmp(chunk->metadata[m]->key, "depth") == 0)
				described.depth = value->int_value;
			if (strcmp(chunk->metadata[m]->key, "chars") == 0)
				described.chars = value->int_value;
		}
		cr_assert(pick->passes(&described), "%s does not pass", chunk->id);
		cr_assert_float_eq((double)seen->seen[i].score, scores[i], 2 * SCORE_TOLERANCE);
	}
}

Test(corpus, filtered_questions_get_what_brute_force_gets)
{
	const struct rows rows = {.collection = "manuals", .dim = DIM};
	const struct described *described;
	const float *vectors;
	float *queries;
	bool *live;
	size_t n;

	if (!is_there())
		SKIP_LOUDLY("no corpus (SLUICE_CORPUS, or shared/corpus beside the checkout)");
	import();
	n = count_of("manuals");
	described = line_descriptions(n);
	vectors = unit_vectors(n);
	queries = npy_numbers("queries.npy", "<f4", QUERIES * DIM);
	live = ARENA_ARRAY(&world.session.arena, bool, n);

	const struct pick picks[] = {
		{filter_all(condition_equal("source", value_text("git")), NULL), is_of_git},
		{filter_all(condition_between("depth", NULL, value_number(1.5)), NULL), is_shallow},
		{filter_all(condition_equal("source", value_text("git")),
			    condition_between("chars", value_integer(761), NULL)),
		 is_long_and_of_git},
		{filter_none(condition_equal("source", value_text("git"))), is_not_of_git},
	};
	picks[3].filter->all_of[picks[3].filter->n_all_of++] =
		condition_between("chars", value_number(99.5), NULL);
	for (size_t p = 0; p < sizeof picks / sizeof *picks; p++) {
		for (size_t row = 0; row < n; row++)
			live[row] = picks[p].passes(&described[row]);
		for (size_t query = 0; query < QUERIES; query += FILTERED_EVERY) {
			Sluice__V1__SearchRequest request =
				search_request(&rows, queries + query * DIM, LIMIT);
			double scores[LIMIT];
			struct seen_list seen;

			request.filter = picks[p].filter;
			seen = search_all(&world.session, &request);
			best_scores(vectors, live, n, queries + query * DIM, scores);
			want_filtered(&picks[p], &seen, scores);
		}
	}
	want_idle();
}
