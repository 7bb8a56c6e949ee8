/* block_file - a file of parts, each under checksums: what a collection keeps beside LMDB.
 *
 *	0       header, BLOCK_HEADER_BYTES, its own checksum last
 *	4,096   table: for each block of what follows its checksum; zeros up to a whole block
 *	then    the parts, each a whole number of blocks, zeros behind its end
 *
 * It is written under another name, synced and renamed, so that one of the right name is whole.
 * Checksums are CRC-32C and cover every byte: the header covers itself and the table, the table the
 * blocks. All are looked at when the file is opened, through a small buffer; from then on it is
 * mapped. Numbers are little-endian. What the parts hold is their kind's to say.
 * Files of a kind have a suffix of their own behind the id of the segment that they belong to.
 * block_writer.h makes one.
 */
#ifndef SLUICE_INDEX_SEGMENT_BLOCK_FILE_H
#define SLUICE_INDEX_SEGMENT_BLOCK_FILE_H

#include "kernels/base/arena.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_HEADER_BYTES ((size_t)4096)
#define BLOCK_BYTES ((size_t)65536)
#define BLOCK_PARTS_MAX 16

/* Of segments, and of what finds rows in them: the two that a sweep knows. */
#define BLOCK_SUFFIX_SEGMENT ".segment"
#define BLOCK_SUFFIX_ANN ".ann"

/* block_kind - what is the same for all files of a kind. */
struct block_kind {
	char magic[8];
	uint32_t format;
	const char *what;   /* "segment": for sentences */
	const char *suffix; /* of the name */
	size_t n_parts;     /* 1 .. BLOCK_PARTS_MAX */
	const char *const *part_names;
};

/* block_file - which file. All is borrowed. */
struct block_file {
	const struct block_kind *kind;
	const char *directory;
	const char *collection;     /* its name, for sentences */
	const uint8_t *incarnation; /* [16] the collection's: a file of another one is refused */
	uint64_t id;                /* the segment's: the file's name is made of it */
};

/* block_fields - what a kind keeps in the header, in its own meaning. */
#define BLOCK_NUMBERS 5
struct block_fields {
	uint32_t numbers[BLOCK_NUMBERS];
	uint64_t n;
	double real;
};

struct block_extent {
	uint64_t offset, size; /* size without the zeros behind */
};

struct block_layout {
	size_t n_parts;
	uint64_t table_bytes; /* with the zeros behind */
	uint64_t data_offset; /* of block 0 */
	uint64_t n_blocks;
	uint64_t file_bytes;
	struct block_extent parts[BLOCK_PARTS_MAX];
};

/* block_layout_init - of parts of these sizes, [n_parts]; a size may be 0. */
void block_layout_init(struct block_layout *ret, const uint64_t *sizes, size_t n_parts);

/* block_path, block_path_new - where it is, and until it is whole; NULL without memory. */
const char *block_path(const struct block_file *file, struct arena *arena);
const char *block_path_new(const struct block_file *file, struct arena *arena);

/* --- reading --- */

/* block_map - a file that was looked at and mapped, read only. All zero: none. */
struct block_map {
	struct block_fields fields;
	struct block_layout layout;
	unsigned char *map;
	unsigned char *reserved; /* what was mapped to have map at a multiple of a huge page */
	uint64_t reserved_bytes;
};

/* block_judge - whether the header says what this kind may say: its fields, and the sizes of parts
 * that follow from them. Fails: what block_damaged gives, for the block "header" */
struct block_judge {
	status (*judge)(const void *context, const struct block_fields *fields,
			const struct block_layout *layout, struct arena *arena);
	const void *context;
};

/* block_open - reads the file once, for its checksums: about a second for 2 GiB that are in memory.
 * Fails: DATA_LOSS (not there, cut, damaged, another's, of another format), naming collection, file
 * and block; RESOURCE_EXHAUSTED INTERNAL */
status block_open(const struct block_file *file, const struct block_judge *judge,
		  struct arena *arena, struct block_map *ret);
void block_map_finish(struct block_map *map); /* all zero is fine */

/* block_salvage - the same of a file of which some blocks are damaged, or cut off: those may not be read.
 * ret_bad  [n_blocks] bits, by malloc: which they are. Fails: as block_open, of header and table */
status block_salvage(const struct block_file *file, const struct block_judge *judge,
		     struct arena *arena, struct block_map *ret, uint8_t **ret_bad);

/* block_look - looks at every byte as block_open does, and maps nothing: for whoever copies the file and
 * asks nothing of what it holds. Fails: as block_open */
status block_look(const struct block_file *file, struct arena *arena);

static inline const void *block_map_part(const struct block_map *map, size_t part)
{
	return map->map + map->layout.parts[part].offset;
}

enum block_use {
	BLOCK_SWEPT, /* from end to end: huge pages where there are, and read ahead */
	BLOCK_PICKED /* here and there */
};

/* block_map_advise - how a part will be read. */
void block_map_advise(const struct block_map *map, size_t part, enum block_use use);

/* block_map_release - bytes offset .. offset + size of a part are not needed for now: they leave this
 * process's map, not the page cache. Who reads them all the same maps them again. */
void block_map_release(const struct block_map *map, size_t part, uint64_t offset, uint64_t size);

SCOPE_DEFINE(block_map, block_map_finish)

/* block_is_there - whether there is a file of the name, finished, whatever is in it.
 * Fails: RESOURCE_EXHAUSTED INTERNAL */
status block_is_there(const struct block_file *file, struct arena *arena, bool *ret);

/* block_is_older - whether it is of an earlier format of its kind; of one that is damaged it is not known, and
 * false. Fails: DATA_LOSS (not there, not readable) RESOURCE_EXHAUSTED INTERNAL */
status block_is_older(const struct block_file *file, struct arena *arena, bool *ret);

/* block_remove - the file and what is left of an attempt to write it. It may still be open: the
 * disk has its room back when it is closed. OK where there is none. Fails: INTERNAL */
status block_remove(const struct block_file *file, struct arena *arena);

/* --- failures --- */

/* block_damaged - DATA_LOSS, with the names of collection and file.
 * block  its name for programs: "header", "table", a number; NULL: it is the file as a whole.
 * what   a sentence without its subject: "block 3 (rows) is damaged". */
status block_damaged(const struct block_file *file, struct arena *arena, const char *block,
		     const char *what);

/* block_failure - of the system call that has just failed, by errno. */
status block_failure(const struct block_file *file, struct arena *arena, const char *doing);

/* block_unreadable - the same for a file that must be there and readable: DATA_LOSS if not. */
status block_unreadable(const struct block_file *file, struct arena *arena, const char *doing);

#endif
