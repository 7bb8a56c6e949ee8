/* filter - chunks by what is said of them: searched, listed, counted, deleted, and refused. */
#include "tests/e2e/details.h"
#include "tests/e2e/filters.h"
#include "tests/e2e/rows.h"
#include "tests/support/skip.h"

#include <unistd.h>

TestSuite(filter, .init = world_open, .fini = world_close, .timeout = 120);

#define N_ROWS 600
/* So many that half of them are scanned and not gathered (index/cursor/exact.h). */
#define N_ROWS_MANY 9000
#define DIM 8

static struct rows rows = {
	.collection = "docs",
	.metric = SLUICE__V1__METRIC__METRIC_COSINE,
	.dim = DIM,
	.n = N_ROWS,
};

/* --- the collection: of row i its language, its size, its weight and so on follow from i --- */

static const char *const languages[] = {"de", "en", "fr", "frr"};

static void put(Sluice__V1__Chunk *chunk, const char *key, Sluice__V1__MetadataValue *value)
{
	Sluice__V1__Chunk__MetadataEntry *entry = session_make(sizeof *entry);

	sluice__v1__chunk__metadata_entry__init(entry);
	entry->key = text_of("%s", key);
	entry->value = value;
	chunk->metadata[chunk->n_metadata++] = entry;
}

static void describe(Sluice__V1__Chunk *chunk, size_t row)
{
	chunk->metadata = session_make(8 * sizeof(void *));
	chunk->document_id = row % 10 ? text_of("doc-%zu", row / 20) : text_of("%s", "");
	chunk->ordinal = (uint32_t)row % 20;
	put(chunk, "lang", value_text(languages[row % 4]));
	put(chunk, "size", value_integer((INT64_C(1) << 53) + (int64_t)row));
	put(chunk, "weight",
	    row % 2 ? value_number((double)row / 2) : value_integer((int64_t)row / 2));
	put(chunk, "draft", value_boolean(row % 5 == 0));
	put(chunk, "tags", value_labels(row % 3 ? "a" : "b", text_of("t%zu", row % 50)));
	if (row % 7 == 0)
		put(chunk, "author", value_text("someone"));
	put(chunk, "loose", value_text("undeclared"));
}

static Sluice__V1__FieldSchema *declare(const char *name, Sluice__V1__FieldType type)
{
	Sluice__V1__FieldSchema *field = session_make(sizeof *field);

	sluice__v1__field_schema__init(field);
	field->name = text_of("%s", name);
	field->type = type;
	return field;
}

static void create(void)
{
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__FieldSchema *fields[] = {
		declare("lang", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING),
		declare("size", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_INT),
		declare("weight", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE),
		declare("draft", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_BOOL),
		declare("tags", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING_LIST),
		declare("author", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING),
	};

	collection.name = text_of("docs");
	collection.dimension = DIM;
	collection.metric = rows.metric;
	collection.fields = fields;
	collection.n_fields = sizeof fields / sizeof *fields;
	request.collection = &collection;
	WANT(session_call(&world.session, &create_collection, &request.base), GRPC_STATUS_OK, "");
}

static void upsert(size_t first, size_t n)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);
	Sluice__V1__UpsertChunksRequest *request =
		batch_make(&world.session.arena, &(struct batch_shape){"docs", 1, n, DIM});

	for (size_t i = 0; i < n; i++) {
		Sluice__V1__Chunk *chunk = request->chunks[i];

		chunk->id = rows_id(first + i);
		chunk->vector->values = rows_vector(&rows, first + i);
		describe(chunk, first + i);
	}
	cr_assert(stream_send(stream, &request->base));
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	cr_assert(grpc_stream_half_close(stream));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
}

static void fill_with(size_t n)
{
	rows.n = n;
	rows_make(&rows, 42);
	create();
	for (size_t first = 0; first < n; first += 200)
		upsert(first, 200);
}

static void fill(void)
{
	fill_with(N_ROWS);
}

/* --- and what each should leave --- */

static bool is_german(size_t row)
{
	return row % 4 == 0;
}

static bool is_one_big(size_t row)
{
	return row == 301;
}

static bool is_of_some_weight(size_t row)
{
	return row >= 100 && row < 201;
}

static bool is_french_draft(size_t row)
{
	return row % 4 == 2 && row % 5 == 0;
}

static bool is_frenchlike(size_t row)
{
	return row % 4 >= 2;
}

static bool is_labelled(size_t row)
{
	return row % 50 == 7;
}

static bool has_author(size_t row)
{
	return row % 7 == 0;
}

static bool has_no_author(size_t row)
{
	return row % 7 != 0;
}

