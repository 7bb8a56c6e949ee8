/* snapshots - made, listed, fetched and deleted through a server; what is restored answers the same bits
 * and takes the same resume tokens.
 */
#include "kernels/base/checksum.h"
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

#include <stdio.h>
#include <string.h>

TestSuite(snapshots, .init = world_open, .fini = world_close, .timeout = 240);

#define METHOD(name, Name)                                                                         \
	static const struct method name = {"/sluice.v1.AdminService/" #Name,                       \
					   &sluice__v1__##name##_response__descriptor}
METHOD(create_snapshot, CreateSnapshot);
METHOD(list_snapshots, ListSnapshots);
METHOD(delete_snapshot, DeleteSnapshot);
METHOD(download_snapshot, DownloadSnapshot);

#define ROWS 900
#define DIM 8

static struct rows rows = {
	.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = DIM, .n = ROWS};

/* Sealed rows, and some in the head. */
static void fill(void)
{
	rows_make(&rows, 3);
	make_collection("docs", DIM, rows.metric);
	rows_upsert(&rows, 0, ROWS - 100);
	optimize_now("docs");
	rows_upsert(&rows, ROWS - 100, 100);
}

static const Sluice__V1__Snapshot *snapshot_of(const char *collection)
{
	Sluice__V1__CreateSnapshotRequest request = SLUICE__V1__CREATE_SNAPSHOT_REQUEST__INIT;
	const Sluice__V1__CreateSnapshotResponse *response;
	struct answer answer;

	request.collection = text_of("%s", collection);
	answer = session_call(&world.session, &create_snapshot, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	return response->snapshot;
}

static const Sluice__V1__ListSnapshotsResponse *listed(const char *collection, int page_size,
						       const char *token)
{
	Sluice__V1__ListSnapshotsRequest request = SLUICE__V1__LIST_SNAPSHOTS_REQUEST__INIT;
	struct answer answer;

	request.collection = text_of("%s", collection);
	request.page_size = page_size;
	request.page_token = text_of("%s", token);
	answer = session_call(&world.session, &list_snapshots, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	return answer.message;
}

static struct said run(const char *command, const char *a, const char *b, const char *c,
		       const char *d)
{
	const char *words[8] = {command, a, b, c, d};
	size_t n = 1;

	while (n < 5 && words[n])
		n++;
	/* Commands that ask no server know no such option. */
	if (strcmp(command, "restore") != 0) {
		words[n++] = "--server";
		words[n] = world.server.address;
	}
	return command_run(words);
}

static void restart_over(const char *folder)
{
	char path[512]; /* the session's arena goes with it */

	snprintf(path, sizeof path, "%s/%s", world.scratch.path, folder);
	world_restart(&(struct server_options){.data = path});
}

/* The first page's token, in the caller's memory. */
static size_t first_token(const Sluice__V1__SearchRequest *request, uint8_t ret[256])
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request->base);
	const Sluice__V1__SearchResponse *page =
		session_next(&world.session, &search, stream, NULL);

	cr_assert_not_null(page);
	cr_assert_lt(page->n_hits, ROWS / 2);
	cr_assert_leq(page->resume_token.len, 256);
	memcpy(ret, page->resume_token.data, page->resume_token.len);
	return page->resume_token.len;
}

/* Every hit behind the token is the one of its rank. */
static void want_rest(Sluice__V1__SearchRequest *request, uint8_t *token, size_t size,
		      const struct seen_list *wanted)
{
	SCOPED(grpc_stream) stream = NULL;
	const Sluice__V1__SearchResponse *page;
	uint64_t next = 0;

	request->resume_token = (ProtobufCBinaryData){size, token};
	stream = session_stream(&world.session, &search, &request->base);
	while ((page = session_next(&world.session, &search, stream, NULL))) {
		for (size_t i = 0; i < page->n_hits; i++) {
			const Sluice__V1__Hit *hit = page->hits[i];

			cr_assert(next == 0 ? hit->rank > 0 : hit->rank == next);
			cr_assert_lt(hit->rank, wanted->n);
			cr_assert_str_eq(hit->chunk->id, wanted->seen[hit->rank].id);
			cr_assert_eq(hit->score, wanted->seen[hit->rank].score);
			next = hit->rank + 1;
		}
	}
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	cr_assert_eq(next, ROWS);
}

Test(snapshots, restored_elsewhere_answer_the_same_bits_and_take_the_same_tokens)
{
	const Sluice__V1__Snapshot *snapshot;
	Sluice__V1__SearchRequest request;
	struct seen_list seen, wanted;
	uint8_t token[256];
	struct said said;
	size_t token_size;
	char id[64];

	fill();
	request = search_request(&rows, query_make(DIM, 4), ROWS);
	token_size = first_token(&request, token);
	snapshot = snapshot_of("docs");
	cr_assert_eq(snapshot->chunk_count, ROWS);
	cr_assert_eq(snapshot->generation, described("docs")->status->generation);
	snprintf(id, sizeof id, "%s", snapshot->snapshot_id);
	said = run("snapshot", "download", "docs", id, text_of("%s/away", world.scratch.path));
	cr_assert_eq(said.result, 0, "%s", said.err);
	said = run("restore", text_of("%s/away/docs.%s", world.scratch.path, id),
		   text_of("%s/other", world.scratch.path), NULL, NULL);
	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert(strstr(said.out, "restored docs"), "%s", said.out);
	cr_assert_null(strstr(said.out, "note"), "%s", said.out);

	/* What the session had goes with it. */
	restart_over("other");
	rows_make(&rows, 3);
	request = search_request(&rows, query_make(DIM, 4), ROWS);
	wanted = oracle_order(&rows, request.vector->values, NULL);
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, ROWS);
	want_rest(&request, token, token_size, &wanted);
}

