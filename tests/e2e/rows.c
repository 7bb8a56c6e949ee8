/* rows - sent, searched, and sorted by hand. */
#include "tests/e2e/rows.h"

#include "tests/e2e/random.h"

#include <math.h>
#include <stdlib.h>

#define BATCH_ROWS 500
#define TWIN_EVERY 7
#define LANES 8

/* --- the score's definition, a second time and as plainly as can be --- */

static double sum_lanes(const double lanes[LANES])
{
	return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
	       ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

static float score_of(Sluice__V1__Metric metric, const float *query, const float *vector,
		      uint32_t dim)
{
	double lanes[LANES] = {0}, score;

	for (uint32_t i = 0; i < dim; i++) {
		double q = (double)query[i], x = (double)vector[i];

		if (metric == SLUICE__V1__METRIC__METRIC_L2)
			lanes[i % LANES] += (q - x) * (q - x);
		else
			lanes[i % LANES] += q * x;
	}
	score = sum_lanes(lanes);
	if (metric == SLUICE__V1__METRIC__METRIC_L2)
		score = -score;
	return (float)score == 0 ? 0 : (float)score;
}

static void copy_scaled(Sluice__V1__Metric metric, const float *vector, uint32_t dim, float *ret)
{
	double lanes[LANES] = {0}, norm = 1;

	for (uint32_t i = 0; i < dim; i++)
		lanes[i % LANES] += (double)vector[i] * (double)vector[i];
	if (metric == SLUICE__V1__METRIC__METRIC_COSINE)
		norm = sqrt(sum_lanes(lanes));
	for (uint32_t i = 0; i < dim; i++)
		ret[i] = (float)((double)vector[i] / norm);
}

/* --- rows --- */

void rows_make(struct rows *rows, uint64_t seed)
{
	struct arena *arena = &world.session.arena;
	struct random random = {seed};

	rows->vectors = ARENA_ARRAY(arena, float, rows->n * rows->dim);
	rows->stored = ARENA_ARRAY(arena, float, rows->n * rows->dim);
	cr_assert_not_null(rows->vectors);
	cr_assert_not_null(rows->stored);
	for (size_t row = 0; row < rows->n; row++) {
		float *vector = rows_vector(rows, row);

		for (uint32_t i = 0; i < rows->dim; i++)
			vector[i] = random_signed(&random);
		if (row % TWIN_EVERY == TWIN_EVERY - 1)
			memcpy(vector, rows_vector(rows, random_below(&random, row)),
			       rows->dim * sizeof *vector);
		copy_scaled(rows->metric, vector, rows->dim, rows->stored + row * rows->dim);
	}
}

float *rows_vector(const struct rows *rows, size_t row)
{
	return rows->vectors + row * rows->dim;
}

char *rows_id(size_t row)
{
	return text_of("r%06zu", row);
}

char *rows_text(const struct rows *rows, size_t row)
{
	char *text;

	if (!rows->text_bytes)
		return text_of("the text of row %zu", row);
	text = arena_calloc(&world.session.arena, rows->text_bytes + 1, 1);
	cr_assert_not_null(text);
	memset(text, 'a' + (int)(row % 26), rows->text_bytes);
	return text;
}

Sluice__V1__UpsertChunksRequest *batch_make(struct arena *arena, const struct batch_shape *shape)
{
	Sluice__V1__UpsertChunksRequest *request =
		ARENA_NEW(arena, Sluice__V1__UpsertChunksRequest);
	Sluice__V1__Chunk *chunks = ARENA_ARRAY(arena, Sluice__V1__Chunk, shape->n);
	Sluice__V1__Vector *vectors = ARENA_ARRAY(arena, Sluice__V1__Vector, shape->n);

	sluice__v1__upsert_chunks_request__init(request);
	request->collection = arena_printf(arena, "%s", shape->collection);
	request->sequence = shape->sequence;
	request->n_chunks = shape->n;
	request->chunks = ARENA_ARRAY(arena, Sluice__V1__Chunk *, shape->n);
	for (size_t i = 0; i < shape->n; i++) {
		sluice__v1__chunk__init(&chunks[i]);
		sluice__v1__vector__init(&vectors[i]);
		vectors[i].n_values = shape->dim;
		vectors[i].values = ARENA_ARRAY(arena, float, shape->dim);
		chunks[i].id =
			arena_printf(arena, "s%llu-%zu", (unsigned long long)shape->sequence, i);
		chunks[i].vector = &vectors[i];
		request->chunks[i] = &chunks[i];
		vectors[i].values[0] = 1;
	}
	return request;
}

static Sluice__V1__UpsertChunksRequest *rows_batch(const struct rows *rows, size_t first, size_t n)
{
	const struct batch_shape shape = {rows->collection, first, n, rows->dim};
	Sluice__V1__UpsertChunksRequest *request = batch_make(&world.session.arena, &shape);

	for (size_t i = 0; i < n; i++) {
		request->chunks[i]->id = rows_id(first + i);
		request->chunks[i]->text = rows_text(rows, first + i);
		request->chunks[i]->vector->values = rows_vector(rows, first + i);
	}
	return request;
}

/* As many as stay well under the server's bound for a message. */
static size_t batch_rows(const struct rows *rows)
{
	size_t n = 3000000 / (rows->dim * sizeof(float) + rows->text_bytes + 100);

	return n < 1 ? 1 : n > BATCH_ROWS ? BATCH_ROWS : n;
}

uint64_t rows_upsert(const struct rows *rows, size_t first, size_t n)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);
	size_t step = batch_rows(rows), end = first + n;
	uint64_t generation = 0;

	for (; first < end; first += step) {
		const Sluice__V1__UpsertChunksResponse *ack;
		size_t count = end - first < step ? end - first : step;

		stream_send(stream, &rows_batch(rows, first, count)->base);
		ack = session_next(&world.session, &upsert_chunks, stream, NULL);
		if (!ack)
			WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
		cr_assert_not_null(ack);
		cr_assert_eq(ack->sequence, first);
		cr_assert_eq(ack->inserted + ack->replaced, count);
		cr_assert_gt(ack->generation, generation);
		generation = ack->generation;
	}
	grpc_stream_half_close(stream);
	cr_assert_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	return generation;
}

