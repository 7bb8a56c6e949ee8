/* summary - what a walk cost and why it ended, onto the wire. */
#ifndef SLUICE_SERVICE_RETRIEVAL_SUMMARY_H
#define SLUICE_SERVICE_RETRIEVAL_SUMMARY_H

#include "kernels/base/bytes.h"
#include "sluice/v1/retrieval_service.pb-c.h"

struct summary {
	Sluice__V1__StopReason stop_reason;
	uint64_t returned, tokens, text_bytes, scanned, reranked, generation;
	const char *backend;
	int64_t elapsed_ns;
};

/* summary_append - as field 2 of a SearchResponse. The guarantee is EXACT: every walk is. */
void summary_append(struct buffer *page, const struct summary *summary);

#endif
