/* cursors - the searches that a server has open, and ending one. */
#include "service/cli/commands.h"
#include "service/cli/methods.h"
#include "service/cli/screen.h"
#include "service/cli/words.h"
#include "sluice/v1/admin_service.pb-c.h"

static double seconds(const Google__Protobuf__Duration *duration)
{
	return duration ? (double)duration->seconds + duration->nanos * 1e-9 : 0;
}

static const char *method_word(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static status cursor_print(const Sluice__V1__CursorInfo *info, struct buffer *line)
{
	char numbers[160];

	line->size = 0;
	screen_line(line, info->cursor_id, 16);
	snprintf(numbers, sizeof numbers,
		 "  %-7.7s  %10s hits  %14s scanned  %7.1f KiB  %8.1f s  %8.1f s  ",
		 method_word(info->method), count_format(info->returned).text,
		 count_format(info->scanned).text, (double)info->memory_bytes / 1024,
		 seconds(info->age), seconds(info->idle));
	buffer_append(line, numbers, strlen(numbers));
	screen_line(line, info->collection, 32);
	buffer_append(line, "  ", 2);
	screen_line(line, info->peer, 48);
	buffer_append(line, "\n", 1);
	if (line->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a line");
	fwrite(line->data, 1, line->size, stdout);
	return status_ok();
}

static status cursors_run(struct cli *cli)
{
	Sluice__V1__ListCursorsRequest request = SLUICE__V1__LIST_CURSORS_REQUEST__INIT;
	SCOPED(answer) answer = NULL;
	SCOPED(buffer) line = &(struct buffer){0};
	const Sluice__V1__ListCursorsResponse *list;

	if (cli->arguments->n_names > 0)
		request.collection = cli_name(cli, 0);
	TRY(cli_ask(cli, &method_list_cursors, &request.base, &answer));
	list = (const Sluice__V1__ListCursorsResponse *)answer;
	if (list->n_cursors > 0)
		printf("%-16s  %-7s  %15s  %22s  %11s  %10s  %10s  %s\n", "cursor", "method",
		       "returned", "scanned", "memory", "age", "idle", "collection, client");
	for (size_t i = 0; i < list->n_cursors; i++)
		TRY(cursor_print(list->cursors[i], line));
	return status_ok();
}

const struct command cursors_command = {
	.name = "cursors",
	.usage = "[NAME]",
	.summary = "list the searches that are open, the oldest first",
	.details = "A line a cursor: its id, for sluice cancel, what it has sent and scanned, what "
		   "it\nholds, since when it is open and since when nothing has happened to it.",
	.names_max = 1,
	.run = cursors_run,
};

static status cancel_run(struct cli *cli)
{
	Sluice__V1__CancelCursorRequest request = SLUICE__V1__CANCEL_CURSOR_REQUEST__INIT;
	SCOPED(answer) answer = NULL;

	request.cursor_id = cli_name(cli, 0);
	TRY(cli_ask(cli, &method_cancel_cursor, &request.base, &answer));
	printf("cancelled %s\n", request.cursor_id);
	return status_ok();
}

const struct command cancel_command = {
	.name = "cancel",
	.usage = "CURSOR",
	.summary = "end a search that is open",
	.details = "Its client gets a token to go on with, and ABORTED.",
	.names_min = 1,
	.names_max = 1,
	.run = cancel_run,
};
