/* snapshot - copies of a collection that a server keeps: made, listed, removed, fetched. */
#include "index/backup_receive.h"
#include "service/cli/commands.h"
#include "service/cli/methods.h"
#include "service/cli/progress.h"
#include "service/cli/screen.h"
#include "service/cli/words.h"
#include "sluice/v1/admin_service.pb-c.h"

#include <inttypes.h>
#include <string.h>

/* A call that takes as long as it takes: answers come as a stream's do. */
static status ask_long(struct cli *cli, const struct method *method,
		       const ProtobufCMessage *request, struct answer **ret)
{
	SCOPED(client_call) call = NULL;
	SCOPED(answer) nothing = NULL;

	TRY(client_call_open_with(cli->client, method, request, &call));
	TRY(cli_receive(call, ret));
	if (!*ret)
		return status_make(STATUS_INTERNAL, "the server gave no answer");
	return cli_receive(call, &nothing);
}

/* --- list --- */

static status snapshot_print(const Sluice__V1__Snapshot *snapshot, struct buffer *line)
{
	char numbers[160];

	line->size = 0;
	screen_line(line, snapshot->snapshot_id, 25);
	if (snapshot->damage[0])
		snprintf(numbers, sizeof numbers, "  damaged: ");
	else
		snprintf(numbers, sizeof numbers, "  %14s chunks  %10.1f MiB  ",
			 count_format(snapshot->chunk_count).text,
			 (double)snapshot->size_bytes / (1 << 20));
	buffer_append(line, numbers, strlen(numbers));
	if (snapshot->damage[0]) {
		screen_line(line, snapshot->damage, 200);
		buffer_append(line, "  ", 2);
	}
	screen_line(line, snapshot->collection, 63);
	buffer_append(line, "\n", 1);
	if (line->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a line");
	fwrite(line->data, 1, line->size, stdout);
	return status_ok();
}

/* Calls visit for each snapshot of a collection (empty: of all), the oldest first. */
static status each_snapshot(struct cli *cli, char *collection,
			    status (*visit)(void *context, const Sluice__V1__Snapshot *snapshot),
			    void *context)
{
	Sluice__V1__ListSnapshotsRequest request = SLUICE__V1__LIST_SNAPSHOTS_REQUEST__INIT;
	const Sluice__V1__ListSnapshotsResponse *list;

	request.collection = collection;
	request.page_size = 1000;
	do {
		SCOPED(answer) answer = NULL;

		TRY(cli_ask(cli, &method_list_snapshots, &request.base, &answer));
		list = (const Sluice__V1__ListSnapshotsResponse *)answer;
		for (size_t i = 0; i < list->n_snapshots; i++)
			TRY(visit(context, list->snapshots[i]));
		request.page_token = arena_copy(cli->arena, list->next_page_token,
						strlen(list->next_page_token));
		if (!request.page_token)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a token");
	} while (request.page_token[0]);
	return status_ok();
}

static status print_one(void *context, const Sluice__V1__Snapshot *snapshot)
{
	return snapshot_print(snapshot, context);
}

static char nothing[] = "";

static status list_snapshots(struct cli *cli)
{
	SCOPED(buffer) line = &(struct buffer){0};

	return each_snapshot(cli, cli->arguments->n_names > 1 ? cli_name(cli, 1) : nothing,
			     print_one, line);
}

/* --- delete --- */

static status delete_one(struct cli *cli, char *collection, char *id)
{
	Sluice__V1__DeleteSnapshotRequest request = SLUICE__V1__DELETE_SNAPSHOT_REQUEST__INIT;
	SCOPED(answer) answer = NULL;

	request.collection = collection;
	request.snapshot_id = id;
	TRY(cli_ask(cli, &method_delete_snapshot, &request.base, &answer));
	printf("deleted snapshot %s of %s\n", id, collection);
	return status_ok();
}

static status delete_snapshot(struct cli *cli)
{
	return delete_one(cli, cli_name(cli, 1), cli_name(cli, 2));
}

/* --- create --- */

/* The ids of those that can be read, the oldest first. */
struct kept {
	struct arena *arena;
	char **ids; /* [n] */
	size_t n, n_max;
};

static status note_kept(void *context, const Sluice__V1__Snapshot *snapshot)
{
	struct kept *kept = context;

	if (snapshot->damage[0])
		return status_ok();
	if (kept->n == kept->n_max) {
		size_t n_max = kept->n_max ? 2 * kept->n_max : 64;
		char **ids = ARENA_ARRAY(kept->arena, char *, n_max);

		if (!ids)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list");
		if (kept->n > 0)
			memcpy(ids, kept->ids, kept->n * sizeof *ids);
		kept->ids = ids;
		kept->n_max = n_max;
	}
	kept->ids[kept->n] =
		arena_copy(kept->arena, snapshot->snapshot_id, strlen(snapshot->snapshot_id));
	return kept->ids[kept->n++] ? status_ok()
				    : status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list");
}

static status keep_newest(struct cli *cli, char *collection, uint64_t n)
{
	struct kept kept = {.arena = cli->arena};

	TRY(each_snapshot(cli, collection, note_kept, &kept));
	for (size_t i = 0; i + n < kept.n; i++)
		TRY(delete_one(cli, collection, kept.ids[i]));
	return status_ok();
}

static status create_one(struct cli *cli, char *collection)
{
	Sluice__V1__CreateSnapshotRequest request = SLUICE__V1__CREATE_SNAPSHOT_REQUEST__INIT;
	SCOPED(buffer) line = &(struct buffer){0};
	SCOPED(answer) answer = NULL;
	const Sluice__V1__CreateSnapshotResponse *response;

	request.collection = collection;
	TRY(ask_long(cli, &method_create_snapshot, &request.base, &answer));
	response = (const Sluice__V1__CreateSnapshotResponse *)answer;
	if (!response->snapshot)
		return status_make(STATUS_INTERNAL, "the server gave no snapshot");
	TRY(snapshot_print(response->snapshot, line));
	return cli_flush();
}

static status create_snapshots(struct cli *cli)
{
	uint64_t keep = 0;

	TRY(arguments_u64(cli->arguments, "keep", 1, 1000000, &keep));
	for (size_t i = 1; i < cli->arguments->n_names; i++) {
		TRY(create_one(cli, cli_name(cli, i)));
		if (keep > 0)
			TRY(keep_newest(cli, cli_name(cli, i), keep));
	}
	return status_ok();
}

/* --- download --- */

static status receive(struct client_call *call, struct backup_receiving *receiving,
		      struct progress *progress)
{
	SCOPED(answer) answer = NULL;

	for (;;) {
		const Sluice__V1__DownloadSnapshotResponse *response;
		double done;

		TRY(cli_receive(call, &answer));
		if (!answer)
			return status_ok();
		response = (const Sluice__V1__DownloadSnapshotResponse *)answer;
		TRY(backup_receive_piece(receiving, &(struct backup_piece){
							    .file = response->file,
							    .offset = response->offset,
							    .data = bytes_of(response->data.data,
									     response->data.len),
							    .checksum = response->data_crc32c,
						    }));
		done = (double)(response->offset + response->data.len);
		progress_show_part(progress, response->file,
				   response->size_bytes ? done / (double)response->size_bytes : 1);
	}
}

static status find_latest(struct cli *cli, char *collection, char **ret)
{
	struct kept kept = {.arena = cli->arena};

	TRY(each_snapshot(cli, collection, note_kept, &kept));
	if (kept.n == 0)
		return status_format(cli->arena, STATUS_NOT_FOUND, "collection %s has no snapshot",
				     collection);
	*ret = kept.ids[kept.n - 1];
	return status_ok();
}

static status download_snapshot(struct cli *cli)
{
	Sluice__V1__DownloadSnapshotRequest request = SLUICE__V1__DOWNLOAD_SNAPSHOT_REQUEST__INIT;
	const char *folder = cli->arguments->n_names > 3 ? cli->arguments->names[3] : ".";
	SCOPED(backup_receiving) receiving = NULL;
	SCOPED(client_call) call = NULL;
	struct progress progress;
	struct backup backup;
	const char *path;
	status s;

	request.collection = cli_name(cli, 1);
	request.snapshot_id = cli_name(cli, 2);
	if (strcmp(request.snapshot_id, "latest") == 0)
		TRY(find_latest(cli, request.collection, &request.snapshot_id));
	path = arena_printf(cli->arena, "%s/%s.%s", folder, request.collection,
			    request.snapshot_id);
	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	if (strchr(request.collection, '/') || strchr(request.snapshot_id, '/'))
		return arguments_misuse(cli->arguments, "no name has a \"/\"");
	TRY(progress_start(&progress, cli->arguments));
	TRY(client_call_open_with(cli->client, &method_download_snapshot, &request.base, &call));
	TRY(backup_receive_open(path, cli->arena, &receiving));
	s = receive(call, receiving, &progress);
	progress_end(&progress);
	TRY(s);
	TRY(backup_receive_end(receiving, &backup));
	printf("%s: %s chunks, %.1f MiB\n", path, count_format(backup.chunks).text,
	       (double)backup.bytes / (1 << 20));
	return status_ok();
}

/* --- the command --- */

static const struct {
	const char *word;
	size_t names_min, names_max;
	const char *usage;
	status (*run)(struct cli *cli);
} deeds[] = {
	{"create", 2, SIZE_MAX, "create NAME... [--keep N]", create_snapshots},
	{"list", 1, 2, "list [NAME]", list_snapshots},
	{"delete", 3, 3, "delete NAME ID", delete_snapshot},
	{"download", 3, 4, "download NAME ID|latest [FOLDER]", download_snapshot},
};

static status snapshot_run(struct cli *cli)
{
	struct arguments *arguments = cli->arguments;

	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		if (strcmp(arguments->names[0], deeds[i].word) != 0)
			continue;
		if (arguments->n_names < deeds[i].names_min ||
		    arguments->n_names > deeds[i].names_max)
			return arguments_misuse(arguments, "usage: sluice snapshot %s",
						deeds[i].usage);
		return deeds[i].run(cli);
	}
	return arguments_misuse(arguments,
				"snapshot \"%.64s\": it is create, list, delete or download",
				arguments->names[0]);
}

static const struct option snapshot_options[] = {
	{"keep", OPTION_VALUE,
	 "N  create: behind the new one, delete all but the newest N of the collection"},
	{"progress", OPTION_VALUE, "WHEN  always, never or auto: on a terminal (auto)"},
};

const struct command snapshot_command = {
	.name = "snapshot",
	.usage = "create NAME... | list [NAME] | delete NAME ID | download NAME ID [FOLDER]",
	.summary = "keep copies of collections on the server, or fetch one",
	.details =
		"A snapshot is made while the collection is read and written, and is whole when "
		"its\n"
		"line is printed: its id, chunks, size. It lies in DATA_DIR/snapshots/NAME.ID "
		"on the\n"
		"server; download writes FOLDER/NAME.ID here, with latest for the ID the newest.\n"
		"sluice restore takes either.",
	.options = OPTION_LIST(snapshot_options),
	.names_min = 1,
	.names_max = SIZE_MAX,
	.run = snapshot_run,
};
