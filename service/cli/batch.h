/* batch - an UpsertChunksRequest that grows chunk by chunk, already in the form of the wire.
 *
 * Life cycle: batch_start, batch_add until it is full, send what buffer holds, batch_start again.
 * The memory stays for the next one.
 */
#ifndef SLUICE_SERVICE_CLI_BATCH_H
#define SLUICE_SERVICE_CLI_BATCH_H

#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "sluice/v1/chunk.pb-c.h"

#include <stdint.h>

#define BATCH_CHUNKS_MAX 2048
/* Below the server's limit for a message of 4 MiB. */
#define BATCH_BYTES_MAX 4000000

/* Where the chunks of a batch come from: what is kept of it after it was sent. */
struct batch_lines {
	uint64_t sequence;
	uint32_t n;
	uint64_t numbers[BATCH_CHUNKS_MAX]; /* [n] line of each chunk, ascending */
};

/* All zero, but for chunks_max, is a batch that was never started. */
struct batch {
	struct buffer buffer;
	struct batch_lines lines; /* n is the number of chunks */
	uint32_t chunks_max;      /* 1 to BATCH_CHUNKS_MAX */
};

void batch_finish(struct batch *batch);

SCOPE_DEFINE(batch, batch_finish)

void batch_start(struct batch *batch, const char *collection, uint64_t sequence);

enum batch_add {
	BATCH_ADDED,
	BATCH_FULL,      /* not added: send, start anew and add it again */
	BATCH_TOO_LARGE, /* not added: too large for a batch of its own */
	BATCH_NO_MEMORY,
};

/* batch_add - line  where the chunk comes from. */
enum batch_add batch_add(struct batch *batch, const Sluice__V1__Chunk *chunk, uint64_t line);

#endif
