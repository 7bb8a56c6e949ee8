/* schema_item - the fields of one encoded message, one by one, for what reads descriptors and options.
 *
 * A descriptor of another shape than ours (a name that comes as a varint) is read as protocol buffers
 * read it: as an unknown field, passed over. Nothing here allocates, but for item_gather.
 */
#ifndef SLUICE_SERVICE_SCHEMA_SCHEMA_ITEM_H
#define SLUICE_SERVICE_SCHEMA_SCHEMA_ITEM_H

#include "kernels/base/arena.h"
#include "service/schema/wire.h"

struct item {
	uint32_t number;
	enum wire_type type;
	uint64_t bits;      /* of a varint and a fixed number */
	struct bytes bytes; /* of what has a length */
};

/* item_next - the next field; of a group only that it is one. False: the end, or wire->failed says why not. */
bool item_next(struct wire *wire, struct item *ret);

static inline bool item_is(const struct item *item, uint32_t number, enum wire_type type)
{
	return item->number == number && item->type == type;
}

/* item_check - whether the bytes are a message at all. NULL: they are; else what is wrong. */
const char *item_check(struct bytes message);

/* item_count - how many times a field comes with the wire type. */
size_t item_count(struct bytes message, uint32_t number, enum wire_type type);

/* item_varint - the last value of a field, or fallback. */
uint64_t item_varint(struct bytes message, uint32_t number, uint64_t fallback);

/* item_bytes - the last value of a field; empty, with data NULL, where it does not come. */
struct bytes item_bytes(struct bytes message, uint32_t number);

/* item_gather - a singular sub-message: its occurrences end to end, as parsers merge them. One
 * occurrence is borrowed, more are copied into the arena. False: no memory. */
bool item_gather(struct arena *arena, struct bytes message, uint32_t number, struct bytes *ret);

#endif
