/* block_header - headers, made and judged. */
#include "index/segment/block_header.h"

#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Sizes of parts up to this can be added without leaving 64 bits. */
#define PART_BYTES_MAX (UINT64_C(1) << 50)

static uint64_t whole_blocks(uint64_t size)
{
	return (size + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

void block_layout_init(struct block_layout *ret, const uint64_t *sizes, size_t n_parts)
{
	uint64_t at;

	assert(n_parts >= 1 && n_parts <= BLOCK_PARTS_MAX);
	*ret = (struct block_layout){.n_parts = n_parts};
	for (size_t part = 0; part < n_parts; part++) {
		ret->parts[part].size = sizes[part];
		ret->n_blocks += whole_blocks(sizes[part]);
	}
	ret->data_offset =
		whole_blocks(BLOCK_HEADER_BYTES + ret->n_blocks * sizeof(uint32_t)) * BLOCK_BYTES;
	ret->table_bytes = ret->data_offset - BLOCK_HEADER_BYTES;
	at = ret->data_offset;
	for (size_t part = 0; part < n_parts; part++) {
		ret->parts[part].offset = at;
		at += whole_blocks(ret->parts[part].size) * BLOCK_BYTES;
	}
	ret->file_bytes = at;
}

void block_header_init(struct block_header *ret, const struct block_file *file,
		       const struct block_fields *fields, const struct block_layout *layout,
		       uint32_t table_checksum)
{
	const struct block_header_end end = {
		.file_bytes = layout->file_bytes,
		.n_blocks = (uint32_t)layout->n_blocks,
		.table_checksum = table_checksum,
	};
	size_t parts_bytes = layout->n_parts * sizeof *layout->parts;

	*ret = (struct block_header){
		.format = file->kind->format,
		.header_bytes = BLOCK_HEADER_BYTES,
		.block_bytes = BLOCK_BYTES,
		.n = fields->n,
		.id = file->id,
		.real = fields->real,
	};
	memcpy(ret->magic, file->kind->magic, sizeof ret->magic);
	memcpy(ret->numbers, fields->numbers, sizeof ret->numbers);
	memcpy(ret->incarnation, file->incarnation, sizeof ret->incarnation);
	memcpy(ret->rest, layout->parts, parts_bytes);
	memcpy(ret->rest + parts_bytes, &end, sizeof end);
	block_header_seal(ret);
}

static uint32_t header_checksum(const struct block_header *header)
{
	return checksum_crc32c(0, bytes_of(header, offsetof(struct block_header, checksum)));
}

void block_header_seal(struct block_header *header)
{
	header->checksum = header_checksum(header);
}

static struct block_header_end end_of(const struct block_header *header, size_t n_parts)
{
	struct block_header_end end;

	memcpy(&end, header->rest + n_parts * sizeof(struct block_extent), sizeof end);
	return end;
}

/* Whether what follows from the sizes of the parts is what it says. */
static bool header_agrees(const struct block_header *header, size_t n_parts,
			  struct block_layout *ret_layout)
{
	const struct block_header_end end = end_of(header, n_parts);
	struct block_extent parts[BLOCK_PARTS_MAX];
	uint64_t sizes[BLOCK_PARTS_MAX];

	memcpy(parts, header->rest, n_parts * sizeof *parts);
	for (size_t part = 0; part < n_parts; part++) {
		if (parts[part].size > PART_BYTES_MAX)
			return false;
		sizes[part] = parts[part].size;
	}
	block_layout_init(ret_layout, sizes, n_parts);
	return header->header_bytes == BLOCK_HEADER_BYTES && header->block_bytes == BLOCK_BYTES &&
	       end.n_blocks == ret_layout->n_blocks && end.file_bytes == ret_layout->file_bytes &&
	       memcmp(parts, ret_layout->parts, n_parts * sizeof *parts) == 0;
}

bool block_header_is_older(const struct block_header *header, const struct block_kind *kind)
{
	return memcmp(header->magic, kind->magic, sizeof header->magic) == 0 &&
	       header_checksum(header) == header->checksum && header->format < kind->format;
}

status block_header_check(const struct block_header *header, const struct block_file *file,
			  struct arena *arena, struct block_layout *ret_layout)
{
	const struct block_kind *kind = file->kind;
	struct block_layout layout;
	char what[96];

	if (memcmp(header->magic, kind->magic, sizeof header->magic) != 0) {
		snprintf(what, sizeof what, "is no file of a %s", kind->what);
		return block_damaged(file, arena, "header", what);
	}
	if (header_checksum(header) != header->checksum)
		return block_damaged(file, arena, "header", "the header is damaged");
	if (header->format != kind->format) {
		snprintf(what, sizeof what, "has format %u, and this program reads %u",
			 header->format, kind->format);
		return block_damaged(file, arena, "header", what);
	}
	if (memcmp(header->incarnation, file->incarnation, sizeof header->incarnation) != 0)
		return block_damaged(file, arena, "header", "is of another collection");
	if (header->id != file->id) {
		snprintf(what, sizeof what, "is that of segment %016llx",
			 (unsigned long long)header->id);
		return block_damaged(file, arena, "header", what);
	}
	if (!header_agrees(header, kind->n_parts, &layout))
		return block_damaged(file, arena, "header", "the header contradicts itself");
	*ret_layout = layout;
	return status_ok();
}

void block_header_fields(const struct block_header *header, struct block_fields *ret)
{
	*ret = (struct block_fields){.n = header->n, .real = header->real};
	memcpy(ret->numbers, header->numbers, sizeof ret->numbers);
}

uint32_t block_header_table_checksum(const struct block_header *header, size_t n_parts)
{
	return end_of(header, n_parts).table_checksum;
}

size_t block_part_of(const struct block_layout *layout, uint64_t block)
{
	uint64_t offset = layout->data_offset + block * BLOCK_BYTES;
	size_t part = 0;

	while (part + 1 < layout->n_parts && offset >= layout->parts[part + 1].offset)
		part++;
	/* One that is empty begins where the next one does. */
	while (part > 0 && layout->parts[part].size == 0)
		part--;
	return part;
}