Test(snapshots, are_listed_by_pages_and_deleted_by_name)
{
	Sluice__V1__DeleteSnapshotRequest delete = SLUICE__V1__DELETE_SNAPSHOT_REQUEST__INIT;
	const Sluice__V1__ListSnapshotsResponse *list;
	const char *token = "";
	size_t n = 0;

	fill();
	make_collection("docs-2", DIM, rows.metric);
	cr_assert_eq(listed("", 0, "")->n_snapshots, 0);
	snapshot_of("docs");
	snapshot_of("docs-2");
	delete.snapshot_id = snapshot_of("docs")->snapshot_id;
	delete.collection = text_of("docs");
	cr_assert_eq(listed("docs", 0, "")->n_snapshots, 2);
	do {
		list = listed("", 1, token);
		cr_assert_eq(list->n_snapshots, 1);
		cr_assert_str_eq(list->snapshots[0]->collection, n < 2 ? "docs" : "docs-2");
		cr_assert_str_eq(list->snapshots[0]->damage, "");
		token = list->next_page_token;
		n++;
	} while (*token);
	cr_assert_eq(n, 3);

	WANT(session_call(&world.session, &delete_snapshot, &delete.base), GRPC_STATUS_OK, "");
	WANT(session_call(&world.session, &delete_snapshot, &delete.base), GRPC_STATUS_NOT_FOUND,
	     "collection docs has no snapshot");
	cr_assert_eq(listed("docs", 0, "")->n_snapshots, 1);
	delete.collection = text_of("docs-3");
	WANT(session_call(&world.session, &delete_snapshot, &delete.base), GRPC_STATUS_NOT_FOUND,
	     "docs-3");
}

