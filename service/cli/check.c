/* check - the check command: whether a data directory is whole, without a server. */
#include "index/check.h"

#include "service/cli/commands.h"
#include "service/cli/jsonl.h"
#include "service/cli/words.h"

#include <string.h>

struct report {
	bool json;
	struct buffer collections, damages, notes; /* of JSON: items with commas between */
	uint64_t n_collections, n_damaged, n_damages, n_notes;
};

static void report_finish(struct report *report)
{
	buffer_finish(&report->collections);
	buffer_finish(&report->damages);
	buffer_finish(&report->notes);
}

SCOPE_DEFINE(report, report_finish)

static void put(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

static void put_key(struct buffer *out, const char *before, const char *key)
{
	put(out, before);
	json_write_string(out, key);
	put(out, ": ");
}

/* --- findings --- */

static void put_finding(struct buffer *out, const struct check_finding *finding)
{
	const char *before = "{";

	if (out->size > 0)
		put(out, ", ");
	if (finding->collection) {
		put_key(out, before, "collection");
		json_write_string(out, finding->collection);
		before = ", ";
	}
	put_key(out, before, "file");
	json_write_string(out, finding->file);
	put_key(out, ", ", "what");
	json_write_string(out, finding->what);
	put(out, "}");
}

/* Printed at once: the next collection may take long. */
static void found(void *context, const struct check_finding *finding)
{
	struct report *report = context;

	report->n_damages += finding->damage;
	report->n_notes += !finding->damage;
	if (report->json) {
		put_finding(finding->damage ? &report->damages : &report->notes, finding);
		return;
	}
	printf("%s%s%s: %s: %s\n", finding->collection ? finding->collection : "",
	       finding->collection ? "/" : "", finding->file, finding->damage ? "damaged" : "note",
	       finding->what);
}

static void put_number(struct buffer *out, const char *key, uint64_t number)
{
	char text[24];

	put_key(out, ", ", key);
	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	put(out, text);
}

static void put_collection(struct buffer *out, const struct check_collection *collection)
{
	const struct check_counts *counts = &collection->counts;

	if (out->size > 0)
		put(out, ", ");
	put_key(out, "{", "name");
	json_write_string(out, collection->name);
	put_number(out, "damages", collection->n_damages);
	put_number(out, "chunks", counts->chunks);
	put_number(out, "dead_rows", counts->dead_rows);
	put_number(out, "values", counts->values);
	put_number(out, "segments", counts->segments);
	put_number(out, "indexes", counts->indexes);
	put_number(out, "bytes", counts->bytes);
	put(out, "}");
}

static void looked_at(void *context, const struct check_collection *collection)
{
	const struct check_counts *counts = &collection->counts;
	struct report *report = context;

	report->n_collections++;
	report->n_damaged += collection->n_damages > 0;
	if (report->json) {
		put_collection(&report->collections, collection);
		return;
	}
	if (collection->n_damages > 0)
		printf("%s: DAMAGED\n", collection->name);
	else
		printf("%s: fine: chunks %s, values %s, segments %s, indexes %s, %s MiB\n",
		       collection->name, count_format(counts->chunks).text,
		       count_format(counts->values).text, count_format(counts->segments).text,
		       count_format(counts->indexes).text, count_format(counts->bytes >> 20).text);
	fflush(stdout);
}

/* --- the end --- */

static status print_json(struct report *report, const char *directory)
{
	struct buffer memory = {0};
	SCOPED(buffer) out = &memory;

	put_key(out, "{", "directory");
	json_write_string(out, directory);
	put_key(out, ", ", "fine");
	put(out, report->n_damages ? "false" : "true");
	put_key(out, ", ", "collections");
	put(out, "[");
	buffer_append(out, report->collections.data, report->collections.size);
	put_key(out, "], ", "damages");
	put(out, "[");
	buffer_append(out, report->damages.data, report->damages.size);
	put_key(out, "], ", "notes");
	put(out, "[");
	buffer_append(out, report->notes.data, report->notes.size);
	put(out, "]}\n");
	if (out->failed || report->collections.failed || report->damages.failed ||
	    report->notes.failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a report");
	fwrite(out->data, 1, out->size, stdout);
	return status_ok();
}

static status check_run(struct cli *cli)
{
	SCOPED(report) report = &(struct report){.json = arguments_has(cli->arguments, "json")};
	const struct check_listener listener = {found, looked_at, report};
	const char *directory = cli->arguments->names[0];

	TRY(check_directory(directory, &listener, cli->arena));
	if (report->json)
		TRY(print_json(report, directory));
	if (report->n_damages > 0)
		return status_format(cli->arena, STATUS_DATA_LOSS,
				     "%s: damaged: %llu of %llu collections, in %llu places",
				     directory, (unsigned long long)report->n_damaged,
				     (unsigned long long)report->n_collections,
				     (unsigned long long)report->n_damages);
	if (!report->json)
		printf("%s: fine: collections %llu\n", directory,
		       (unsigned long long)report->n_collections);
	return status_ok();
}

static const struct option check_options[] = {
	{"json", OPTION_FLAG, "  one JSON document instead of lines"},
};

const struct command check_command = {
	.name = "check",
	.usage = "DATA_DIR [--json]",
	.summary = "look whether a data directory is whole, while no server has it",
	.details =
		"Reads every page, value, segment and index, and what they say of each other, and\n"
		"changes nothing. Exits 1 where something is damaged, which a line names by\n"
		"collection, file and place. What a crash left over is a note, and no damage.",
	.options = OPTION_LIST(check_options),
	.names_min = 1,
	.names_max = 1,
	.offline = true,
	.run = check_run,
};
