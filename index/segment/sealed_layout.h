/* sealed_layout - what stands where in the file of a sealed segment. Internal to it.
 *
 *	0       header, SEALED_HEADER_BYTES, its own checksum last
 *	4,096   table: for each block of what follows its checksum; zeros up to a whole block
 *	then    the parts, each a whole number of blocks, zeros behind its end:
 *		rows      u64 numbers, ascending
 *		vectors   [n][dim] float or float16
 *		heads     int8 codes, as kernels/codes8.h lays them out
 *		tails     likewise
 *		rotation  [dim][dim] float, or nothing
 *
 * Checksums are CRC-32C and cover every byte: the header covers itself and the table, the table the
 * blocks. Numbers are little-endian. Where the parts lie follows from the header's other fields; it
 * is written down so that a reader of another make need not know how.
 */
#ifndef SLUICE_INDEX_SEGMENT_SEALED_LAYOUT_H
#define SLUICE_INDEX_SEGMENT_SEALED_LAYOUT_H

#include "index/segment/sealed.h"

#define SEALED_FORMAT 1
#define SEALED_HEADER_BYTES ((size_t)4096)
#define SEALED_BLOCK_BYTES ((size_t)65536)

enum sealed_part {
	SEALED_ROWS,
	SEALED_VECTORS,
	SEALED_HEADS,
	SEALED_TAILS,
	SEALED_ROTATION,
	SEALED_PARTS,
};

struct sealed_extent {
	uint64_t offset, size; /* size without the zeros behind */
};

struct sealed_header {
	char magic[8];
	uint32_t format;
	uint32_t header_bytes, block_bytes;
	uint32_t dim, metric, encoding;
	uint32_t head; /* as codes8_shape_init was given it */
	uint32_t rotated;
	uint64_t n, id;
	uint8_t incarnation[16];
	double epsilon; /* the rotation's */
	struct sealed_extent parts[SEALED_PARTS];
	uint64_t file_bytes;
	uint32_t n_blocks;
	uint32_t table_checksum; /* of all between the header and the first part */
	uint8_t unused[SEALED_HEADER_BYTES - 180];
	uint32_t checksum; /* of all before it */
};

_Static_assert(sizeof(struct sealed_header) == SEALED_HEADER_BYTES, "a header is a page");

struct sealed_layout {
	struct codes8_shape shape;
	uint64_t vector_bytes; /* of a row */
	uint64_t table_bytes;  /* with the zeros behind */
	uint64_t data_offset;  /* of block 0 */
	uint64_t n_blocks;
	uint64_t file_bytes;
	struct sealed_extent parts[SEALED_PARTS];
};

/* sealed_layout_init - of n rows. */
void sealed_layout_init(struct sealed_layout *ret, const struct collection_config *config,
			uint64_t n, uint32_t head, bool rotated);

static inline bool sealed_is_half(const struct collection_config *config)
{
	return config->encoding == ENCODING_FLOAT16;
}

/* sealed_header_init - all but table_checksum and checksum. */
void sealed_header_init(struct sealed_header *ret, const struct sealed_file *file, uint64_t n,
			const struct sealed_coding *coding, const struct sealed_layout *layout);

/* sealed_header_seal - the checksum of what is in it now. */
void sealed_header_seal(struct sealed_header *header);

/* sealed_header_check - that it is whole, of this format, and of this file of this collection.
 * ret_layout  what it says. Fails: DATA_LOSS */
status sealed_header_check(const struct sealed_header *header, const struct sealed_file *file,
			   struct arena *arena, struct sealed_layout *ret_layout);

/* sealed_part_of - which part a block is of. */
enum sealed_part sealed_part_of(const struct sealed_layout *layout, uint64_t block);
const char *sealed_part_name(enum sealed_part part);

/* sealed_damaged - DATA_LOSS, with the names of collection and file.
 * block  its name for programs: "header", "table", a number; NULL: it is the file as a whole.
 * what   a sentence without its subject: "block 3 (rows) is damaged". */
status sealed_damaged(const struct sealed_file *file, struct arena *arena, const char *block,
		      const char *what);

/* sealed_failure - of the system call that has just failed, by errno. */
status sealed_failure(const struct sealed_file *file, struct arena *arena, const char *doing);

/* sealed_unreadable - the same for a file that must be there and readable: DATA_LOSS if not. */
status sealed_unreadable(const struct sealed_file *file, struct arena *arena, const char *doing);

/* sealed_path_new - what it is called until it is whole; NULL without memory. */
const char *sealed_path_new(const struct sealed_file *file, struct arena *arena);

#endif