static bool is_no_draft(size_t row)
{
	return row % 5 != 0;
}

static bool is_german_or_labelled(size_t row)
{
	return is_german(row) || is_labelled(row);
}

static bool is_in_two_documents(size_t row)
{
	return row % 10 && (row / 20 == 3 || row / 20 == 29);
}

static bool is_nothing(size_t row)
{
	(void)row;
	return false;
}

static bool is_any(size_t row)
{
	(void)row;
	return true;
}

struct pick {
	Sluice__V1__Filter *filter;
	bool (*passes)(size_t row);
};

#define PICKS 14

static void pick_all(struct pick picks[PICKS])
{
	const struct pick list[PICKS] = {
		{filter_all(condition_equal("lang", value_text("de")), NULL), is_german},
		{filter_all(condition_equal("size", value_integer((INT64_C(1) << 53) + 301)), NULL),
		 is_one_big},
		{filter_all(condition_between("weight", value_number(50), value_number(100.5)),
			    NULL),
		 is_of_some_weight},
		{filter_all(condition_equal("lang", value_text("fr")),
			    condition_equal("draft", value_boolean(true))),
		 is_french_draft},
		{filter_all(condition_begins("lang", "fr"), NULL), is_frenchlike},
		{filter_all(condition_between("lang", value_text("f"), NULL), NULL), is_frenchlike},
		{filter_all(condition_one_of("tags", value_text("t7"), value_text("t7-")), NULL),
		 is_labelled},
		{filter_all(condition_exists("author", true), NULL), has_author},
		{filter_all(condition_exists("author", false), NULL), has_no_author},
		{filter_none(condition_equal("draft", value_boolean(true))), is_no_draft},
		{filter_any(condition_equal("lang", value_text("de")),
			    condition_equal("tags", value_text("t7"))),
		 is_german_or_labelled},
		{filter_documents("doc-3", "doc-29"), is_in_two_documents},
		{filter_all(condition_equal("lang", value_integer(1)), NULL), is_nothing},
		{filter_new(), is_any},
	};

	memcpy(picks, list, sizeof list);
}

static size_t mark(bool (*passes)(size_t row), bool *ret_live)
{
	size_t n = 0;

	for (size_t row = 0; row < rows.n; row++) {
		ret_live[row] = passes(row);
		n += ret_live[row];
	}
	return n;
}

static struct answer count_with(Sluice__V1__Filter *filter)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;

	request.collection = text_of("docs");
	request.filter = filter;
	return session_call(&world.session, &count_chunks, &request.base);
}

static uint64_t count_matching(Sluice__V1__Filter *filter)
{
	struct answer answer = count_with(filter);

	WANT(answer, GRPC_STATUS_OK, "");
	return ((const Sluice__V1__CountChunksResponse *)answer.message)->count;
}

static void want_search(Sluice__V1__Filter *filter, const bool *live, size_t n, size_t i)
{
	float *query = query_make(DIM, i + 1);
	Sluice__V1__SearchRequest request = search_request(&rows, query, rows.n + 1);
	struct seen_list wanted = oracle_order(&rows, query, live), seen;

	request.filter = filter;
	seen = search_all(&world.session, &request);
	WANT(seen.end, GRPC_STATUS_OK, "");
	cr_assert_eq(seen.n, n, "filter %zu: %zu hits, not %zu", i, seen.n, n);
	WANT_SAME(&seen, &wanted, n);
	/* What was scanned passed, more than once where the walk is long. */
	if (rows.n == N_ROWS)
		cr_assert_leq(seen.summary->scanned, n, "filter %zu", i);
	cr_assert_geq(seen.summary->scanned + seen.summary->reranked, n, "filter %zu", i);
}

Test(filter, search_gives_the_nearest_of_those_that_pass)
{
	struct pick picks[PICKS];

	fill();
	pick_all(picks);
	for (size_t i = 0; i + 1 < PICKS; i++) {
		bool live[N_ROWS];
		size_t n = mark(picks[i].passes, live);

		want_search(picks[i].filter, live, n, i);
	}
	want_idle();
}

Test(filter, count_counts_those_that_pass)
{
	struct pick picks[PICKS];

	fill();
	pick_all(picks);
	for (size_t i = 0; i < PICKS; i++) {
		bool live[N_ROWS];

		cr_assert_eq(count_matching(picks[i].filter), mark(picks[i].passes, live),
			     "filter %zu", i);
	}
}

