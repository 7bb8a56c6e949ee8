/* sent_rows - the last rows that a call has sent. */
#include "service/retrieval/sent_rows.h"

#include <stdlib.h>

#define CAPACITY_MIN 64

void sent_rows_finish(struct sent_rows *sent)
{
	free(sent->rows);
	*sent = (struct sent_rows){0};
}

static status grow(struct sent_rows *sent)
{
	size_t capacity = sent->capacity ? 2 * sent->capacity : CAPACITY_MIN;
	uint64_t *rows = realloc(sent->rows, capacity * sizeof *rows);

	if (!rows)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for what was sent");
	sent->rows = rows;
	sent->capacity = capacity;
	return status_ok();
}

status sent_rows_add(struct sent_rows *sent, uint64_t row)
{
	if (sent->n == sent->capacity && sent->n < SENT_ROWS_MAX)
		TRY(grow(sent));
	sent->rows[sent->next] = row;
	sent->next = (sent->next + 1) % SENT_ROWS_MAX;
	if (sent->n < SENT_ROWS_MAX)
		sent->n++;
	return status_ok();
}

bool sent_rows_have(const struct sent_rows *sent, uint64_t row)
{
	bool have = false;

	/* Without a way out in the middle the compiler does several at once. */
	for (size_t i = 0; i < sent->n; i++)
		have |= sent->rows[i] == row;
	return have;
}
