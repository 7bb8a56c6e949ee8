/* accuracy - what a search says of how true it is, with approximate indexes and without. */
#include "tests/e2e/rows.h"

TestSuite(accuracy, .init = world_open, .fini = world_close, .timeout = 300);

#define EXACT SLUICE__V1__GUARANTEE__GUARANTEE_EXACT
#define APPROXIMATE SLUICE__V1__GUARANTEE__GUARANTEE_APPROXIMATE

enum { dim = 6, n_rows = 6000 };

/* Below so many hits indexes are asked; from there on nothing is missing. */
#define DEEPEST 4000

struct made {
	Sluice__V1__IndexKind kind;
	const char *factory;
	float default_recall;
};

/* A collection of that kind, indexed as far as its kind is. */
static struct rows make(const struct made *made)
{
	Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	struct rows rows = {.collection = "docs",
			    .metric = SLUICE__V1__METRIC__METRIC_L2,
			    .dim = dim,
			    .n = n_rows};

	index.kind = made->kind;
	index.faiss_factory = text_of("%s", made->factory);
	index.default_recall_target = made->default_recall;
	collection.name = text_of("docs");
	collection.dimension = dim;
	collection.metric = rows.metric;
	collection.index = &index;
	request.collection = &collection;
	WANT(session_call(&world.session, &create_collection, &request.base), GRPC_STATUS_OK, "");
	rows_make(&rows, 3);
	rows_upsert(&rows, 0, n_rows);
	optimize_now("docs");
	return rows;
}

static struct seen_list ask(const struct rows *rows, float *query, uint64_t limit, float recall)
{
	Sluice__V1__SearchRequest request = search_request(rows, query, limit);
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__Exact exact = SLUICE__V1__EXACT__INIT;

	accuracy.kind_case = recall > 0 ? SLUICE__V1__ACCURACY__KIND_RECALL_TARGET
					: SLUICE__V1__ACCURACY__KIND_EXACT;
	if (recall > 0)
		accuracy.recall_target = recall;
	else
		accuracy.exact = &exact;
	request.accuracy = &accuracy;
	return search_all(&world.session, &request);
}

/* What a search that is resumed gives: search_all wants ranks from 0 on. */
static size_t want_rest(const Sluice__V1__SearchRequest *request, const struct seen *wanted,
			uint64_t rank, const Sluice__V1__Summary **ret_summary)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request->base);
	const Sluice__V1__SearchResponse *page;
	size_t n = 0;

	while ((page = session_next(&world.session, &search, stream, NULL))) {
		for (size_t i = 0; i < page->n_hits; i++, n++) {
			cr_assert_str_eq(page->hits[i]->chunk->id, wanted[n].id);
			cr_assert_eq(page->hits[i]->rank, rank + n);
		}
		*ret_summary = page->summary;
	}
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	return n;
}

/* Hits in the order of the oracle, each once, and none missing behind the deepest that indexes are
 * asked for. Gives how many of the first n are there. */
static size_t want_in_order(const struct seen_list *seen, const struct seen_list *wanted, size_t n)
{
	size_t at = 0, found = 0;

	for (size_t i = 0; i < seen->n; i++, at++) {
		while (at < wanted->n && strcmp(wanted->seen[at].id, seen->seen[i].id) != 0) {
			cr_assert_lt(i, DEEPEST, "hit %zu: %s is missing", i, wanted->seen[at].id);
			at++;
		}
		cr_assert_lt(at, wanted->n, "hit %zu is out of order", i);
		cr_assert_eq(wanted->seen[at].score, seen->seen[i].score);
		cr_assert_eq(seen->seen[i].hit->rank, i);
		found += at < n;
	}
	return found;
}

static const struct made lists = {SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF, "", 0};

Test(accuracy, a_search_with_a_target_asks_the_index_and_says_so)
{
	struct rows rows = make(&lists);
	float *query = query_make(dim, 4);
	struct seen_list wanted = oracle_order(&rows, query, NULL);
	struct seen_list seen = ask(&rows, query, 10, 0.95F);

	want_in_order(&seen, &wanted, 10);
	cr_assert_eq(seen.summary->guarantee, APPROXIMATE);
	cr_assert_not_null(strstr(seen.summary->backend, " ivf"), "%s", seen.summary->backend);
	cr_assert_lt(seen.summary->scanned, n_rows);
}

Test(accuracy, an_exact_search_scans_and_says_so)
{
	struct rows rows = make(&lists);
	float *query = query_make(dim, 4);
	struct seen_list wanted = oracle_order(&rows, query, NULL);
	struct seen_list seen = ask(&rows, query, 500, 0);

	WANT_SAME(&seen, &wanted, 500);
	cr_assert_eq(seen.summary->guarantee, EXACT);
	cr_assert_null(strchr(seen.summary->backend, ' '), "%s", seen.summary->backend);
	cr_assert_geq(seen.summary->scanned, n_rows);
}

