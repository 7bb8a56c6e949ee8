/* summary - what a walk cost and why it ended, onto the wire. */
#include "service/retrieval/summary.h"

#include "google/protobuf/duration.pb-c.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/retrieval_service.pb-c.h"

static Sluice__V1__StopReason stop_to_wire(enum stop_reason stop)
{
	switch (stop) {
	case STOP_LIMIT:
		return SLUICE__V1__STOP_REASON__STOP_REASON_LIMIT;
	case STOP_EXHAUSTED:
		return SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED;
	case STOP_MIN_SCORE:
		return SLUICE__V1__STOP_REASON__STOP_REASON_MIN_SCORE;
	case STOP_TOKEN_BUDGET:
		return SLUICE__V1__STOP_REASON__STOP_REASON_TOKEN_BUDGET;
	case STOP_BYTE_BUDGET:
		return SLUICE__V1__STOP_REASON__STOP_REASON_BYTE_BUDGET;
	case STOP_CLOSED:
		return SLUICE__V1__STOP_REASON__STOP_REASON_CLOSED;
	case STOP_DRAINING:
		return SLUICE__V1__STOP_REASON__STOP_REASON_DRAINING;
	case STOP_NONE:
		break;
	}
	return SLUICE__V1__STOP_REASON__STOP_REASON_UNSPECIFIED;
}

void summary_append(struct buffer *page, uint32_t field, const struct summary *summary)
{
	Google__Protobuf__Duration elapsed = GOOGLE__PROTOBUF__DURATION__INIT;
	Sluice__V1__Summary message = SLUICE__V1__SUMMARY__INIT;

	elapsed.seconds = summary->elapsed_ns / 1000000000;
	elapsed.nanos = (int32_t)(summary->elapsed_ns % 1000000000);
	message.stop_reason = stop_to_wire(summary->stop);
	message.guarantee = summary->approximate ? SLUICE__V1__GUARANTEE__GUARANTEE_APPROXIMATE
						 : SLUICE__V1__GUARANTEE__GUARANTEE_EXACT;
	message.returned = summary->returned;
	message.skipped = summary->skipped;
	message.tokens = summary->tokens;
	message.text_bytes = summary->text_bytes;
	message.scanned = summary->scanned;
	message.reranked = summary->reranked;
	message.generation = summary->generation;
	/* protobuf-c takes no const and does not write. */
	message.resume_token = (ProtobufCBinaryData){
		summary->resume_token.size, (uint8_t *)(uintptr_t)summary->resume_token.data};
	message.backend = (char *)(uintptr_t)summary->backend;
	message.elapsed = &elapsed;
	buffer_append_message(page, field, &message.base);
}
