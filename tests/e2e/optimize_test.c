/* optimize - a collection brought into shape on request: how it is told, and that answers stay. */
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

TestSuite(optimize, .init = world_open, .fini = world_close, .timeout = 120);

#define DONE SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_DONE

static struct grpc_stream *begin(const char *name)
{
	Sluice__V1__OptimizeCollectionRequest request =
		SLUICE__V1__OPTIMIZE_COLLECTION_REQUEST__INIT;

	request.name = text_of("%s", name);
	return session_stream(&world.session, &optimize_collection, &request.base);
}

/* Reads to the end, and wants phases and progress never to go back. The last message, NULL where there
 * was none. */
static const Sluice__V1__OptimizeCollectionResponse *follow(struct grpc_stream *stream)
{
	const Sluice__V1__OptimizeCollectionResponse *last = NULL, *next;

	while ((next = session_next(&world.session, &optimize_collection, stream, NULL))) {
		cr_assert(next->progress >= 0 && next->progress <= 1);
		cr_assert(next->phase > SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_UNSPECIFIED);
		if (last) {
			cr_assert_geq(next->phase, last->phase);
			cr_assert(next->phase > last->phase || next->progress > last->progress);
			cr_assert_neq(last->phase, DONE);
		}
		last = next;
	}
	return last;
}

static const Sluice__V1__CollectionStatus *optimize(const char *name)
{
	SCOPED(grpc_stream) stream = begin(name);
	const Sluice__V1__OptimizeCollectionResponse *last = follow(stream);

	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	cr_assert_not_null(last);
	cr_assert_eq(last->phase, DONE);
	cr_assert_not_null(last->status);
	return last->status;
}

Test(optimize, seals_what_is_there_and_changes_no_answer)
{
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 700};
	float *query = query_make(rows.dim, 4);
	const Sluice__V1__CollectionStatus *now;
	Sluice__V1__SearchRequest request;
	struct seen_list wanted, seen;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	now = optimize("docs");
	cr_assert_eq(now->chunk_count, rows.n);
	cr_assert_eq(now->indexed_rows, rows.n);
	cr_assert_eq(now->segment_count, 1);
	request = search_request(&rows, query, rows.n);
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, rows.n);
	/* Once more there is nothing to do. */
	cr_assert_eq(optimize("docs")->segment_count, 1);
}

Test(optimize, is_followed_by_many)
{
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 500};
	struct grpc_stream *streams[5];

	rows_create(&rows, 2);
	for (size_t i = 0; i < 5; i++)
		streams[i] = begin("docs");
	for (size_t i = 0; i < 5; i++) {
		SCOPED(grpc_stream) stream = streams[i];
		const Sluice__V1__OptimizeCollectionResponse *last = follow(stream);

		WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
		cr_assert(last && last->phase == DONE);
	}
	want_idle();
}

Test(optimize, is_given_up_with_its_client)
{
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 500};

	rows_create(&rows, 2);
	for (int i = 0; i < 20; i++) {
		SCOPED(grpc_stream) stream = begin("docs");

		if (i % 2)
			session_next(&world.session, &optimize_collection, stream, NULL);
	}
	want_idle();
	cr_assert_eq(optimize("docs")->indexed_rows, rows.n);
}

Test(optimize, names_a_collection_that_is_not_there)
{
	SCOPED(grpc_stream) stream = begin("nowhere");

	cr_assert_null(follow(stream));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_NOT_FOUND, "nowhere");
}

Test(optimize, an_empty_collection_is_done_at_once)
{
	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	cr_assert_eq(optimize("docs")->chunk_count, 0);
}

Test(optimize, ends_with_the_collection)
{
	Sluice__V1__DeleteCollectionRequest drop = SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 500};
	SCOPED(grpc_stream) stream = NULL;
	struct answer end;

	rows_create(&rows, 2);
	stream = begin("docs");
	drop.name = text_of("docs");
	WANT(session_call(&world.session, &delete_collection, &drop.base), GRPC_STATUS_OK, "");
	follow(stream);
	end = session_finish(&world.session, stream);
	/* Whichever came first; or it was never found. */
	cr_assert(end.code == GRPC_STATUS_OK || end.code == GRPC_STATUS_FAILED_PRECONDITION ||
			  end.code == GRPC_STATUS_NOT_FOUND,
		  "%d: %s", end.code, end.detail);
	want_idle();
}

Test(optimize, is_a_command)
{
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 300};
	const char *const arguments[] = {
		"optimize", "docs", "--progress", "always", "--server", world.server.address, NULL};
	struct said said;

	rows_create(&rows, 2);
	said = command_run(arguments);
	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert_str_eq(said.out, "optimized docs: 300 chunks, 300 rows in 1 segment\n");
}
