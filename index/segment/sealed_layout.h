/* sealed_layout - what stands where in the file of a sealed segment: block_file.h draws the frame, and
 * these are its parts. Internal to it.
 *
 *	rows      u64 numbers, ascending
 *	vectors   [n][dim] float or float16
 *	heads     int8 codes, as kernels/codes8.h lays them out
 *	tails     likewise
 *	rotation  [dim][dim] float, or nothing
 *
 * Where the parts lie follows from the header's other fields; it is written down so that a reader of
 * another make need not know how.
 */
#ifndef SLUICE_INDEX_SEGMENT_SEALED_LAYOUT_H
#define SLUICE_INDEX_SEGMENT_SEALED_LAYOUT_H

#include "index/segment/block_file.h"
#include "index/segment/sealed.h"

#define SEALED_FORMAT 1

enum sealed_part {
	SEALED_ROWS,
	SEALED_VECTORS,
	SEALED_HEADS,
	SEALED_TAILS,
	SEALED_ROTATION,
	SEALED_PARTS,
};

/* What the header's numbers are. Its n are the rows, its real is the rotation's epsilon. */
enum sealed_number {
	SEALED_DIM,
	SEALED_METRIC,
	SEALED_ENCODING,
	SEALED_HEAD, /* as codes8_shape_init was given it */
	SEALED_ROTATED,
};

struct sealed_layout {
	struct codes8_shape shape;
	uint64_t vector_bytes; /* of a row */
	struct block_layout blocks;
};

/* sealed_layout_init - of n rows. */
void sealed_layout_init(struct sealed_layout *ret, const struct collection_config *config,
			uint64_t n, uint32_t head, bool rotated);

static inline bool sealed_is_half(const struct collection_config *config)
{
	return config->encoding == ENCODING_FLOAT16;
}

/* sealed_fields - what the header says of n rows. */
void sealed_fields(struct block_fields *ret, const struct collection_config *config, uint64_t n,
		   const struct sealed_coding *coding);

/* sealed_judge - whether the fields are of such a collection, and the parts follow from them.
 * For block_open; context is the struct sealed_file. Fails: DATA_LOSS */
status sealed_judge(const void *context, const struct block_fields *fields,
		    const struct block_layout *layout, struct arena *arena);

/* sealed_block_file - the same file in the words of block_file.h. */
struct block_file sealed_block_file(const struct sealed_file *file);

#endif