/* The rows of a list, by their ids. */
static size_t list_rows(const Sluice__V1__ListChunksRequest *request, size_t *ret_rows)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &list_chunks, &request->base);
	const Sluice__V1__ListChunksResponse *response;
	size_t n = 0;

	while ((response = session_next(&world.session, &list_chunks, stream, NULL)))
		for (size_t i = 0; i < response->n_chunks; i++)
			ret_rows[n++] = strtoul(response->chunks[i]->id + 1, NULL, 10);
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	return n;
}

Test(filter, list_lists_those_that_pass_in_order_of_writing)
{
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	struct pick picks[PICKS];

	fill();
	pick_all(picks);
	request.collection = text_of("docs");
	for (size_t i = 0; i < PICKS; i++) {
		size_t listed[N_ROWS], n, at = 0;

		request.filter = picks[i].filter;
		n = list_rows(&request, listed);
		for (size_t row = 0; row < N_ROWS; row++) {
			if (!picks[i].passes(row))
				continue;
			cr_assert_lt(at, n, "filter %zu", i);
			cr_assert_eq(listed[at++], row, "filter %zu", i);
		}
		cr_assert_eq(at, n, "filter %zu", i);
	}
	request.filter = picks[0].filter;
	request._limit_case = SLUICE__V1__LIST_CHUNKS_REQUEST___LIMIT_LIMIT;
	request.limit = 5;
	cr_assert_eq(list_rows(&request, (size_t[N_ROWS]){0}), 5);
}

static struct answer delete_with(Sluice__V1__Filter *filter)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;

	request.collection = text_of("docs");
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_FILTER;
	request.filter = filter;
	return session_call(&world.session, &delete_chunks, &request.base);
}

Test(filter, delete_removes_those_that_pass_for_good)
{
	struct answer answer;

	fill();
	answer = delete_with(filter_all(condition_equal("lang", value_text("de")), NULL));
	WANT(answer, GRPC_STATUS_OK, "");
	cr_assert_eq(((const Sluice__V1__DeleteChunksResponse *)answer.message)->deleted,
		     N_ROWS / 4);
	cr_assert_eq(count_matching(filter_all(condition_equal("lang", value_text("de")), NULL)),
		     0);

	server_kill(&world.server);
	world_restart(&(struct server_options){0});
	cr_assert_eq(count_of("docs"), N_ROWS - N_ROWS / 4);
	cr_assert_eq(count_matching(filter_all(condition_equal("lang", value_text("de")), NULL)),
		     0);
	cr_assert_eq(count_matching(filter_all(condition_equal("lang", value_text("en")), NULL)),
		     N_ROWS / 4);
	answer = delete_with(filter_all(condition_equal("lang", value_text("de")), NULL));
	cr_assert_eq(((const Sluice__V1__DeleteChunksResponse *)answer.message)->deleted, 0);
}

Test(filter, a_walk_goes_on_over_what_a_filter_deleted_meanwhile)
{
	float *query;
	Sluice__V1__SearchRequest request;
	struct seen_list wanted, seen = {0};
	bool live[N_ROWS];

	fill();
	query = query_make(DIM, 3);
	request = search_request(&rows, query, N_ROWS);
	request.filter = filter_all(condition_begins("lang", "fr"), NULL);
	request.max_hits_per_message = 20;
	mark(is_frenchlike, live);
	wanted = oracle_order(&rows, query, live);
	{
		SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request.base);

		seen_read(&world.session, stream, 1, &seen);
		WANT(delete_with(filter_all(condition_exists("lang", true), NULL)), GRPC_STATUS_OK,
		     "");
		seen_read(&world.session, stream, SIZE_MAX, &seen);
	}
	WANT_SAME(&seen, &wanted, N_ROWS / 2);
	cr_assert_eq(count_of("docs"), 0);
}

Test(filter, replacing_a_chunk_replaces_what_is_said_of_it)
{
	fill();
	upsert(0, 100);
	cr_assert_eq(count_matching(filter_all(condition_equal("lang", value_text("de")), NULL)),
		     N_ROWS / 4);
	cr_assert_eq(count_of("docs"), N_ROWS);
}

/* --- from the command line --- */

/* What the program prints; ret_code its exit status. */
static const char *run_program(const char *command, const char *filter, int *ret_code)
{
	const char *const arguments[] = {
		command, "docs", "--filter", filter, "--server", world.server.address, NULL,
	};
	int output = -1;
	pid_t pid = program_start(arguments, &output);
	char *printed = session_make(4096);
	size_t size = 0;
	ssize_t n;

	while ((n = read(output, printed + size, 4095 - size)) > 0)
		size += (size_t)n;
	close(output);
	*ret_code = program_await(pid, 60);
	return printed;
}

