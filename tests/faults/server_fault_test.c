/* server_fault - for every n, the nth call of a kind fails in a server, somewhere in a script of every
 * rpc: each ends as it should or with a clear status, and the server serves on.
 *
 * Here with a stride; `bazel run //tests/faults -- servers` takes each. FAULT_STRIDE and FAULT_FIRST say
 * which.
 */
#include "tests/e2e/filters.h"
#include "tests/e2e/iterating.h"
#include "tests/faults/shimmed.h"
#include "tests/faults/shimmed_snapshots.h"

#include <errno.h>
#include <stdio.h>

enum { DIM = 8, BATCH = 30, BATCHES = 4 };

static char where[128];
static size_t n_failed;
/* Of the collection: what was acknowledged. */
static size_t n_rows;
static bool exists;

static void begin(void)
{
	scratch_open(&world.scratch);
	shimmed_open(world.scratch.path);
	cr_assert(shimmed_start(), "the server does not start");
	session_open(&world.session, world.server.address);
}

TestSuite(server_fault, .init = begin, .fini = world_close, .timeout = 0);

/* --- the script --- */

/* Whether it went well; else it says why, with a code that is for such things. */
static bool went_well(struct answer answer, const char *what)
{
	static const int clear[] = {GRPC_STATUS_RESOURCE_EXHAUSTED, GRPC_STATUS_INTERNAL,
				    GRPC_STATUS_DATA_LOSS, GRPC_STATUS_UNAVAILABLE};

	if (answer.code == GRPC_STATUS_OK)
		return true;
	cr_assert_gt(shimmed_struck(), 0, "%s: %s failed by itself: %d %s", where, what,
		     answer.code, answer.detail);
	for (size_t i = 0; i < sizeof clear / sizeof *clear; i++) {
		if (answer.code != clear[i])
			continue;
		cr_assert(answer.detail && *answer.detail, "%s: %s does not say why", where, what);
		n_failed++;
		return false;
	}
	cr_assert_fail("%s: %s ended with %d: %s", where, what, answer.code, answer.detail);
	return false;
}

static void create(void)
{
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	Sluice__V1__FieldSchema field = SLUICE__V1__FIELD_SCHEMA__INIT;
	Sluice__V1__FieldSchema *fields = &field;

	field.name = text_of("lang");
	field.type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING;
	collection.name = text_of("docs");
	collection.dimension = DIM;
	collection.metric = SLUICE__V1__METRIC__METRIC_L2;
	collection.n_fields = 1;
	collection.fields = &fields;
	request.collection = &collection;
	n_rows = 0;
	exists = went_well(session_call(&world.session, &create_collection, &request.base),
			   "CreateCollection");
}

/* A write whose answer failed has happened whole, or not at all. */
static void settle(size_t with)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	const Sluice__V1__CountChunksResponse *response;
	struct answer answer;

	request.collection = text_of("docs");
	answer = session_call(&world.session, &count_chunks, &request.base);
	if (answer.code != GRPC_STATUS_OK)
		return;
	response = answer.message;
	cr_assert(response->count == n_rows || response->count == with,
		  "%s: there are %zu of %zu or %zu: half a write", where, (size_t)response->count,
		  n_rows, with);
	n_rows = response->count;
}

static void upsert(uint64_t sequence)
{
	const struct batch_shape shape = {
		.collection = "docs", .sequence = sequence, .n = BATCH, .dim = DIM};
	Sluice__V1__UpsertChunksRequest *request = batch_make(&world.session.arena, &shape);
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);

	for (size_t i = 0; i < BATCH; i++)
		for (size_t j = 0; j < DIM; j++)
			request->chunks[i]->vector->values[j] = (float)(sequence * i + j);
	if (stream_send(stream, &request->base) &&
	    session_next(&world.session, &upsert_chunks, stream, NULL))
		n_rows += BATCH;
	grpc_stream_half_close(stream);
	if (!went_well(session_finish(&world.session, stream), "UpsertChunks"))
		settle(n_rows + BATCH);
}

