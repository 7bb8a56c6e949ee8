/* Bytes as a line: what reads as a chunk is written, and must read again as the same bytes. */
#include "service/cli/jsonl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct buffer bytes[2] = {0};
	SCOPED(buffer) first = &bytes[0];
	SCOPED(buffer) second = &bytes[1];
	Sluice__V1__Chunk chunk;

	arena_init(arena, 8 << 20);
	if (status_failed(jsonl_read(arena, bytes_of(data, size), &chunk)))
		return 0;
	jsonl_write(first, &chunk);
	if (status_failed(jsonl_read(arena, bytes_of(first->data, first->size), &chunk)))
		return arena->exhausted ? 0 : (abort(), 0);
	jsonl_write(second, &chunk);
	if (!bytes_equal(bytes_of(first->data, first->size), bytes_of(second->data, second->size)))
		abort();
	return 0;
}
