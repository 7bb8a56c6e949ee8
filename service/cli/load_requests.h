/* load_requests - the bytes of requests: those of queries are packed before the clock starts. */
#ifndef SLUICE_SERVICE_CLI_LOAD_REQUESTS_H
#define SLUICE_SERVICE_CLI_LOAD_REQUESTS_H

#include "service/cli/load_plan.h"

struct load_requests {
	const struct load_plan *plan;
	struct bytes *searches; /* [n] SearchRequest */
	struct bytes *opens;    /* [n] IterateRequest */
	size_t n, next;
	struct bytes credit; /* IterateRequest for a page */
	struct bytes close;
	struct bytes skip;    /* for the hits to skip; empty without */
	struct buffer upsert; /* UpsertChunksRequest; packed anew for each */
	float *vectors;       /* [n][dim] */
	uint32_t dim;
	uint64_t next_id;
	char *text;
};

/* load_requests_make - asks the server where there is a filter. Memory: the command's arena.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED, and what the server says */
status load_requests_make(const struct load_plan *plan, struct load_requests *ret);
void load_requests_finish(struct load_requests *requests);

SCOPE_DEFINE(load_requests, load_requests_finish)

/* load_requests_next - the first message of the next call. Borrowed until the next one. */
struct bytes load_requests_next(struct load_requests *requests, enum load_kind kind);

#endif
