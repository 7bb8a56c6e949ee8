/* load_wire - what is in an answer, without unpacking it: a harness should not be its own bottleneck.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_WIRE_H
#define SLUICE_SERVICE_CLI_LOAD_WIRE_H

#include "kernels/base/bytes.h"
#include "service/cli/load_stats.h"

#include <stdint.h>

struct load_answer {
	uint64_t hits; /* of an UpsertChunksResponse the chunks that were written */
	bool last;     /* no answer follows it */
};

/* load_wire_read - a SearchResponse, an IterateResponse, or the UpsertChunksResponse of a stream of one
 * batch. False where the bytes are no message; ret is then untouched. */
bool load_wire_read(enum load_kind kind, struct bytes message, struct load_answer *ret);

#endif
