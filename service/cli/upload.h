/* upload - one UpsertChunks call of an import: chunks in, batches out, acknowledgements counted.
 *
 * Batches go out without waiting for their acknowledgements, up to four of them, so that input is
 * read while the server writes. Acknowledgements come in order: the oldest batch without one is the
 * one that a failure is about.
 *
 * Life cycle: upload_init, upload_open, upload_add for each chunk, then upload_end, or upload_abandon
 * where the input is bad; upload_finish in any case.
 */
#ifndef SLUICE_SERVICE_CLI_UPLOAD_H
#define SLUICE_SERVICE_CLI_UPLOAD_H

#include "service/cli/batch.h"
#include "service/cli/commands.h"
#include "service/cli/progress.h"

struct upload {
	struct cli *cli;
	const char *collection;
	/* upload_blame - failed, what the server said of a batch, in words of the input. */
	status (*blame)(const void *context, status failed, const struct batch_lines *lines);
	const void *context; /* for blame; borrowed */
	double share;        /* of the input that is read; below 0: unknown. The caller's to keep */
	uint64_t inserted, replaced, n_chunks;

	/* The rest is upload.c's. */
	struct client_call *call;
	struct batch batch;
	struct batch_lines *in_flight; /* a ring, by sequence; the oldest is done_sequence + 1 */
	uint64_t sent_sequence, done_sequence;
	struct progress progress;
};

/* upload_init - reads --batch and --progress; cli, blame and context are set, the rest is zero.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status upload_init(struct upload *upload);
void upload_finish(struct upload *upload);

SCOPE_DEFINE(upload, upload_finish)

/* upload_open - starts the call. */
status upload_open(struct upload *upload);

/* upload_add - number  where the chunk comes from, for blame. The chunk is borrowed for the call.
 * Fails: as the server does, and where upload_is_too_large: it fits into no message */
status upload_add(struct upload *upload, const Sluice__V1__Chunk *chunk, uint64_t number);
bool upload_is_too_large(status failed);

/* upload_end - sends what is left, says that it was all, and waits for every acknowledgement. */
status upload_end(struct upload *upload);

/* upload_abandon - after bad input: batches that are under way get their acknowledgements. */
void upload_abandon(struct upload *upload);

/* upload_stands - whether anything was acknowledged. */
bool upload_stands(const struct upload *upload);

/* upload_end_progress - before anything else is printed. */
void upload_end_progress(struct upload *upload);

/* upload_report - what became of it, to standard output. */
void upload_report(struct upload *upload);

#endif
