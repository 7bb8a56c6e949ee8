/* look - ListChunks, CountChunks, Search, and the directory. */
#include "tests/crash/look.h"

#include "tests/e2e/filters.h"
#include "tests/e2e/rows.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Halves have 11 bits, and a vector of unit length was scaled. */
#define TOLERANCE 1e-3F

/* --- chunks --- */

static void want_vector(const struct plan *plan, const Sluice__V1__Chunk *chunk, uint32_t id,
			uint32_t version)
{
	float wanted[DIM], scale = 1;

	chunk_vector(id, version, wanted);
	if (plan->metric == SLUICE__V1__METRIC__METRIC_COSINE) {
		float sum = 0;

		for (size_t i = 0; i < DIM; i++)
			sum += wanted[i] * wanted[i];
		scale = 1 / sqrtf(sum);
	}
	cr_assert_not_null(chunk->vector, "%s/%s", plan->name, chunk->id);
	cr_assert_eq(chunk->vector->n_values, DIM);
	for (size_t i = 0; i < DIM; i++)
		cr_assert(fabsf(chunk->vector->values[i] - wanted[i] * scale) < TOLERANCE,
			  "%s/%s of operation %u has the vector of another", plan->name, chunk->id,
			  version);
}

static void want_metadata(const struct plan *plan, const Sluice__V1__Chunk *chunk, uint32_t id,
			  uint32_t version)
{
	char language[16];

	snprintf(language, sizeof language, "l%u", chunk_language(id, version));
	cr_assert_eq(chunk->n_metadata, 2, "%s/%s", plan->name, chunk->id);
	for (size_t i = 0; i < 2; i++) {
		const Sluice__V1__Chunk__MetadataEntry *entry = chunk->metadata[i];

		if (strcmp(entry->key, "lang") == 0)
			cr_assert_str_eq(entry->value->string_value, language);
		else
			cr_assert_eq(entry->value->int_value, version);
	}
}

static void want_whole_text(const Sluice__V1__Chunk *chunk, uint32_t id, uint32_t version)
{
	int size = snprintf(NULL, 0, "chunk %u as operation %u left it", id, version);

	cr_assert_eq(strlen(chunk->text), (size_t)size + chunk_padding(id, version), "%s: its text",
		     chunk->id);
}

static void note_chunk(const struct plan *plan, const Sluice__V1__Chunk *chunk, struct state *found)
{
	unsigned id, id_of_text, version;

	cr_assert_eq(sscanf(chunk->id, "c%u", &id), 1, "%s/%s", plan->name, chunk->id);
	cr_assert_lt(id, plan->ids);
	cr_assert_eq(sscanf(chunk->text, "chunk %u as operation %u", &id_of_text, &version), 2);
	cr_assert_eq(id, id_of_text, "%s/%s has the text of chunk %u", plan->name, chunk->id,
		     id_of_text);
	want_whole_text(chunk, id, version);
	cr_assert_eq(found->versions[id], 0, "%s/%s twice", plan->name, chunk->id);
	cr_assert_str_eq(chunk->document_id, text_of("d%u", id / DOCUMENT_CHUNKS));
	cr_assert_eq(chunk->ordinal, id % DOCUMENT_CHUNKS);
	want_vector(plan, chunk, id, version);
	want_metadata(plan, chunk, id, version);
	found->versions[id] = version;
}

static void read_chunks(const struct plan *plan, struct state *found)
{
	char *paths[] = {text_of("id"),   text_of("document_id"), text_of("ordinal"),
			 text_of("text"), text_of("metadata"),    text_of("vector")};
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	const Sluice__V1__ListChunksResponse *page;
	SCOPED(grpc_stream) stream = NULL;

	mask.n_paths = sizeof paths / sizeof *paths;
	mask.paths = paths;
	request.collection = text_of("%s", plan->name);
	request.read_mask = &mask;
	stream = session_stream(&world.session, &list_chunks, &request.base);
	while ((page = session_next(&world.session, &list_chunks, stream, NULL)))
		for (size_t i = 0; i < page->n_chunks; i++)
			note_chunk(plan, page->chunks[i], found);
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
}

/* --- the index beside the store --- */

static void find_itself(const struct plan *plan, uint32_t id, uint32_t version)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__Exact exact = SLUICE__V1__EXACT__INIT;
	float values[DIM];
	struct seen_list hits;

	chunk_vector(id, version, values);
	vector.n_values = DIM;
	vector.values = values;
	accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_EXACT;
	accuracy.exact = &exact;
	request.collection = text_of("%s", plan->name);
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = &vector;
	request.accuracy = &accuracy;
	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = 1;
	hits = search_all(&world.session, &request);
	cr_assert_eq(hits.end.code, GRPC_STATUS_OK, "%s: %s", plan->name, hits.end.detail);
	cr_assert_eq(hits.n, 1, "%s/c%u finds nothing", plan->name, id);
	cr_assert_str_eq(hits.seen[0].id, text_of("c%u", id),
			 "%s/c%u of operation %u finds another: it is not in the index", plan->name,
			 id, version);
}

static uint64_t count_by(const struct plan *plan, Sluice__V1__Filter *filter)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	struct answer answer;

	request.collection = text_of("%s", plan->name);
	request.filter = filter;
	answer = session_call(&world.session, &count_chunks, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	cr_assert_not_null(answer.message);
	return ((const Sluice__V1__CountChunksResponse *)answer.message)->count;
}

