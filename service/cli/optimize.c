/* optimize - has a collection sealed, merged and indexed now, and shows how far it is. */
#include "service/cli/commands.h"
#include "service/cli/methods.h"
#include "service/cli/progress.h"
#include "service/cli/words.h"
#include "sluice/v1/collection_service.pb-c.h"

static const char *phase_word(Sluice__V1__OptimizePhase phase)
{
	static const char *const words[] = {"working",   "sealing", "training",
					    "assigning", "writing", "done"};

	return (size_t)phase < sizeof words / sizeof *words ? words[phase] : words[0];
}

static void done_print(const char *name, const Sluice__V1__CollectionStatus *now)
{
	if (!now) {
		printf("optimized %s\n", name);
		return;
	}
	printf("optimized %s: %s chunks, %s rows in %u segment%s\n", name,
	       count_format(now->chunk_count).text, count_format(now->indexed_rows).text,
	       now->segment_count, now->segment_count == 1 ? "" : "s");
}

static status optimize_follow(struct client_call *call, const char *name, struct progress *progress)
{
	SCOPED(answer) answer = NULL;

	for (;;) {
		const Sluice__V1__OptimizeCollectionResponse *response;

		TRY(cli_receive(call, &answer));
		if (!answer)
			return status_ok();
		response = (const Sluice__V1__OptimizeCollectionResponse *)answer;
		if (response->phase == SLUICE__V1__OPTIMIZE_PHASE__OPTIMIZE_PHASE_DONE) {
			progress_end(progress);
			done_print(name, response->status);
		} else {
			progress_show_part(progress, phase_word(response->phase),
					   (double)response->progress);
		}
	}
}

static status optimize_run(struct cli *cli)
{
	Sluice__V1__OptimizeCollectionRequest request =
		SLUICE__V1__OPTIMIZE_COLLECTION_REQUEST__INIT;
	SCOPED(client_call) call = NULL;
	struct progress progress;
	status followed;

	request.name = cli_name(cli, 0);
	TRY(progress_start(&progress, cli->arguments));
	TRY(client_call_open_with(cli->client, &method_optimize_collection, &request.base, &call));
	followed = optimize_follow(call, request.name, &progress);
	progress_end(&progress);
	return followed;
}

static const struct option optimize_options[] = {
	{"progress", OPTION_VALUE, "WHEN  always, never or auto: on a terminal (auto)"},
};

const struct command optimize_command = {
	.name = "optimize",
	.usage = "NAME [--progress WHEN]",
	.summary = "seal, merge and index a collection now",
	.details = "What is searched and written meanwhile is served as ever. The server does the "
		   "same\nin the background; this waits for it. Interrupted, it gives up what was\n"
		   "not finished.",
	.options = OPTION_LIST(optimize_options),
	.names_min = 1,
	.names_max = 1,
	.run = optimize_run,
};