Test(filter, is_written_as_words_on_the_command_line)
{
	int code;

	fill();
	cr_assert_str_eq(run_program("count", "lang=de", &code), "150\n");
	cr_assert_eq(code, 0);
	cr_assert_str_eq(run_program("count", "size>=9007199254741293, weight<150.6", &code),
			 "1\n");
	cr_assert_str_eq(run_program("count", "!lang^=fr, draft=true", &code), "60\n");
	cr_assert_str_eq(run_program("delete", "lang in (de, en), !draft=true", &code), "240\n");
	cr_assert_eq(count_of("docs"), N_ROWS - 240);
	/* Bad words are bad usage, and nothing is deleted. */
	cr_assert_str_empty(run_program("delete", "lagn=de", &code));
	cr_assert_eq(code, 2);
	cr_assert_eq(count_of("docs"), N_ROWS - 240);
}

/* --- refusals --- */

static void want_refusal(struct answer answer, const char *reason, const char *field)
{
	struct details details = want_reason_at(__LINE__, &world.session, answer, reason);

	cr_assert_eq(answer.code, GRPC_STATUS_INVALID_ARGUMENT, "%s", answer.detail);
	cr_assert_not_null(details.bad_request);
	cr_assert_eq(details.bad_request->n_field_violations, 1);
	cr_assert_str_eq(details.bad_request->field_violations[0]->field, field);
}

Test(filter, a_field_that_is_not_declared_is_named_everywhere)
{
	Sluice__V1__Filter *filter = filter_all(condition_equal("lang", value_text("de")),
						condition_exists("loose", false));
	Sluice__V1__ListChunksRequest list = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Sluice__V1__SearchRequest request;
	struct answer answers[4];
	struct seen_list seen;

	fill();
	answers[0] = count_with(filter);
	answers[1] = delete_with(filter);
	request = search_request(&rows, query_make(DIM, 1), 3);
	request.filter = filter;
	seen = search_all(&world.session, &request);
	answers[2] = seen.end;
	list.collection = text_of("docs");
	list.filter = filter;
	{
		SCOPED(grpc_stream) stream =
			session_stream(&world.session, &list_chunks, &list.base);

		cr_assert_null(session_next(&world.session, &list_chunks, stream, NULL));
		answers[3] = session_finish(&world.session, stream);
	}
	for (size_t i = 0; i < 4; i++) {
		struct details details;

		want_refusal(answers[i], "FIELD_NOT_DECLARED", "filter.all_of[1].field");
		details = details_of(&world.session, answers[i]);
		cr_assert_str_eq(details_value(&details, "field"), "loose");
		cr_assert_str_eq(details_value(&details, "collection"), "docs");
	}
	cr_assert_eq(count_of("docs"), N_ROWS);
}

Test(filter, operands_that_mean_nothing_are_refused)
{
	Sluice__V1__Condition *both = condition_between("size", value_integer(1), value_text("z"));

	fill();
	want_refusal(count_with(filter_all(condition_equal("tags", value_labels("a", "b")), NULL)),
		     "SCHEMA_VIOLATION", "filter.all_of[0].equal_to");
	want_refusal(count_with(filter_none(
			     condition_one_of("tags", value_text("a"), value_labels("a", "b")))),
		     "SCHEMA_VIOLATION", "filter.none_of[0].one_of.values[1]");
	want_refusal(count_with(filter_all(condition_between("size", NULL, NULL), NULL)),
		     "SCHEMA_VIOLATION", "filter.all_of[0].range");
	want_refusal(count_with(filter_all(both, NULL)), "SCHEMA_VIOLATION",
		     "filter.all_of[0].range");
	want_refusal(count_with(filter_any(condition_equal("lang", value_text("a")),
					   condition_between("draft", value_boolean(true), NULL))),
		     "SCHEMA_VIOLATION", "filter.any_of.conditions[1].range.gte");
}

Test(filter, that_names_nothing_deletes_nothing)
{
	fill();
	want_refusal(delete_with(filter_new()), "EMPTY_FILTER", "filter");
	cr_assert_eq(count_of("docs"), N_ROWS);
}

/* --- among many --- */

static void want_all_picks(void)
{
	static bool live[N_ROWS_MANY];
	struct pick picks[PICKS];

	fill_with(N_ROWS_MANY);
	pick_all(picks);
	for (size_t i = 0; i + 1 < PICKS; i++) {
		size_t n = mark(picks[i].passes, live);

		want_search(picks[i].filter, live, n, i);
	}
}

Test(filter, is_the_same_among_many)
{
	want_all_picks();
}

Test(filter, is_the_same_on_a_gpu)
{
	if (!server_has_software_gpu())
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	world_restart(&(struct server_options){.gpu = "software"});
	want_all_picks();
}