static void want_postings(const struct plan *plan, const struct state *found)
{
	size_t of_language[LANGUAGES] = {0}, of_documents = 0;
	char first[32] = "d0", second[32];

	snprintf(second, sizeof second, "d%zu", (plan->ids - 1) / DOCUMENT_CHUNKS);
	for (uint32_t id = 0; id < plan->ids; id++) {
		if (!found->versions[id])
			continue;
		of_language[chunk_language(id, found->versions[id])]++;
		of_documents += id < DOCUMENT_CHUNKS ||
				id / DOCUMENT_CHUNKS == (plan->ids - 1) / DOCUMENT_CHUNKS;
	}
	for (uint32_t i = 0; i < LANGUAGES; i++) {
		Sluice__V1__Condition *is = condition_equal("lang", value_text(text_of("l%u", i)));

		cr_assert_eq(count_by(plan, filter_all(is, NULL)), of_language[i],
			     "%s: chunks of language %u", plan->name, i);
	}
	cr_assert_eq(count_by(plan, filter_documents(first, second)), of_documents,
		     "%s: chunks of two documents", plan->name);
	cr_assert_eq(count_by(plan, filter_all(condition_exists("version", true), NULL)),
		     state_count(found), "%s: chunks with a number", plan->name);
}

/* --- files --- */

/* Files of a suffix in a collection's directory; those of no kind that has a place there are told. */
struct files {
	size_t segments, indexes;
};

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && strcmp(name + n - m, suffix) == 0;
}

static struct files count_files(const char *directory)
{
	DIR *stream = opendir(directory);
	struct files files = {0};
	struct dirent *entry;

	cr_assert_not_null(stream, "%s", directory);
	while ((entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (name[0] == '.' || strcmp(name, "data.mdb") == 0 ||
		    strcmp(name, "lock.mdb") == 0)
			continue;
		files.segments += ends_with(name, ".segment");
		if (ends_with(name, ".ann")) {
			const char *segment = text_of("%s/%.*s.segment", directory,
						      (int)(strlen(name) - 4), name);

			files.indexes++;
			cr_assert_eq(access(segment, F_OK), 0, "%s/%s: without its segment",
				     directory, name);
		}
		cr_assert(ends_with(name, ".segment") || ends_with(name, ".ann"),
			  "%s/%s is left over", directory, name);
	}
	closedir(stream);
	return files;
}

static void want_files(const struct plan *plan, const char *data)
{
	struct files files = count_files(text_of("%s/collections/%s", data, plan->name));

	cr_assert_eq(files.segments, described(plan->name)->status->segment_count,
		     "%s: files of segments", plan->name);
}

static void want_no_more_directories(const struct model *models, const char *data)
{
	const char *path = text_of("%s/collections", data);
	DIR *stream = opendir(path);
	struct dirent *entry;

	cr_assert_not_null(stream, "%s", path);
	while ((entry = readdir(stream))) {
		bool known = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;

		for (size_t i = 0; i < PLANS; i++)
			known = known || (models[i].state.exists &&
					  strcmp(entry->d_name, models[i].plan->name) == 0);
		cr_assert(known, "%s/%s is left over", path, entry->d_name);
	}
	closedir(stream);
}

/* --- all together --- */

static bool exists(const struct plan *plan)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	struct answer answer;

	request.name = text_of("%s", plan->name);
	answer = session_call(&world.session, &get_collection, &request.base);
	if (answer.code != GRPC_STATUS_NOT_FOUND)
		WANT(answer, GRPC_STATUS_OK, "");
	return answer.code == GRPC_STATUS_OK;
}

void look_settle(struct model *models, const char *data)
{
	static struct state found; /* too large for a stack */
	char why[512] = "";

	for (size_t i = 0; i < PLANS; i++) {
		const struct plan *plan = models[i].plan;

		found = (struct state){.exists = exists(plan)};
		if (found.exists) {
			read_chunks(plan, &found);
			cr_assert_eq(count_of(plan->name), state_count(&found), "%s", plan->name);
		}
		cr_assert(model_settle(&models[i], &found, why, sizeof why), "%s", why);
		if (!found.exists)
			continue;
		for (uint32_t id = 0; id < plan->ids; id++)
			if (found.versions[id])
				find_itself(plan, id, found.versions[id]);
		want_postings(plan, &found);
		want_files(plan, data);
	}
	want_no_more_directories(models, data);
}

/* --- traces --- */

const char *const trace_names[TRACES] = {
	[TRACE_SEGMENT] = "a segment was being written",
	[TRACE_INDEX] = "an index was being written",
	[TRACE_MADE] = "a collection was being made",
	[TRACE_DROPPED] = "a collection was being dropped",
};

static void look_into(const char *directory, const char *suffix, const char *other,
		      size_t *ret_suffix, size_t *ret_other)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		*ret_suffix += ends_with(entry->d_name, suffix);
		*ret_other += ends_with(entry->d_name, other);
	}
	closedir(stream);
}

void look_for_traces(const char *data, size_t ret[TRACES])
{
	char path[512];

	snprintf(path, sizeof path, "%s/collections", data);
	look_into(path, ".new", ".old", &ret[TRACE_MADE], &ret[TRACE_DROPPED]);
	for (size_t i = 0; i < PLANS; i++) {
		snprintf(path, sizeof path, "%s/collections/%s", data, plans[i].name);
		look_into(path, ".segment.new", ".ann.new", &ret[TRACE_SEGMENT], &ret[TRACE_INDEX]);
	}
}
