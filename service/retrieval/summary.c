/* summary - what a walk cost and why it ended, onto the wire. */
#include "service/retrieval/summary.h"

#include "google/protobuf/duration.pb-c.h"
#include "service/rpc/protobuf_arena.h"

#define FIELD_SUMMARY 2

void summary_append(struct buffer *page, const struct summary *summary)
{
	Google__Protobuf__Duration elapsed = GOOGLE__PROTOBUF__DURATION__INIT;
	Sluice__V1__Summary message = SLUICE__V1__SUMMARY__INIT;

	elapsed.seconds = summary->elapsed_ns / 1000000000;
	elapsed.nanos = (int32_t)(summary->elapsed_ns % 1000000000);
	message.stop_reason = summary->stop_reason;
	message.guarantee = SLUICE__V1__GUARANTEE__GUARANTEE_EXACT;
	message.returned = summary->returned;
	message.tokens = summary->tokens;
	message.text_bytes = summary->text_bytes;
	message.scanned = summary->scanned;
	message.reranked = summary->reranked;
	message.generation = summary->generation;
	message.backend = (char *)summary->backend;
	message.elapsed = &elapsed;
	buffer_append_message(page, FIELD_SUMMARY, &message.base);
}
