/* record - a chunk without its vector, as bytes. Private to this folder.
 *
 *	id text document_id    string: varint size, the bytes, a NUL that size does not count
 *	ordinal token_count    varint
 *	metadata               varint count, then for each: key (string), kind (u8), value:
 *	                       string | u64 | double's bits as u64 | u8 0 or 1 |
 *	                       varint count and as many strings
 *
 * The NUL is stored so that a record is read out by one copy.
 */
#ifndef SLUICE_INDEX_STORE_RECORD_H
#define SLUICE_INDEX_STORE_RECORD_H

#include "index/chunk.h"
#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

/* record_encode - appends to out; out->failed where memory is short. */
void record_encode(const struct chunk *chunk, struct buffer *out);

/* record_decode - from any bytes whatsoever. Strings point into record, lists into the arena;
 * the vector is NULL. Fails: DATA_LOSS (static detail) RESOURCE_EXHAUSTED */
status record_decode(struct bytes record, struct arena *arena, struct chunk *ret);

/* record_id - the id alone, borrowed from record. Fails: DATA_LOSS */
status record_id(struct bytes record, struct bytes *ret);

#endif