void rows_create(struct rows *rows, uint64_t seed)
{
	rows_make(rows, seed);
	make_collection(rows->collection, rows->dim, rows->metric);
	if (rows->n)
		rows_upsert(rows, 0, rows->n);
}

/* --- the oracle --- */

struct scored {
	float score;
	size_t row;
};

static int compare_scored(const void *left, const void *right)
{
	const struct scored *a = left, *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

struct seen_list oracle_order(const struct rows *rows, const float *query, const bool *is_live)
{
	struct arena *arena = &world.session.arena;
	struct scored *scored = ARENA_ARRAY(arena, struct scored, rows->n);
	float *scaled = ARENA_ARRAY(arena, float, rows->dim);
	struct seen_list list = {.seen = ARENA_ARRAY(arena, struct seen, rows->n)};

	copy_scaled(rows->metric, query, rows->dim, scaled);
	for (size_t row = 0; row < rows->n; row++) {
		if (is_live && !is_live[row])
			continue;
		scored[list.n++] = (struct scored){
			.score = score_of(rows->metric, scaled, rows->stored + row * rows->dim,
					  rows->dim),
			.row = row,
		};
	}
	qsort(scored, list.n, sizeof *scored, compare_scored);
	for (size_t i = 0; i < list.n; i++)
		list.seen[i] = (struct seen){rows_id(scored[i].row), scored[i].score, NULL};
	return list;
}

/* --- searches --- */

float *query_make(uint32_t dim, uint64_t seed)
{
	float *query = ARENA_ARRAY(&world.session.arena, float, dim);
	struct random random = {seed};

	for (uint32_t i = 0; i < dim; i++)
		query[i] = random_signed(&random);
	return query;
}

Sluice__V1__SearchRequest search_request(const struct rows *rows, float *query, uint64_t limit)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Vector *vector = ARENA_NEW(&world.session.arena, Sluice__V1__Vector);

	sluice__v1__vector__init(vector);
	vector->n_values = rows->dim;
	vector->values = query;
	request.collection = text_of("%s", rows->collection);
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = vector;
	if (limit) {
		request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
		request.limit = limit;
	}
	return request;
}

static void seen_append(struct session *session, const Sluice__V1__SearchResponse *response,
			struct seen_list *list)
{
	struct seen *grown = ARENA_ARRAY(&session->arena, struct seen, list->n + response->n_hits);

	cr_assert_not_null(grown);
	if (list->n)
		memcpy(grown, list->seen, list->n * sizeof *grown);
	list->seen = grown;
	for (size_t i = 0; i < response->n_hits; i++) {
		const Sluice__V1__Hit *hit = response->hits[i];

		cr_assert_not_null(hit->chunk);
		cr_assert_eq(hit->rank, list->n, "rank %llu of hit %zu",
			     (unsigned long long)hit->rank, list->n);
		list->seen[list->n++] = (struct seen){hit->chunk->id, hit->score, hit};
	}
}

void seen_read(struct session *session, struct grpc_stream *stream, size_t messages_max,
	       struct seen_list *list)
{
	const Sluice__V1__SearchResponse *response;
	size_t size = 0;

	for (size_t i = 0; i < messages_max; i++) {
		response = session_next(session, &search, stream, &size);
		if (!response) {
			list->end = session_finish(session, stream);
			return;
		}
		cr_assert_null(list->summary, "a message after the summary");
		seen_append(session, response, list);
		list->summary = response->summary;
		list->n_messages++;
		if (response->n_hits > list->hits_in_message_max)
			list->hits_in_message_max = response->n_hits;
		if (size > list->message_bytes_max)
			list->message_bytes_max = size;
	}
}

struct seen_list search_all(struct session *session, const Sluice__V1__SearchRequest *request)
{
	SCOPED(grpc_stream) stream = session_stream(session, &search, &request->base);
	struct seen_list list = {0};

	seen_read(session, stream, SIZE_MAX, &list);
	if (list.end.code == 0)
		cr_assert_not_null(list.summary, "no summary at the end");
	return list;
}

void want_same_at(int line, const struct seen_list *seen, const struct seen_list *wanted, size_t n)
{
	cr_assert_eq(seen->end.code, GRPC_STATUS_OK, "line %d: %s", line, seen->end.detail);
	cr_assert_eq(seen->n, n, "line %d: %zu hits, not %zu", line, seen->n, n);
	cr_assert_leq(n, wanted->n);
	for (size_t i = 0; i < n; i++) {
		cr_assert_str_eq(seen->seen[i].id, wanted->seen[i].id,
				 "line %d: hit %zu is %s (%a), not %s (%a)", line, i,
				 seen->seen[i].id, (double)seen->seen[i].score, wanted->seen[i].id,
				 (double)wanted->seen[i].score);
		cr_assert_arr_eq(&seen->seen[i].score, &wanted->seen[i].score, sizeof(float),
				 "line %d: hit %zu scores %a, not %a", line, i,
				 (double)seen->seen[i].score, (double)wanted->seen[i].score);
	}
}
