/* chunk - one passage of a document, as plain data: what is stored and what comes back.
 *
 * Everything in it is borrowed: from the request's arena on the way in, from the page's arena on
 * the way out. Strings are UTF-8 and, on the way out, have a NUL behind them that size does not
 * count.
 */
#ifndef SLUICE_INDEX_CHUNK_H
#define SLUICE_INDEX_CHUNK_H

#include "kernels/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_STRING = 1,
	VALUE_INT = 2,
	VALUE_DOUBLE = 3,
	VALUE_BOOL = 4,
	VALUE_STRING_LIST = 5,
};

struct value {
	enum value_kind kind;
	union {
		struct bytes string;
		int64_t integer;
		double number;
		bool boolean;
		struct {
			const struct bytes *items; /* [n] */
			size_t n;
		} list;
	};
};

struct metadata {
	struct bytes key;
	struct value value;
};

struct chunk {
	struct bytes id, document_id, text;
	uint32_t ordinal, token_count;
	const struct metadata *metadata; /* [n_metadata] in order of key, no key twice */
	size_t n_metadata;
	float *vector; /* [dim]; NULL where it is not asked for. On upsert scaled in place */
};

#define CHUNK_ID_MAX 512

/* A document's chunks are in order of ordinal, then row. */
struct document_row {
	uint32_t ordinal;
	uint64_t row;
};

struct document_query {
	struct bytes document;
	struct document_row from; /* not among what is found; need not be there */
	bool forward;             /* what is behind it; else what is before it */
	size_t max;
};

/* chunk_find_field - the value of a metadata key; NULL where the chunk has not it. */
static inline const struct value *chunk_find_field(const struct chunk *chunk, const char *name)
{
	struct bytes wanted = bytes_of_string(name);
	size_t low = 0, high = chunk->n_metadata;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(chunk->metadata[middle].key, wanted);

		if (order == 0)
			return &chunk->metadata[middle].value;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

#endif