static Sluice__V1__SearchRequest a_search(bool filtered)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Vector *vector = ARENA_NEW(&world.session.arena, Sluice__V1__Vector);

	sluice__v1__vector__init(vector);
	vector->n_values = DIM;
	vector->values = query_make(DIM, 3);
	request.collection = text_of("docs");
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = vector;
	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = 50;
	if (filtered)
		request.filter = filter_all(condition_exists("lang", false), NULL);
	return request;
}

static void search_some(bool filtered)
{
	Sluice__V1__SearchRequest request = a_search(filtered);
	SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request.base);
	const Sluice__V1__SearchResponse *page;
	size_t n = 0;

	while ((page = session_next(&world.session, &search, stream, NULL)))
		n += page->n_hits;
	if (went_well(session_finish(&world.session, stream), "Search") && exists)
		cr_assert_eq(n, n_rows < 50 ? n_rows : 50, "%s: Search gave %zu of %zu", where, n,
			     n_rows);
}

static void iterate_some(void)
{
	Sluice__V1__SearchRequest request = a_search(false);
	SCOPED(grpc_stream) stream = session_stream(&world.session, &iterate, NULL);

	if (iterate_open(stream, &request) && iterate_credit(stream, 20))
		(void)iterate_close(stream);
	(void)went_well(iterate_read_all(&world.session, stream, NULL), "Iterate");
}

static void list_some(void)
{
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	const Sluice__V1__ListChunksResponse *page;
	SCOPED(grpc_stream) stream = NULL;
	size_t n = 0;

	request.collection = text_of("docs");
	stream = session_stream(&world.session, &list_chunks, &request.base);
	while ((page = session_next(&world.session, &list_chunks, stream, NULL)))
		n += page->n_chunks;
	if (went_well(session_finish(&world.session, stream), "ListChunks"))
		cr_assert_eq(n, n_rows, "%s: ListChunks gave %zu of %zu", where, n, n_rows);
}

static void get_some(void)
{
	Sluice__V1__GetChunksRequest request = SLUICE__V1__GET_CHUNKS_REQUEST__INIT;
	char *ids[] = {text_of("s1-1"), text_of("s2-3"), text_of("nobody")};

	request.collection = text_of("docs");
	request.n_ids = 3;
	request.ids = ids;
	(void)went_well(session_call(&world.session, &get_chunks, &request.base), "GetChunks");
}

static void count_some(void)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	const Sluice__V1__CountChunksResponse *response;
	struct answer answer;

	request.collection = text_of("docs");
	answer = session_call(&world.session, &count_chunks, &request.base);
	response = answer.message;
	if (went_well(answer, "CountChunks"))
		cr_assert_eq(response->count, n_rows, "%s: CountChunks", where);
}

static void delete_some(void)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds list = SLUICE__V1__CHUNK_IDS__INIT;
	const Sluice__V1__DeleteChunksResponse *response;
	char *ids[] = {text_of("s1-2"), text_of("s1-4"), text_of("s2-6")};
	struct answer answer;

	list.n_ids = 3;
	list.ids = ids;
	request.collection = text_of("docs");
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &list;
	answer = session_call(&world.session, &delete_chunks, &request.base);
	response = answer.message;
	if (went_well(answer, "DeleteChunks"))
		n_rows -= response->deleted;
	else
		settle(n_rows - 3);
}

static void optimize(void)
{
	Sluice__V1__OptimizeCollectionRequest request =
		SLUICE__V1__OPTIMIZE_COLLECTION_REQUEST__INIT;
	SCOPED(grpc_stream) stream = NULL;

	request.name = text_of("docs");
	stream = session_stream(&world.session, &optimize_collection, &request.base);
	while (session_next(&world.session, &optimize_collection, stream, NULL))
		;
	(void)went_well(session_finish(&world.session, stream), "OptimizeCollection");
}

static void ask_about(void)
{
	Sluice__V1__GetCollectionRequest get = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	Sluice__V1__ListCollectionsRequest list = SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	Sluice__V1__ListCursorsRequest cursors = SLUICE__V1__LIST_CURSORS_REQUEST__INIT;
	Sluice__V1__GetServerInfoRequest info = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;

	get.name = text_of("docs");
	(void)went_well(session_call(&world.session, &get_collection, &get.base), "GetCollection");
	(void)went_well(session_call(&world.session, &list_collections, &list.base),
			"ListCollections");
	(void)went_well(session_call(&world.session, &list_cursors, &cursors.base), "ListCursors");
	(void)went_well(session_call(&world.session, &get_server_info, &info.base),
			"GetServerInfo");
}

