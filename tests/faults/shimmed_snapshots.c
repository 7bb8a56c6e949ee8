/* shimmed_snapshots - restores in the test's process, from the server's own directory and from pieces. */
#include "tests/faults/shimmed_snapshots.h"

#include "index/backup_receive.h"
#include "tests/faults/shimmed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)32 << 20)

#define METHOD(name, Name)                                                                         \
	static const struct method name = {"/sluice.v1.AdminService/" #Name,                       \
					   &sluice__v1__##name##_response__descriptor}
METHOD(create_snapshot, CreateSnapshot);
METHOD(list_snapshots, ListSnapshots);
METHOD(delete_snapshot, DeleteSnapshot);
METHOD(download_snapshot, DownloadSnapshot);

static void want_ok(const struct snapshots_run *run, status s, const char *what)
{
	cr_assert(!status_failed(s), "%s: %s: %s: %s", run->where, what, status_code_name(s.code),
		  s.detail);
}

static void remove_all(const char *name)
{
	char command[400];

	snprintf(command, sizeof command, "rm -rf '%s/%s'", world.scratch.path, name);
	cr_assert_eq(system(command), 0);
}

/* --- restoring --- */

static void want_restored(const struct snapshots_run *run, const char *from)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct backup_restored restored = {0};
	char to[300];

	arena_init(arena, ARENA_BYTES);
	snprintf(to, sizeof to, "%s/restored", world.scratch.path);
	want_ok(run, backup_restore(from, to, arena, &restored), "restoring");
	cr_assert_str_eq(restored.backup.collection, run->collection, "%s", run->where);
	cr_assert_eq(restored.backup.chunks, run->n_rows, "%s: %zu chunks of %zu are restored",
		     run->where, (size_t)restored.backup.chunks, run->n_rows);
	remove_all("restored");
}

static void want_kept(const struct snapshots_run *run, const char *id)
{
	char path[400];

	snprintf(path, sizeof path, "%s/snapshots/%s.%s", shimmed_data(), run->collection, id);
	want_restored(run, path);
}

/* --- the rpcs --- */

/* Its id, in the session's arena; NULL: it failed. */
static char *create(const struct snapshots_run *run)
{
	Sluice__V1__CreateSnapshotRequest request = SLUICE__V1__CREATE_SNAPSHOT_REQUEST__INIT;
	const Sluice__V1__CreateSnapshotResponse *response;
	struct answer answer;

	request.collection = text_of("%s", run->collection);
	answer = session_call(&world.session, &create_snapshot, &request.base);
	if (!run->went_well(answer, "CreateSnapshot"))
		return NULL;
	response = answer.message;
	cr_assert_eq(response->snapshot->chunk_count, run->n_rows, "%s: CreateSnapshot has %zu",
		     run->where, (size_t)response->snapshot->chunk_count);
	return response->snapshot->snapshot_id;
}

/* NULL: it failed. */
static const Sluice__V1__ListSnapshotsResponse *list(const struct snapshots_run *run)
{
	Sluice__V1__ListSnapshotsRequest request = SLUICE__V1__LIST_SNAPSHOTS_REQUEST__INIT;
	struct answer answer;

	request.collection = text_of("%s", run->collection);
	answer = session_call(&world.session, &list_snapshots, &request.base);
	return run->went_well(answer, "ListSnapshots") ? answer.message : NULL;
}

static bool delete(const struct snapshots_run *run, char *id)
{
	Sluice__V1__DeleteSnapshotRequest request = SLUICE__V1__DELETE_SNAPSHOT_REQUEST__INIT;

	request.collection = text_of("%s", run->collection);
	request.snapshot_id = id;
	return run->went_well(session_call(&world.session, &delete_snapshot, &request.base),
			      "DeleteSnapshot");
}

static void receive_all(const struct snapshots_run *run, struct grpc_stream *stream,
			struct backup_receiving *receiving)
{
	const Sluice__V1__DownloadSnapshotResponse *piece;

