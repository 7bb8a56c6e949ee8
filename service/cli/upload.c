/* upload - the batch in the making, and the ring of those under way. */
#include "service/cli/upload.h"

#include "service/cli/methods.h"
#include "service/cli/words.h"
#include "sluice/v1/ingest_service.pb-c.h"

#define IN_FLIGHT_MAX 4
#define BATCH_CHUNKS 1000

static const char too_large[] = "the chunk is too large for one message";

/* What the server said of the oldest batch that it did not acknowledge. */
static status blame(const struct upload *upload, status failed)
{
	uint64_t oldest = upload->done_sequence + 1;

	if (upload->done_sequence == upload->sent_sequence)
		return failed;
	return upload->blame(upload->context, failed, &upload->in_flight[oldest % IN_FLIGHT_MAX]);
}

/* Waits for the oldest acknowledgement. */
static status acknowledge(struct upload *upload)
{
	SCOPED(answer) answer = NULL;
	const Sluice__V1__UpsertChunksResponse *response;
	status received = cli_receive(upload->call, &answer);

	if (status_failed(received))
		return blame(upload, received);
	if (!answer)
		return blame(upload, status_make(STATUS_INTERNAL,
						 "the server ended without an acknowledgement"));
	response = (const Sluice__V1__UpsertChunksResponse *)answer;
	if (response->sequence != upload->done_sequence + 1)
		return status_make(STATUS_INTERNAL,
				   "the server acknowledged another batch than is due");
	upload->done_sequence++;
	upload->inserted += response->inserted;
	upload->replaced += response->replaced;
	return status_ok();
}

/* Where sending fails the call has ended, and one of the acknowledgements says why. */
static status acknowledge_rest(struct upload *upload)
{
	while (upload->done_sequence < upload->sent_sequence)
		TRY(acknowledge(upload));
	return status_ok();
}

static status send_batch(struct upload *upload)
{
	struct batch *batch = &upload->batch;
	uint64_t sequence = batch->lines.sequence;
	status sent;

	if (upload->sent_sequence - upload->done_sequence == IN_FLIGHT_MAX)
		TRY(acknowledge(upload));
	upload->in_flight[sequence % IN_FLIGHT_MAX] = batch->lines;
	upload->sent_sequence = sequence;
	sent = client_call_send(upload->call, bytes_of(batch->buffer.data, batch->buffer.size));
	if (status_failed(sent)) {
		TRY(acknowledge_rest(upload));
		return sent;
	}
	batch_start(batch, upload->collection, sequence + 1);
	progress_show(&upload->progress, upload->n_chunks, upload->share);
	return status_ok();
}

status upload_init(struct upload *upload)
{
	uint64_t chunks_max = BATCH_CHUNKS;

	upload->collection = cli_name(upload->cli, 0);
	TRY(arguments_u64(upload->cli->arguments, "batch", 1, BATCH_CHUNKS_MAX, &chunks_max));
	upload->batch.chunks_max = (uint32_t)chunks_max;
	upload->in_flight = ARENA_ARRAY(upload->cli->arena, struct batch_lines, IN_FLIGHT_MAX);
	if (!upload->in_flight)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for batches");
	return progress_start(&upload->progress, upload->cli->arguments);
}

void upload_finish(struct upload *upload)
{
	if (!upload)
		return;
	progress_end(&upload->progress);
	client_call_close(upload->call);
	batch_finish(&upload->batch);
}

status upload_open(struct upload *upload)
{
	TRY(client_call_open(upload->cli->client, &method_upsert_chunks, &upload->call));
	batch_start(&upload->batch, upload->collection, 1);
	return status_ok();
}

status upload_add(struct upload *upload, const Sluice__V1__Chunk *chunk, uint64_t number)
{
	enum batch_add added = batch_add(&upload->batch, chunk, number);

	if (added == BATCH_FULL) {
		TRY(send_batch(upload));
		added = batch_add(&upload->batch, chunk, number);
	}
	if (added == BATCH_TOO_LARGE)
		return status_make(STATUS_INVALID_ARGUMENT, too_large);
	if (added != BATCH_ADDED)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a batch");
	upload->n_chunks++;
	if (upload->batch.lines.n == upload->batch.chunks_max)
		return send_batch(upload);
	return status_ok();
}

bool upload_is_too_large(status failed)
{
	return failed.detail == too_large;
}

status upload_end(struct upload *upload)
{
	SCOPED(answer) answer = NULL;

	if (upload->batch.lines.n)
		TRY(send_batch(upload));
	if (status_failed(client_call_send_end(upload->call))) {
		TRY(acknowledge_rest(upload));
		return status_make(STATUS_INTERNAL, "the server ended the call early");
	}
	TRY(acknowledge_rest(upload));
	return cli_receive(upload->call, &answer);
}

void upload_abandon(struct upload *upload)
{
	if (upload->done_sequence < upload->sent_sequence &&
	    !status_failed(client_call_send_end(upload->call)))
		while (upload->done_sequence < upload->sent_sequence &&
		       !status_failed(acknowledge(upload)))
			;
}

bool upload_stands(const struct upload *upload)
{
	return upload->done_sequence > 0;
}

void upload_end_progress(struct upload *upload)
{
	progress_end(&upload->progress);
}

void upload_report(struct upload *upload)
{
	double seconds;

	progress_end(&upload->progress);
	seconds = progress_seconds(&upload->progress);
	printf("imported %s chunks (%s new, %s replaced) in %.1f s, %s a second\n",
	       count_format(upload->n_chunks).text, count_format(upload->inserted).text,
	       count_format(upload->replaced).text, seconds,
	       count_format((uint64_t)((double)upload->n_chunks / seconds)).text);
}