/* Gone, or not: a name that is left is to go before the next. */
static bool drop(void)
{
	Sluice__V1__DeleteCollectionRequest request = SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;
	struct answer answer;

	request.name = text_of("docs");
	answer = session_call(&world.session, &delete_collection, &request.base);
	if (answer.code != GRPC_STATUS_NOT_FOUND && !went_well(answer, "DeleteCollection"))
		return false;
	exists = false;
	return true;
}

static struct snapshots_run snapshots_run(void)
{
	return (struct snapshots_run){where, went_well, "docs", n_rows};
}

static void do_all(void)
{
	struct snapshots_run snapshots;

	create();
	if (!exists)
		return;
	for (uint64_t i = 1; i <= BATCHES; i++)
		upsert(i);
	ask_about();
	search_some(false);
	search_some(true);
	iterate_some();
	list_some();
	get_some();
	count_some();
	delete_some();
	optimize();
	search_some(false);
	count_some();
	snapshots = snapshots_run();
	snapshots_call(&snapshots);
	(void)drop();
}

/* --- failures --- */

/* A session of its own for each, since what it holds stays until its end. */
static void renew_session(void)
{
	session_close(&world.session);
	session_open(&world.session, world.server.address);
}

static bool is_there(void)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;

	request.name = text_of("docs");
	return session_call(&world.session, &get_collection, &request.base).code !=
	       GRPC_STATUS_NOT_FOUND;
}

/* Nothing fails any more: what is there can be read and written, restored, and goes. Of a drop that failed nobody
 * can say whether it has happened. */
static void want_served(void)
{
	const struct snapshots_run snapshots = snapshots_run();

	shimmed_disarm();
	snapshots_want_whole(&snapshots);
	exists = exists && is_there();
	if (exists) {
		list_some();
		count_some();
		upsert(100);
	}
	want_idle();
	cr_assert(drop(), "%s: it does not go", where);
}

/* What a failed removal left goes with the next start. */
static void want_swept(void)
{
	const struct snapshots_run snapshots = snapshots_run();

	session_close(&world.session);
	cr_assert_eq(server_stop(&world.server, 60), 0, "%s", where);
	cr_assert(shimmed_start(), "%s: no start afterwards", where);
	session_open(&world.session, world.server.address);
	snapshots_want_swept(&snapshots);
}

struct kind {
	const char *name;
	enum shim_kind kind;
	int error;
	long runs; /* where no stride is said */
};

static void fail_each(const struct kind *kind)
{
	size_t runs = 0;
	long n, stride;

	snprintf(where, sizeof where, "%s: none", kind->name);
	shimmed_arm(kind->kind, kind->error, -1);
	do_all();
	n = shimmed_calls();
	want_served();
	stride = shimmed_number("FAULT_STRIDE", n / kind->runs + 1);
	for (long nth = shimmed_number("FAULT_FIRST", 0); nth < n; nth += stride, runs++) {
		snprintf(where, sizeof where, "%s: FAULT_FIRST=%ld", kind->name, nth);
		renew_session();
		shimmed_arm(kind->kind, kind->error, nth);
		do_all();
		want_served();
	}
	want_swept();
	fprintf(stderr,
		"server_fault: %s: %ld calls, every %ld. failed: %zu runs, %zu calls failed\n",
		kind->name, n, stride, runs, n_failed);
}

#define FAULT(test, ...)                                                                           \
	Test(server_fault, test)                                                                   \
	{                                                                                          \
		fail_each(&(const struct kind){#test, __VA_ARGS__});                               \
	}

FAULT(memory_runs_out, SHIM_MEMORY, ENOMEM, 24)
FAULT(files_fail, SHIM_FILE, EIO, 24)
FAULT(files_have_no_room, SHIM_FILE, ENOSPC, 24)
FAULT(lmdb_has_no_memory, SHIM_LMDB, ENOMEM, 24)
FAULT(lmdb_cannot_read_or_write, SHIM_LMDB, EIO, 24)
