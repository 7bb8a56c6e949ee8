/* sealed_salvage - the rows of a damaged segment whose number and vector are whole. What is left of codes and
 * rotation counts for nothing: they are made anew. Used by one thread.
 */
#ifndef SLUICE_INDEX_SEGMENT_SEALED_SALVAGE_H
#define SLUICE_INDEX_SEGMENT_SEALED_SALVAGE_H

#include "index/segment/sealed.h"

struct sealed_salvage;

/* What the manifest says of it. */
struct sealed_extent {
	uint64_t n, first_row, last_row;
};

/* sealed_salvage_open - reads the file once. Memory: 16 bytes a row.
 * Fails: DATA_LOSS (there is none, or nothing of it can be trusted: its header or table is damaged)
 * RESOURCE_EXHAUSTED INTERNAL */
status sealed_salvage_open(const struct sealed_file *file, const struct sealed_extent *extent,
			   struct arena *arena, struct sealed_salvage **ret);
void sealed_salvage_close(struct sealed_salvage *salvage); /* NULL is fine */

size_t sealed_salvage_length(const struct sealed_salvage *salvage);

/* sealed_salvage_find - which of them has the row; the length where none does. */
size_t sealed_salvage_find(const struct sealed_salvage *salvage, uint64_t row);

/* sealed_salvage_vector - as sealed_vector, of one of them. */
const float *sealed_salvage_vector(const struct sealed_salvage *salvage, size_t i, float *scratch);

SCOPE_DEFINE(sealed_salvage, sealed_salvage_close)

#endif
