/* block_open - looks at every byte of a block file, then maps it, or not.
 *
 * The checksums are read through a buffer and not through the map: a sector that cannot be read is
 * then an error here, and no signal.
 */
#include "index/segment/block_header.h"

#include "index/file/file_io.h"
#include "index/segment/block_name.h"
#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE_BYTES ((uint64_t)2 << 20)

/* What opening needs. */
struct opening {
	const struct block_file *file;
	struct arena *arena;
	int descriptor; /* -1: none */
	struct block_header header;
	struct block_fields fields;
	struct block_layout layout;
	uint32_t *table;      /* owned */
	unsigned char *block; /* owned */
	bool salvages;        /* damaged blocks are noted and gone past */
	uint8_t *bad;         /* bits of them; owned */
};

static void opening_finish(struct opening *opening)
{
	if (opening->descriptor >= 0)
		(void)file_close(opening->descriptor);
	free(opening->table);
	free(opening->block);
	free(opening->bad);
}

SCOPE_DEFINE(opening, opening_finish)

/* Of bytes that the file must have; block as for block_damaged. */
static status read_at(const struct opening *opening, void *ret, size_t size, uint64_t offset,
		      const char *block)
{
	ssize_t n = file_read(opening->descriptor, ret, size, offset);

	if (n < 0)
		return block_unreadable(opening->file, opening->arena, "reading");
	if ((size_t)n < size)
		return block_damaged(opening->file, opening->arena, block, "is cut off");
	return status_ok();
}

static status check_size(const struct opening *opening)
{
	struct stat about;
	char what[96];

	if (fstat(opening->descriptor, &about))
		return block_unreadable(opening->file, opening->arena, "looking at");
	if ((uint64_t)about.st_size == opening->layout.file_bytes)
		return status_ok();
	snprintf(what, sizeof what, "has %llu bytes instead of %llu",
		 (unsigned long long)about.st_size, (unsigned long long)opening->layout.file_bytes);
	return block_damaged(opening->file, opening->arena, NULL, what);
}

static status read_table(struct opening *opening)
{
	uint64_t size = opening->layout.table_bytes;

	opening->table = malloc(size);
	opening->block = malloc(BLOCK_BYTES);
	if (!opening->table || !opening->block)
		return block_no_memory("memory to check a file");
	TRY(read_at(opening, opening->table, size, BLOCK_HEADER_BYTES, "table"));
	if (checksum_crc32c(0, bytes_of(opening->table, size)) !=
	    block_header_table_checksum(&opening->header, opening->layout.n_parts))
		return block_damaged(opening->file, opening->arena, "table",
				     "the table of checksums is damaged");
	return status_ok();
}

static status check_block(const struct opening *opening, uint64_t block)
{
	uint64_t offset = opening->layout.data_offset + block * BLOCK_BYTES;
	char number[24], what[96];

	snprintf(number, sizeof number, "%llu", (unsigned long long)block);
	TRY(read_at(opening, opening->block, BLOCK_BYTES, offset, number));
	if (checksum_crc32c(0, bytes_of(opening->block, BLOCK_BYTES)) == opening->table[block])
		return status_ok();
	snprintf(what, sizeof what, "block %s (%s) is damaged", number,
		 opening->file->kind->part_names[block_part_of(&opening->layout, block)]);
	return block_damaged(opening->file, opening->arena, number, what);
}

static status check_blocks(struct opening *opening)
{
	uint64_t n = opening->layout.n_blocks;

	if (opening->salvages) {
		opening->bad = calloc(n / 8 + 1, 1);
		if (!opening->bad)
			return block_no_memory("memory for a list of blocks");
	}
	for (uint64_t block = 0; block < n; block++) {
		status s = check_block(opening, block);

		if (opening->bad && s.code == STATUS_DATA_LOSS)
			opening->bad[block / 8] |= (uint8_t)(1U << block % 8);
		else
			TRY(s);
	}
	return status_ok();
}

