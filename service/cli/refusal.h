/* refusal - which line of a file it is that a server refuses.
 *
 * The server knows a chunk by its batch and its number there, and says so at the start of its detail:
 * `batch 3: chunks[131].id: ...`. Whoever sent it knows it by its line.
 */
#ifndef SLUICE_SERVICE_CLI_REFUSAL_H
#define SLUICE_SERVICE_CLI_REFUSAL_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "service/cli/batch.h"

/* refusal_line - the line of the chunk that a failed call names, 0 where it names none of this batch.
 * arena   for what is needed meanwhile
 * failed  as client_call_receive gives it */
uint64_t refusal_line(struct arena *arena, status failed, const struct batch_lines *lines);

/* refusal_explain - failed's code and detail, with the line in front or, where none is named, the
 * batch's lines behind; and what was imported in spite of it.
 * arena  owns the detail. lines  of the oldest batch without an acknowledgement, not empty.
 * path   of the file */
status refusal_explain(struct arena *arena, status failed, const struct batch_lines *lines,
		       const char *path);

#endif
