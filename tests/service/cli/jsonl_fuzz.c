/* A line that reads as a chunk is written, and must read again as the same bytes.
 *
 * Random bytes are hardly ever JSON, and jansson is not instrumented to guide the fuzzer there. So
 * the first byte chooses: the rest as they are, or each as a piece of a line.
 */
#include "service/cli/jsonl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pieces[] = {
	"{",
	"}",
	"[",
	"]",
	":",
	",",
	"{\"id\":\"a\",",
	"\"id\":",
	"\"document_id\":",
	"\"ordinal\":",
	"\"text\":",
	"\"token_count\":",
	"\"metadata\":{",
	"\"metadata\":{\"k\":",
	"\"vector\":[",
	"\"k\":",
	"\"other\":",
	"\"\"",
	"\"\\u20ac\\n\\\"\"",
	"\"\\ud83d\\ude00\"",
	"\"\\ud83d\"",
	"\"\\u0000\"",
	"\"\xff\"",
	"[\"x\",\"y\"]",
	"0",
	"-1",
	"4294967295",
	"4294967296",
	"9223372036854775807",
	"9223372036854775808",
	"0.1",
	"-0.0",
	"5e-324",
	"1e308",
	"1e309",
	"true",
	"null",
	" ",
};

#define N_PIECES (sizeof pieces / sizeof *pieces)

static void make_line(struct buffer *line, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const char *piece = pieces[data[i] % N_PIECES];

		buffer_append(line, piece, strlen(piece));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct buffer bytes[3] = {0};
	SCOPED(buffer) line = &bytes[0];
	SCOPED(buffer) first = &bytes[1];
	SCOPED(buffer) second = &bytes[2];
	Sluice__V1__Chunk chunk;

	arena_init(arena, 8 << 20);
	if (size == 0)
		return 0;
	if (data[0] % 2)
		make_line(line, data + 1, size - 1);
	else
		buffer_append(line, data + 1, size - 1);
	if (status_failed(jsonl_read(arena, bytes_of(line->data, line->size), &chunk)))
		return 0;
	jsonl_write(first, &chunk);
	if (status_failed(jsonl_read(arena, bytes_of(first->data, first->size), &chunk)))
		return arena->exhausted ? 0 : (abort(), 0);
	jsonl_write(second, &chunk);
	if (!bytes_equal(bytes_of(first->data, first->size), bytes_of(second->data, second->size)))
		abort();
	return 0;
}
