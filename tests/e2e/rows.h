/* rows - vectors from a seed, written to a collection, and the order in which they have to come.
 *
 * Row i has id "r000000" with i in its digits, the vector at i and a text of its own. Every seventh
 * row has the vector of an earlier one: real ties, which the order of writing breaks. The oracle is
 * the definition of the exact score over all rows, and a sort. These assert: for the test's own
 * thread alone.
 */
#ifndef SLUICE_TESTS_E2E_ROWS_H
#define SLUICE_TESTS_E2E_ROWS_H

#include "tests/e2e/world.h"

struct rows {
	const char *collection;
	Sluice__V1__Metric metric;
	uint32_t dim;
	size_t n;
	size_t text_bytes; /* of each row; 0: a few words */
	float *vectors;    /* [n][dim] as they are sent */
	float *stored;     /* [n][dim] as they are kept: of unit length under COSINE */
};

/* rows_make - in the session's arena. */
void rows_make(struct rows *rows, uint64_t seed);
float *rows_vector(const struct rows *rows, size_t row);
char *rows_id(size_t row);
char *rows_text(const struct rows *rows, size_t row);

/* rows_upsert - rows first .. first + n - 1, in batches of at most 500; wants every one
 * acknowledged. Gives the last generation. */
uint64_t rows_upsert(const struct rows *rows, size_t first, size_t n);

/* rows_create - the collection and all of its rows. */
void rows_create(struct rows *rows, uint64_t seed);

struct batch_shape {
	const char *collection;
	uint64_t sequence;
	size_t n;
	uint32_t dim;
};

/* batch_make - n chunks "s<sequence>-<i>" without text, each with the first unit vector: to be
 * changed at will. Does not assert, so any thread may call it with an arena of its own. */
Sluice__V1__UpsertChunksRequest *batch_make(struct arena *arena, const struct batch_shape *shape);

/* A hit as the server gave it, or as it should be. */
struct seen {
	const char *id;
	float score;
	const Sluice__V1__Hit *hit; /* NULL in an oracle */
};

struct seen_list {
	struct seen *seen; /* [n] */
	size_t n;
	size_t n_messages, hits_in_message_max, message_bytes_max;
	const Sluice__V1__Summary *summary; /* of the last message */
	struct answer end;
};

/* oracle_order - all rows for which is_live holds (NULL: all), best first.
 * query  [dim] as it is sent. */
struct seen_list oracle_order(const struct rows *rows, const float *query, const bool *is_live);

/* query_make - numbers from -1 to 1, in the session's arena. */
float *query_make(uint32_t dim, uint64_t seed);

/* A request for the rows' collection, with that query; limit 0: none. */
Sluice__V1__SearchRequest search_request(const struct rows *rows, float *query, uint64_t limit);

/* search_all - reads a search to its end; wants the summary in the last message and nowhere else.
 */
struct seen_list search_all(struct session *session, const Sluice__V1__SearchRequest *request);

/* seen_read - the same for a stream that is open already; what was read before is kept. */
void seen_read(struct session *session, struct grpc_stream *stream, size_t messages_max,
	       struct seen_list *list);

/* WANT_SAME - the first n of wanted are what was seen, to the bit. */
#define WANT_SAME(seen, wanted, n) want_same_at(__LINE__, (seen), (wanted), (n))
void want_same_at(int line, const struct seen_list *seen, const struct seen_list *wanted, size_t n);

#endif