Test(accuracy, a_search_that_names_none_has_the_collections_target)
{
	struct made made = lists;
	struct rows rows;
	float *query = query_make(dim, 4);
	struct seen_list seen;
	Sluice__V1__SearchRequest request;
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;

	made.default_recall = 0.8F;
	rows = make(&made);
	request = search_request(&rows, query, 10);
	seen = search_all(&world.session, &request);
	cr_assert_eq(seen.summary->guarantee, APPROXIMATE);
	/* Its token is good for that target by name, and for no other. */
	request.resume_token = seen.summary->resume_token;
	request.accuracy = &accuracy;
	accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_RECALL_TARGET;
	accuracy.recall_target = 0.95F;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "resume_token|accuracy");
	accuracy.recall_target = 0.8F;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_OK, "");
}

Test(accuracy, a_walk_to_the_end_gives_each_hit_once_and_in_order)
{
	struct rows rows = make(&lists);
	float *query = query_make(dim, 5);
	struct seen_list wanted = oracle_order(&rows, query, NULL);
	Sluice__V1__SearchRequest request = search_request(&rows, query, UINT64_MAX);
	struct seen_list seen = search_all(&world.session, &request);
	size_t found = want_in_order(&seen, &wanted, DEEPEST);

	cr_assert_eq(seen.summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
	cr_assert_eq(seen.summary->guarantee, APPROXIMATE);
	cr_assert_geq(found, DEEPEST * 8 / 10);
	cr_assert_geq(seen.n, n_rows - (DEEPEST - found) * 2);
}

Test(accuracy, a_walk_that_is_resumed_misses_nothing_below_its_token)
{
	struct rows rows = make(&lists);
	float *query = query_make(dim, 6);
	struct seen_list wanted = oracle_order(&rows, query, NULL);
	Sluice__V1__SearchRequest request = search_request(&rows, query, 40);
	struct seen_list seen = search_all(&world.session, &request);
	const Sluice__V1__Summary *summary = NULL;
	size_t at = 0;

	cr_assert_eq(seen.summary->guarantee, APPROXIMATE);
	while (strcmp(wanted.seen[at].id, seen.seen[seen.n - 1].id) != 0)
		at++;
	request.resume_token = seen.summary->resume_token;
	request.limit = n_rows;
	cr_assert_eq(want_rest(&request, wanted.seen + at + 1, 40, &summary), n_rows - at - 1);
	/* What was missed before stays missed. */
	cr_assert_not_null(summary);
	cr_assert_eq(summary->guarantee, APPROXIMATE);
}

Test(accuracy, a_flat_collection_is_exact_whatever_is_asked)
{
	const struct made flat = {SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT, "", 0};
	struct rows rows = make(&flat);
	float *query = query_make(dim, 4);
	struct seen_list wanted = oracle_order(&rows, query, NULL);
	struct seen_list seen = ask(&rows, query, 100, 0.5F);

	WANT_SAME(&seen, &wanted, 100);
	cr_assert_eq(seen.summary->guarantee, EXACT);
}

Test(accuracy, an_index_of_faiss_is_asked_by_its_factory_string)
{
	const struct made faiss = {SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "HNSW16", 0};
	struct rows rows = make(&faiss);
	float *query = query_make(dim, 4);
	struct seen_list wanted = oracle_order(&rows, query, NULL);
	struct seen_list seen = ask(&rows, query, 10, 0.9F);

	want_in_order(&seen, &wanted, 10);
	cr_assert_eq(seen.summary->guarantee, APPROXIMATE);
	cr_assert_not_null(strstr(seen.summary->backend, " HNSW16"), "%s", seen.summary->backend);
}

Test(accuracy, holds_on_average_and_after_a_restart)
{
	struct rows rows = make(&lists);
	size_t found = 0;

	for (uint64_t i = 0; i < 30; i++) {
		float *query = query_make(dim, 100 + i);
		struct seen_list wanted = oracle_order(&rows, query, NULL);
		struct seen_list seen = ask(&rows, query, 10, 0.9F);

		found += want_in_order(&seen, &wanted, 10);
	}
	cr_assert_geq(found, 30 * 9);
	world_restart(&(struct server_options){0});
	rows_make(&rows, 3);
	for (uint64_t i = 0; i < 5; i++) {
		float *query = query_make(dim, 100 + i);
		struct seen_list wanted = oracle_order(&rows, query, NULL);
		struct seen_list seen = ask(&rows, query, 10, 0.9F);

		want_in_order(&seen, &wanted, 10);
		cr_assert_eq(seen.summary->guarantee, APPROXIMATE);
	}
}
