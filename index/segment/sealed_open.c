/* sealed_open - looks at every byte of a file, then maps it.
 *
 * The checksums are read through a buffer and not through the map: a sector that cannot be read is
 * then an error here, and no signal.
 */
#include "index/segment/sealed_state.h"

#include "index/segment/head.h"
#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE_BYTES ((uint64_t)2 << 20)

/* Nobody chooses the matrices, so any key will do. */
static const uint8_t hash_key[16] = {0};

/* What opening needs. */
struct opening {
	const struct sealed_file *file;
	struct arena *arena;
	int descriptor; /* -1: none */
	struct sealed_header header;
	struct sealed_layout layout;
	uint32_t *table;      /* owned */
	unsigned char *block; /* owned */
};

static void opening_finish(struct opening *opening)
{
	if (opening->descriptor >= 0)
		close(opening->descriptor);
	free(opening->table);
	free(opening->block);
}

SCOPE_DEFINE(opening, opening_finish)

static status no_memory(const char *what)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, what), REASON_MEMORY_LIMIT);
}

/* Of bytes that the file must have; block as for sealed_damaged. */
static status read_at(const struct opening *opening, void *ret, size_t size, uint64_t offset,
		      const char *block)
{
	char *at = ret;

	while (size > 0) {
		ssize_t n = pread(opening->descriptor, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sealed_unreadable(opening->file, opening->arena, "reading");
		if (n == 0)
			return sealed_damaged(opening->file, opening->arena, block, "is cut off");
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return status_ok();
}

static status check_size(const struct opening *opening)
{
	struct stat about;
	char what[96];

	if (fstat(opening->descriptor, &about))
		return sealed_unreadable(opening->file, opening->arena, "looking at");
	if ((uint64_t)about.st_size == opening->layout.file_bytes)
		return status_ok();
	snprintf(what, sizeof what, "has %llu bytes instead of %llu",
		 (unsigned long long)about.st_size, (unsigned long long)opening->layout.file_bytes);
	return sealed_damaged(opening->file, opening->arena, NULL, what);
}

static status read_table(struct opening *opening)
{
	uint64_t size = opening->layout.table_bytes;

	opening->table = malloc(size);
	opening->block = malloc(SEALED_BLOCK_BYTES);
	if (!opening->table || !opening->block)
		return no_memory("memory to check a segment");
	TRY(read_at(opening, opening->table, size, SEALED_HEADER_BYTES, "table"));
	if (checksum_crc32c(0, bytes_of(opening->table, size)) != opening->header.table_checksum)
		return sealed_damaged(opening->file, opening->arena, "table",
				      "the table of checksums is damaged");
	return status_ok();
}

static status check_block(const struct opening *opening, uint64_t block)
{
	uint64_t offset = opening->layout.data_offset + block * SEALED_BLOCK_BYTES;
	char number[24], what[96];

	snprintf(number, sizeof number, "%llu", (unsigned long long)block);
	TRY(read_at(opening, opening->block, SEALED_BLOCK_BYTES, offset, number));
	if (checksum_crc32c(0, bytes_of(opening->block, SEALED_BLOCK_BYTES)) ==
	    opening->table[block])
		return status_ok();
	snprintf(what, sizeof what, "block %s (%s) is damaged", number,
		 sealed_part_name(sealed_part_of(&opening->layout, block)));
	return sealed_damaged(opening->file, opening->arena, number, what);
}

static status verify(struct opening *opening, const char *path)
{
	opening->descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (opening->descriptor < 0)
		return sealed_unreadable(opening->file, opening->arena, "opening");
	(void)posix_fadvise(opening->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	TRY(read_at(opening, &opening->header, sizeof opening->header, 0, "header"));
	TRY(sealed_header_check(&opening->header, opening->file, opening->arena, &opening->layout));
	TRY(check_size(opening));
	TRY(read_table(opening));
	for (uint64_t block = 0; block < opening->layout.n_blocks; block++)
		TRY(check_block(opening, block));
	return status_ok();
}

/* At a multiple of a huge page, so that a file system that has them can use them. */
static status map_file(struct sealed *sealed, const struct opening *opening)
{
	uint64_t size = opening->layout.file_bytes;
	unsigned char *reserved, *map;

	sealed->reserved_bytes = size + HUGE_PAGE_BYTES;
	reserved = mmap(NULL, sealed->reserved_bytes, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED)
		return no_memory("address space for a segment");
	sealed->reserved = reserved;
	map = reserved +
	      (HUGE_PAGE_BYTES - (uintptr_t)reserved % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
	if (mmap(map, size, PROT_READ, MAP_SHARED | MAP_FIXED, opening->descriptor, 0) ==
	    MAP_FAILED)
		return sealed_unreadable(opening->file, opening->arena, "mapping");
	sealed->map = map;
	sealed->map_bytes = size;
	return status_ok();
}

static void *part_at(const struct sealed *sealed, const struct opening *opening,
		     enum sealed_part part)
{
	return sealed->map + opening->layout.parts[part].offset;
}

/* Advice: heads are read from end to end, the others here and there. */
static void advise(const struct sealed *sealed, const struct opening *opening)
{
	const struct sealed_extent *parts = opening->layout.parts;

	(void)madvise(part_at(sealed, opening, SEALED_HEADS), parts[SEALED_HEADS].size,
		      MADV_HUGEPAGE);
	(void)madvise(part_at(sealed, opening, SEALED_HEADS), parts[SEALED_HEADS].size,
		      MADV_WILLNEED);
	(void)madvise(part_at(sealed, opening, SEALED_VECTORS), parts[SEALED_VECTORS].size,
		      MADV_RANDOM);
	if (parts[SEALED_TAILS].size)
		(void)madvise(part_at(sealed, opening, SEALED_TAILS), parts[SEALED_TAILS].size,
			      MADV_RANDOM);
}

static status make_deaths(struct sealed *sealed)
{
	void *deaths = mmap(NULL, sealed->n * sizeof *sealed->deaths, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (deaths == MAP_FAILED)
		return no_memory("address space for the deaths of rows");
	sealed->deaths = deaths;
	atomic_init(&sealed->first_death, GENERATION_NEVER);
	return status_ok();
}

static void point_to_parts(struct sealed *sealed, const struct opening *opening)
{
	const struct sealed_header *header = &opening->header;

	sealed->rows = part_at(sealed, opening, SEALED_ROWS);
	sealed->vectors = part_at(sealed, opening, SEALED_VECTORS);
	sealed->codes = (struct codes8){
		.shape = opening->layout.shape,
		.heads = part_at(sealed, opening, SEALED_HEADS),
		.tails = part_at(sealed, opening, SEALED_TAILS),
		.n = sealed->n,
	};
	sealed->rotation = (struct codes8_rotation){
		.matrix = part_at(sealed, opening, SEALED_ROTATION),
		.dim = header->dim,
		.epsilon = header->epsilon,
	};
	hash_128(hash_key,
		 bytes_of(sealed->rotation.matrix, opening->layout.parts[SEALED_ROTATION].size),
		 sealed->rotation_hash);
}

status sealed_open(const struct sealed_file *file, struct arena *arena, struct sealed **ret)
{
	const char *path = sealed_path(file, arena);
	SCOPED(opening) opening = &(struct opening){
		.file = file,
		.arena = arena,
		.descriptor = -1,
	};
	SCOPED(sealed) sealed = NULL;

	if (!path)
		return no_memory("memory for a path");
	TRY(verify(opening, path));
	sealed = calloc(1, sizeof *sealed);
	if (!sealed)
		return no_memory("memory for a segment");
	sealed->id = file->id;
	sealed->n = (uint32_t)opening->header.n;
	sealed->half = sealed_is_half(file->config);
	sealed->rotated = opening->header.rotated;
	sealed->vector_bytes = opening->layout.vector_bytes;
	TRY(map_file(sealed, opening));
	TRY(make_deaths(sealed));
	point_to_parts(sealed, opening);
	advise(sealed, opening);
	*ret = TAKE(sealed);
	return status_ok();
}

void sealed_close(struct sealed *sealed)
{
	if (!sealed)
		return;
	if (sealed->deaths)
		munmap(sealed->deaths, sealed->n * sizeof *sealed->deaths);
	if (sealed->reserved)
		munmap(sealed->reserved, sealed->reserved_bytes);
	free(sealed);
}
