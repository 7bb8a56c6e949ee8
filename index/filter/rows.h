/* rows - a set of rows out of a run of 65,536, compressed: the adapter of CRoaring.
 *
 * A row is its place in the run; which run it is, is its keeper's to know. As bytes it is in the
 * portable format of roaring bitmaps. Not thread safe.
 */
#ifndef SLUICE_INDEX_FILTER_ROWS_H
#define SLUICE_INDEX_FILTER_ROWS_H

#include "kernels/base/bytes.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#define ROWS_RUN_BITS 16

struct rows;

/* rows_open - an empty set. Fails: RESOURCE_EXHAUSTED */
status rows_open(struct rows **ret);

/* rows_read - a set out of bytes. Fails: DATA_LOSS (static detail) */
status rows_read(struct bytes bytes, struct rows **ret);

void rows_close(struct rows *rows); /* NULL is fine */

void rows_add(struct rows *rows, uint16_t row);
/* rows_add_new - false where it was in the set already. */
bool rows_add_new(struct rows *rows, uint16_t row);
void rows_remove(struct rows *rows, uint16_t row);
bool rows_is_empty(const struct rows *rows);

/* The same as bits: bit i % 64 of word i / 64 is row i. Words outside [first, end) are not set, and stand
 * for no rows. */
#define ROWS_WORDS ((1 << ROWS_RUN_BITS) / 64)

struct rows_bits {
	uint32_t first, end;
	uint64_t words[ROWS_WORDS];
};

/* rows_unpack - of the bytes of a set what rows_read and rows_each would give, without allocating: costs
 * what is written, not what is in the set. Fails: DATA_LOSS (static detail) */
status rows_unpack(struct bytes bytes, struct rows_bits *ret);

/* rows_write - its bytes behind what ret holds, as few as may be; ret->failed without memory. */
void rows_write(struct rows *rows, struct buffer *ret);

/* rows_each - in order. visit gives false to stop. */
void rows_each(const struct rows *rows, bool (*visit)(uint32_t row, void *context), void *context);

SCOPE_DEFINE(rows, rows_close)

#endif