	while ((piece = session_next(&world.session, &download_snapshot, stream, NULL)))
		want_ok(run,
			backup_receive_piece(
				receiving,
				&(struct backup_piece){
					.file = piece->file,
					.offset = piece->offset,
					.data = bytes_of(piece->data.data, piece->data.len),
					.checksum = piece->data_crc32c,
				}),
			"a piece");
}

/* A stream that ends well was whole. */
static void download(const struct snapshots_run *run, char *id)
{
	Sluice__V1__DownloadSnapshotRequest request = SLUICE__V1__DOWNLOAD_SNAPSHOT_REQUEST__INIT;
	SCOPED(grpc_stream) stream = NULL;
	SCOPED(backup_receiving) receiving = NULL;
	SCOPED(arena) arena = &(struct arena){0};
	struct backup backup;
	char to[300];

	arena_init(arena, ARENA_BYTES);
	snprintf(to, sizeof to, "%s/fetched", world.scratch.path);
	want_ok(run, backup_receive_open(to, arena, &receiving), "receiving");
	request.collection = text_of("%s", run->collection);
	request.snapshot_id = id;
	stream = session_stream(&world.session, &download_snapshot, &request.base);
	receive_all(run, stream, receiving);
	if (run->went_well(session_finish(&world.session, stream), "DownloadSnapshot")) {
		want_ok(run, backup_receive_end(receiving, &backup), "the end of what was fetched");
		want_restored(run, to);
	}
	backup_receive_close(TAKE(receiving));
	remove_all("fetched");
}

void snapshots_call(const struct snapshots_run *run)
{
	char *id = create(run);
	const Sluice__V1__ListSnapshotsResponse *found = list(run);

	if (found && id) {
		cr_assert_eq(found->n_snapshots, 1, "%s: %zu are listed", run->where,
			     found->n_snapshots);
		cr_assert_str_eq(found->snapshots[0]->snapshot_id, id, "%s", run->where);
		/* What could not be read is said to be damaged. */
		cr_assert(!found->snapshots[0]->damage[0] || shimmed_struck(), "%s: %s", run->where,
			  found->snapshots[0]->damage);
	}
	if (!id)
		return;
	download(run, id);
	if (!delete (run, id))
		return;
	found = list(run);
	cr_assert(!found || found->n_snapshots == 0, "%s: a removed one is listed", run->where);
}

/* --- what is left --- */

/* Of names that have a dot in front and end so; NULL: of those that have none. */
static size_t count_entries(const char *suffix)
{
	char path[400];
	struct dirent *entry;
	DIR *stream;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/snapshots", shimmed_data());
	stream = opendir(path);
	while (stream && (entry = readdir(stream))) {
		const char *name = entry->d_name;
		size_t size = strlen(name), end = suffix ? strlen(suffix) : 0;

		if (name[0] != '.')
			n += !suffix;
		else
			n += suffix && size > end && strcmp(name + size - end, suffix) == 0;
	}
	if (stream)
		closedir(stream);
	return n;
}

void snapshots_want_whole(const struct snapshots_run *run)
{
	const Sluice__V1__ListSnapshotsResponse *found = list(run);

	cr_assert_not_null(found, "%s: snapshots cannot be listed", run->where);
	cr_assert_leq(found->n_snapshots, 1, "%s", run->where);
	for (size_t i = 0; i < found->n_snapshots; i++) {
		cr_assert_str_empty(found->snapshots[i]->damage, "%s: a snapshot: %s", run->where,
				    found->snapshots[i]->damage);
		want_kept(run, found->snapshots[i]->snapshot_id);
		cr_assert(delete (run, found->snapshots[i]->snapshot_id), "%s: it does not go",
			  run->where);
	}
	cr_assert_eq(count_entries(NULL), 0, "%s: what is not listed is there", run->where);
	cr_assert_eq(count_entries(".new"), 0, "%s: half a snapshot is left", run->where);
}

void snapshots_want_swept(const struct snapshots_run *run)
{
	cr_assert_eq(count_entries(NULL) + count_entries(".new") + count_entries(".old"), 0,
		     "%s: something of a snapshot is left", run->where);
}