Test(snapshots, say_what_is_wrong_with_a_request)
{
	Sluice__V1__CreateSnapshotRequest create = SLUICE__V1__CREATE_SNAPSHOT_REQUEST__INIT;
	Sluice__V1__DownloadSnapshotRequest download = SLUICE__V1__DOWNLOAD_SNAPSHOT_REQUEST__INIT;
	Sluice__V1__ListSnapshotsRequest list = SLUICE__V1__LIST_SNAPSHOTS_REQUEST__INIT;

	create.collection = text_of("none");
	WANT(session_call(&world.session, &create_snapshot, &create.base), GRPC_STATUS_NOT_FOUND,
	     "none");
	download.collection = text_of("docs");
	download.snapshot_id = text_of("../../../etc");
	WANT(session_call(&world.session, &download_snapshot, &download.base),
	     GRPC_STATUS_NOT_FOUND, "no snapshot");
	download.collection = text_of("../docs");
	WANT(session_call(&world.session, &download_snapshot, &download.base),
	     GRPC_STATUS_INVALID_ARGUMENT, "collection");
	list.page_token = text_of("after:");
	WANT(session_call(&world.session, &list_snapshots, &list.base),
	     GRPC_STATUS_INVALID_ARGUMENT, "page_token");
}

/* Whoever stops reading costs a piece, and no more. */
Test(snapshots, are_sent_as_their_reader_takes_them)
{
	Sluice__V1__DownloadSnapshotRequest request = SLUICE__V1__DOWNLOAD_SNAPSHOT_REQUEST__INIT;
	const Sluice__V1__DownloadSnapshotResponse *piece;
	uint64_t files = 0, bytes = 0;
	struct grpc_stream *stream;
	const char *file = "";

	fill();
	request.collection = text_of("docs");
	request.snapshot_id = snapshot_of("docs")->snapshot_id;
	stream = session_stream(&world.session, &download_snapshot, &request.base);
	cr_assert_not_null(session_next(&world.session, &download_snapshot, stream, NULL));
	grpc_stream_close(stream);
	want_idle();

	stream = session_stream(&world.session, &download_snapshot, &request.base);
	while ((piece = session_next(&world.session, &download_snapshot, stream, NULL))) {
		if (strcmp(piece->file, file) != 0) {
			files++;
			cr_assert_eq(piece->offset, 0);
		}
		file = piece->file;
		bytes += piece->data.len;
		cr_assert_eq(piece->data_crc32c,
			     checksum_crc32c(0, bytes_of(piece->data.data, piece->data.len)));
	}
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	grpc_stream_close(stream);
	cr_assert_str_eq(file, "MANIFEST");
	cr_assert_eq(files, 4);
	cr_assert_gt(bytes, listed("docs", 0, "")->snapshots[0]->size_bytes);
}

Test(snapshots, are_kept_as_many_as_are_asked_for)
{
	struct said said;

	fill();
	make_collection("notes", DIM, rows.metric);
	for (int i = 0; i < 3; i++) {
		said = run("snapshot", "create", "docs", "notes", "--keep=2");
		cr_assert_eq(said.result, 0, "%s", said.err);
	}
	cr_assert_eq(listed("docs", 0, "")->n_snapshots, 2);
	cr_assert_eq(listed("notes", 0, "")->n_snapshots, 2);
	said = run("snapshot", "list", NULL, NULL, NULL);
	cr_assert(strstr(said.out, "900 chunks"), "%s", said.out);
	said = run("snapshot", "download", "docs", "latest", world.scratch.path);
	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert(strstr(said.out, listed("docs", 0, "")->snapshots[1]->snapshot_id), "%s",
		  said.out);
	said = run("snapshot", "make", NULL, NULL, NULL);
	cr_assert_eq(said.result, 2);
	cr_assert(strstr(said.err, "create, list, delete or download"), "%s", said.err);
	said = run("snapshot", "delete", "docs", NULL, NULL);
	cr_assert_eq(said.result, 2);
	said = run("restore", world.scratch.path, world.scratch.path, NULL, NULL);
	cr_assert_eq(said.result, 1);
	cr_assert(strstr(said.err, "MANIFEST"), "%s", said.err);
}