static status verify(struct opening *opening, const struct block_judge *judge, const char *path)
{
	opening->descriptor = file_open(path, O_RDONLY);
	if (opening->descriptor < 0)
		return block_unreadable(opening->file, opening->arena, "opening");
	(void)posix_fadvise(opening->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	TRY(read_at(opening, &opening->header, sizeof opening->header, 0, "header"));
	TRY(block_header_check(&opening->header, opening->file, opening->arena, &opening->layout));
	block_header_fields(&opening->header, &opening->fields);
	TRY(judge->judge(judge->context, &opening->fields, &opening->layout, opening->arena));
	if (!opening->salvages)
		TRY(check_size(opening));
	TRY(read_table(opening));
	return check_blocks(opening);
}

/* At a multiple of a huge page, so that a file system that has them can use them. */
static status map_file(const struct opening *opening, struct block_map *map)
{
	uint64_t size = opening->layout.file_bytes;
	unsigned char *reserved, *at;

	map->reserved_bytes = size + HUGE_PAGE_BYTES;
	reserved = file_map(NULL, map->reserved_bytes, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (reserved == MAP_FAILED)
		return block_no_memory("address space for a file");
	map->reserved = reserved;
	at = reserved + (HUGE_PAGE_BYTES - (uintptr_t)reserved % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
	if (file_map(at, size, PROT_READ, MAP_SHARED | MAP_FIXED, opening->descriptor) ==
	    MAP_FAILED)
		return block_unreadable(opening->file, opening->arena, "mapping");
	map->map = at;
	return status_ok();
}

static status open_and_map(struct opening *opening, const struct block_judge *judge,
			   struct block_map *ret)
{
	const char *path = block_path(opening->file, opening->arena);
	SCOPED(block_map) map = &(struct block_map){0};

	if (!path)
		return block_no_memory("memory for a path");
	TRY(verify(opening, judge, path));
	map->fields = opening->fields;
	map->layout = opening->layout;
	TRY(map_file(opening, map));
	*ret = *map;
	map->reserved = NULL;
	return status_ok();
}

status block_open(const struct block_file *file, const struct block_judge *judge,
		  struct arena *arena, struct block_map *ret)
{
	SCOPED(opening) opening = &(struct opening){
		.file = file,
		.arena = arena,
		.descriptor = -1,
	};

	return open_and_map(opening, judge, ret);
}

status block_salvage(const struct block_file *file, const struct block_judge *judge,
		     struct arena *arena, struct block_map *ret, uint8_t **ret_bad)
{
	SCOPED(opening) opening = &(struct opening){
		.file = file,
		.arena = arena,
		.descriptor = -1,
		.salvages = true,
	};

	TRY(open_and_map(opening, judge, ret));
	*ret_bad = TAKE(opening->bad);
	return status_ok();
}

static status take_any(const void *context, const struct block_fields *fields,
		       const struct block_layout *layout, struct arena *arena)
{
	(void)context;
	(void)fields;
	(void)layout;
	(void)arena;
	return status_ok();
}

status block_look(const struct block_file *file, struct arena *arena)
{
	const struct block_judge judge = {take_any, NULL};
	SCOPED(opening) opening = &(struct opening){
		.file = file,
		.arena = arena,
		.descriptor = -1,
	};
	const char *path = block_path(file, arena);

	return path ? verify(opening, &judge, path) : block_no_memory("memory for a path");
}

void block_map_finish(struct block_map *map)
{
	if (map->reserved)
		file_unmap(map->reserved, map->reserved_bytes);
	*map = (struct block_map){0};
}

void block_map_advise(const struct block_map *map, size_t part, enum block_use use)
{
	uint64_t size = map->layout.parts[part].size;
	unsigned char *at = map->map + map->layout.parts[part].offset;

	if (size == 0)
		return;
	if (use == BLOCK_PICKED) {
		(void)madvise(at, size, MADV_RANDOM);
		return;
	}
	(void)madvise(at, size, MADV_HUGEPAGE);
	(void)madvise(at, size, MADV_WILLNEED);
}

void block_map_release(const struct block_map *map, size_t part, uint64_t offset, uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t first = (map->layout.parts[part].offset + offset) / page * page;
	uint64_t end = map->layout.parts[part].offset + offset + size;

	if (size > 0)
		(void)madvise(map->map + first, end - first, MADV_DONTNEED);
}
