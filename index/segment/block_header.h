/* block_header - the first page of a block file. Internal to it, and to tests of damage. */
#ifndef SLUICE_INDEX_SEGMENT_BLOCK_HEADER_H
#define SLUICE_INDEX_SEGMENT_BLOCK_HEADER_H

#include "index/segment/block_file.h"

struct block_header {
	char magic[8];
	uint32_t format;
	uint32_t header_bytes, block_bytes;
	uint32_t numbers[BLOCK_NUMBERS];
	uint64_t n, id;
	uint8_t incarnation[16];
	double real;
	/* An extent for each part, then a block_header_end, then zeros. */
	unsigned char rest[BLOCK_HEADER_BYTES - 84];
	uint32_t checksum; /* of all before it */
};

_Static_assert(sizeof(struct block_header) == BLOCK_HEADER_BYTES, "a header is a page");

struct block_header_end {
	uint64_t file_bytes;
	uint32_t n_blocks;
	uint32_t table_checksum; /* of all between the header and the first part */
};

_Static_assert(BLOCK_PARTS_MAX * sizeof(struct block_extent) + sizeof(struct block_header_end) <=
		       BLOCK_HEADER_BYTES - 84,
	       "as many parts as there may be are described in the header");

/* block_header_init - whole, and sealed. table_checksum  of table_bytes. */
void block_header_init(struct block_header *ret, const struct block_file *file,
		       const struct block_fields *fields, const struct block_layout *layout,
		       uint32_t table_checksum);

/* block_header_seal - the checksum of what is in it now. */
void block_header_seal(struct block_header *header);

/* block_header_check - that it is whole, of this kind and format, and of this file of this
 * collection, and that its parts lie one behind the other. Fails: DATA_LOSS */
status block_header_check(const struct block_header *header, const struct block_file *file,
			  struct arena *arena, struct block_layout *ret_layout);

/* block_header_is_older - whether it is whole, and of a format that this kind had before. */
bool block_header_is_older(const struct block_header *header, const struct block_kind *kind);

void block_header_fields(const struct block_header *header, struct block_fields *ret);
uint32_t block_header_table_checksum(const struct block_header *header, size_t n_parts);

/* block_part_of - which part a block is of. */
size_t block_part_of(const struct block_layout *layout, uint64_t block);

#endif
