/* summary - what a walk cost and why it ended, onto the wire. */
#ifndef SLUICE_SERVICE_RETRIEVAL_SUMMARY_H
#define SLUICE_SERVICE_RETRIEVAL_SUMMARY_H

#include "index/cursor/cursor.h"
#include "kernels/base/bytes.h"

struct summary {
	enum stop_reason stop;
	bool approximate; /* some chunk may be missing */
	uint64_t returned, skipped, tokens, text_bytes, scanned, reranked, generation;
	struct bytes resume_token;
	const char *backend;
	int64_t elapsed_ns;
};

/* summary_append - as that field of a response. */
void summary_append(struct buffer *page, uint32_t field, const struct summary *summary);

#endif
