/* A header that is taken says what it said: its ids, printed, stand where they stood. */
#include "service/telemetry/trace_context.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char trace_id[2 * TRACE_ID_BYTES + 1], span_id[2 * SPAN_ID_BYTES + 1];
	struct trace_context found;

	if (!trace_context_parse(bytes_of(data, size), &found))
		return 0;
	hex_print(trace_id, found.trace_id, TRACE_ID_BYTES);
	hex_print(span_id, found.span_id, SPAN_ID_BYTES);
	if (size < 55 || memcmp(data + 3, trace_id, 32) != 0 || memcmp(data + 36, span_id, 16) != 0)
		abort();
	return 0;
}
