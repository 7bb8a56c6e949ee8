/* repair - a damaged data directory, without a server: what can be made anew is. */
#include "index/repair.h"

#include "index/check.h"
#include "service/cli/commands.h"
#include "service/cli/jsonl.h"
#include "service/codec/chunk_codec.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_ARENA_BYTES ((size_t)1 << 20)

struct repair_run {
	struct cli *cli;
	const char *lost_path; /* NULL: lost chunks end the repair */
	FILE *lost;            /* owned; NULL: none was lost yet */
	uint64_t n_done, n_not_done, n_lost, n_damages;
};

static void repair_run_finish(struct repair_run *run)
{
	if (run->lost)
		fclose(run->lost);
}

SCOPE_DEFINE(repair_run, repair_run_finish)

static void print_note(void *context, const struct repair_note *note)
{
	struct repair_run *run = context;

	run->n_done += note->done;
	run->n_not_done += !note->done;
	printf("%s%s%s: %s: %s\n", note->collection ? note->collection : "",
	       note->collection ? "/" : "", note->file, note->done ? "repaired" : "not repaired",
	       note->what);
	fflush(stdout);
}

static status print_line(struct repair_run *run, const struct buffer *line)
{
	if (!run->lost)
		run->lost = fopen(run->lost_path, "a");
	if (!run->lost || fwrite(line->data, 1, line->size, run->lost) != line->size ||
	    fflush(run->lost) || fsync(fileno(run->lost)))
		return status_format(run->cli->arena, STATUS_RESOURCE_EXHAUSTED, "writing %s: %s",
				     run->lost_path, strerror(errno));
	return status_ok();
}

/* As sluice import takes it, when it has got a vector again. */
static status write_lost(void *context, const char *collection, const struct chunk *chunk)
{
	struct repair_run *run = context;
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(buffer) line = &(struct buffer){0};
	Sluice__V1__Chunk message = SLUICE__V1__CHUNK__INIT;

	if (!run->lost_path)
		return status_format(run->cli->arena, STATUS_FAILED_PRECONDITION,
				     "chunks of %s have lost their vectors: --lost FILE takes them "
				     "out and writes them there",
				     collection);
	arena_init(arena, CHUNK_ARENA_BYTES);
	TRY(chunk_to_message(arena, chunk, READ_RECORD, 0, &message));
	jsonl_write(line, &message);
	buffer_append(line, "\n", 1);
	if (line->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a chunk");
	run->n_lost++;
	return print_line(run, line);
}

static void print_finding(void *context, const struct check_finding *finding)
{
	struct repair_run *run = context;

	if (!finding->damage)
		return;
	run->n_damages++;
	printf("%s%s%s: damaged still: %s\n", finding->collection ? finding->collection : "",
	       finding->collection ? "/" : "", finding->file, finding->what);
}

static void pass_over(void *context, const struct check_collection *collection)
{
	(void)context;
	(void)collection;
}

static status repair_all(struct cli *cli)
{
	const char *directory = cli->arguments->names[0];
	const char *collection = cli->arguments->n_names > 1 ? cli->arguments->names[1] : NULL;
	SCOPED(repair_run) run = &(struct repair_run){
		.cli = cli,
		.lost_path = arguments_value(cli->arguments, "lost"),
	};
	const struct repair_listener repair = {print_note, write_lost, run};
	const struct check_listener check = {print_finding, pass_over, run};

	TRY(repair_directory(directory, collection, &repair, cli->arena));
	if (run->n_lost > 0)
		printf("%llu chunks without vectors are in %s\n", (unsigned long long)run->n_lost,
		       run->lost_path);
	TRY(check_directory(directory, &check, cli->arena));
	if (run->n_damages > 0)
		return status_format(cli->arena, STATUS_DATA_LOSS,
				     "%s: damaged still, in %llu places: restore what is from a "
				     "snapshot",
				     directory, (unsigned long long)run->n_damages);
	printf("%s: fine: %llu repaired\n", directory, (unsigned long long)run->n_done);
	return status_ok();
}

static const struct option repair_options[] = {
	{"lost", OPTION_VALUE,
	 "FILE  take out chunks whose vectors are lost, and append them to this, as JSON lines"},
};

const struct command repair_command = {
	.name = "repair",
	.usage = "DATA_DIR [NAME] [--lost FILE]",
	.summary = "make what is damaged of what is whole, while no server has the directory",
	.details = "Segments are made anew of the vectors that are whole, indexes are left for a "
		   "server to\n"
		   "make. What was there stays in DATA_DIR/damaged. What is damaged in data.mdb "
		   "itself\n"
		   "takes a snapshot. Afterwards everything is looked at, as by sluice check, and "
		   "the exit\n"
		   "status is 0 if it is fine.",
	.options = OPTION_LIST(repair_options),
	.names_min = 1,
	.names_max = 2,
	.offline = true,
	.run = repair_all,
};
