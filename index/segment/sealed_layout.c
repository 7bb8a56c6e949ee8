/* sealed_layout - headers, made and judged. */
#include "index/segment/sealed_layout.h"

#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char magic[8] = "SLUICEsg";

static uint64_t whole_blocks(uint64_t size)
{
	return (size + SEALED_BLOCK_BYTES - 1) / SEALED_BLOCK_BYTES;
}

void sealed_layout_init(struct sealed_layout *ret, const struct collection_config *config,
			uint64_t n, uint32_t head, bool rotated)
{
	uint64_t dim = config->dim;
	uint64_t at;

	*ret = (struct sealed_layout){
		.vector_bytes = dim * (sealed_is_half(config) ? sizeof(uint16_t) : sizeof(float)),
	};
	codes8_shape_init(&ret->shape, config->metric, config->dim, head);
	ret->parts[SEALED_ROWS].size = n * sizeof(uint64_t);
	ret->parts[SEALED_VECTORS].size = n * ret->vector_bytes;
	ret->parts[SEALED_HEADS].size = codes8_heads_bytes(&ret->shape, n);
	ret->parts[SEALED_TAILS].size = codes8_tails_bytes(&ret->shape, n);
	ret->parts[SEALED_ROTATION].size = rotated ? dim * dim * sizeof(float) : 0;
	for (size_t part = 0; part < SEALED_PARTS; part++)
		ret->n_blocks += whole_blocks(ret->parts[part].size);
	ret->data_offset = whole_blocks(SEALED_HEADER_BYTES + ret->n_blocks * sizeof(uint32_t)) *
			   SEALED_BLOCK_BYTES;
	ret->table_bytes = ret->data_offset - SEALED_HEADER_BYTES;
	at = ret->data_offset;
	for (size_t part = 0; part < SEALED_PARTS; part++) {
		ret->parts[part].offset = at;
		at += whole_blocks(ret->parts[part].size) * SEALED_BLOCK_BYTES;
	}
	ret->file_bytes = at;
}

uint64_t sealed_file_bytes(const struct collection_config *config, uint64_t n,
			   const struct sealed_coding *coding)
{
	struct sealed_layout layout;

	sealed_layout_init(&layout, config, n, coding->head, coding->rotation != NULL);
	return layout.file_bytes;
}

static uint32_t encoding_of(const struct collection_config *config)
{
	return sealed_is_half(config) ? ENCODING_FLOAT16 : ENCODING_FLOAT32;
}

void sealed_header_init(struct sealed_header *ret, const struct sealed_file *file, uint64_t n,
			const struct sealed_coding *coding, const struct sealed_layout *layout)
{
	*ret = (struct sealed_header){
		.format = SEALED_FORMAT,
		.header_bytes = SEALED_HEADER_BYTES,
		.block_bytes = SEALED_BLOCK_BYTES,
		.dim = file->config->dim,
		.metric = file->config->metric,
		.encoding = encoding_of(file->config),
		.head = coding->head,
		.rotated = coding->rotation != NULL,
		.n = n,
		.id = file->id,
		.epsilon = coding->rotation ? coding->rotation->epsilon : 0,
		.file_bytes = layout->file_bytes,
		.n_blocks = (uint32_t)layout->n_blocks,
	};
	memcpy(ret->magic, magic, sizeof magic);
	memcpy(ret->incarnation, file->incarnation, sizeof ret->incarnation);
	memcpy(ret->parts, layout->parts, sizeof ret->parts);
}

static uint32_t header_checksum(const struct sealed_header *header)
{
	return checksum_crc32c(0, bytes_of(header, offsetof(struct sealed_header, checksum)));
}

void sealed_header_seal(struct sealed_header *header)
{
	header->checksum = header_checksum(header);
}

/* Whether what follows from the header's fields is what it says. Nothing here can overflow: dim and
 * n are bounded first. */
static bool header_agrees(const struct sealed_header *header, const struct sealed_file *file,
			  struct sealed_layout *ret_layout)
{
	if (header->n < 1 || header->n > SEALED_ROWS_MAX || header->head % CODES8_HEAD_STEP != 0 ||
	    header->head >= header->dim + CODES8_HEAD_STEP)
		return false;
	sealed_layout_init(ret_layout, file->config, header->n, header->head, header->rotated);
	return header->header_bytes == SEALED_HEADER_BYTES &&
	       header->block_bytes == SEALED_BLOCK_BYTES &&
	       header->n_blocks == ret_layout->n_blocks &&
	       header->file_bytes == ret_layout->file_bytes &&
	       memcmp(header->parts, ret_layout->parts, sizeof header->parts) == 0;
}

status sealed_header_check(const struct sealed_header *header, const struct sealed_file *file,
			   struct arena *arena, struct sealed_layout *ret_layout)
{
	struct sealed_layout layout;
	char what[96];

	if (memcmp(header->magic, magic, sizeof magic) != 0)
		return sealed_damaged(file, arena, "header", "is no file of a segment");
	if (header_checksum(header) != header->checksum)
		return sealed_damaged(file, arena, "header", "the header is damaged");
	if (header->format != SEALED_FORMAT) {
		snprintf(what, sizeof what, "has format %u, and this program reads %u",
			 header->format, SEALED_FORMAT);
		return sealed_damaged(file, arena, "header", what);
	}
	if (memcmp(header->incarnation, file->incarnation, sizeof header->incarnation) != 0)
		return sealed_damaged(file, arena, "header", "is of another collection");
	if (header->id != file->id) {
		snprintf(what, sizeof what, "is that of segment %016llx",
			 (unsigned long long)header->id);
		return sealed_damaged(file, arena, "header", what);
	}
	if (header->dim != file->config->dim || header->metric != file->config->metric ||
	    header->encoding != encoding_of(file->config))
		return sealed_damaged(file, arena, "header",
				      "has another dimension, metric or encoding");
	if (!header_agrees(header, file, &layout))
		return sealed_damaged(file, arena, "header", "the header contradicts itself");
	*ret_layout = layout;
	return status_ok();
}

enum sealed_part sealed_part_of(const struct sealed_layout *layout, uint64_t block)
{
	uint64_t offset = layout->data_offset + block * SEALED_BLOCK_BYTES;
	size_t part = 0;

	while (part + 1 < SEALED_PARTS && offset >= layout->parts[part + 1].offset)
		part++;
	/* One that is empty begins where the next one does. */
	while (part > 0 && layout->parts[part].size == 0)
		part--;
	return (enum sealed_part)part;
}

const char *sealed_part_name(enum sealed_part part)
{
	static const char *const names[] = {
		[SEALED_ROWS] = "rows",   [SEALED_VECTORS] = "vectors",   [SEALED_HEADS] = "heads",
		[SEALED_TAILS] = "tails", [SEALED_ROTATION] = "rotation",
	};

	return names[part];
}
