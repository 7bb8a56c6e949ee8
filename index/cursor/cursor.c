/* cursor - the walk over a chain; the stages are in their own files. */
#include "index/cursor/cursor.h"

#include <assert.h>

/* What every stage has in common stands here once: an end and a failure stay, and a failure is
 * handed down the chain. */
enum step cursor_next(struct cursor *cursor, struct hit_batch *ret_batch)
{
	enum step step;

	if (status_failed(cursor->status))
		return STEP_FAIL;
	if (cursor->ended)
		return STEP_END;
	step = cursor->ops->next(cursor, ret_batch);
	if (step == STEP_END)
		cursor->ended = true;
	if (step == STEP_FAIL && !status_failed(cursor->status) && cursor->upstream)
		cursor->status = cursor->upstream->status;
	assert(step != STEP_FAIL || status_failed(cursor->status));
	return step;
}

void cursor_shrink(struct cursor *cursor)
{
	for (; cursor; cursor = cursor->upstream)
		if (cursor->ops->shrink)
			cursor->ops->shrink(cursor);
}

size_t cursor_memory_bytes(const struct cursor *cursor)
{
	size_t size = 0;

	for (; cursor; cursor = cursor->upstream)
		if (cursor->ops->memory_bytes)
			size += cursor->ops->memory_bytes(cursor);
	return size;
}

uint64_t cursor_scan_bytes(struct cursor *cursor)
{
	if (cursor->ended)
		return 0;
	for (; cursor; cursor = cursor->upstream)
		if (cursor->ops->scan_bytes)
			return cursor->ops->scan_bytes(cursor);
	return UINT64_MAX;
}

void cursor_close(struct cursor *cursor)
{
	while (cursor) {
		struct cursor *upstream = cursor->upstream;

		cursor->ops->free(cursor);
		cursor = upstream;
	}
}
