/* load_wire - what is in an answer, without unpacking it: a harness should not be its own bottleneck.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_WIRE_H
#define SLUICE_SERVICE_CLI_LOAD_WIRE_H

#include "kernels/base/bytes.h"
#include "service/cli/load_stats.h"

#include <stdint.h>

/* load_wire_hits - hits in a SearchResponse or an IterateResponse; of an UpsertChunksResponse the
 * chunks that were written. False where the bytes are no message. */
bool load_wire_hits(enum load_kind kind, struct bytes message, uint64_t *ret);

#endif
