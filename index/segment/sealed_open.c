/* sealed_open - a file that was looked at and mapped becomes a segment. */
#include "index/segment/sealed_state.h"

#include "index/file/file_io.h"
#include "index/segment/block_name.h"
#include "index/segment/head.h"
#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"
#include "kernels/scanner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Nobody chooses the matrices, so any key will do. */
static const uint8_t hash_key[16] = {0};

static status make_deaths(struct sealed *sealed)
{
	void *deaths = file_map(NULL, sealed->n * sizeof *sealed->deaths, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (deaths == MAP_FAILED)
		return block_no_memory("address space for the deaths of rows");
	sealed->deaths = deaths;
	atomic_init(&sealed->first_death, GENERATION_NEVER);
	return status_ok();
}

static void point_to_parts(struct sealed *sealed, const struct sealed_layout *layout)
{
	const struct block_map *file = &sealed->file;

	sealed->rows = block_map_part(file, SEALED_ROWS);
	sealed->vectors = block_map_part(file, SEALED_VECTORS);
	sealed->codes = (struct codes8){
		.shape = layout->shape,
		.heads = block_map_part(file, SEALED_HEADS),
		.tails = block_map_part(file, SEALED_TAILS),
		.n = sealed->n,
		.seat = &sealed->seat,
	};
	sealed->rotation = (struct codes8_rotation){
		.matrix = block_map_part(file, SEALED_ROTATION),
		.dim = layout->shape.dim,
		.epsilon = file->fields.real,
	};
	hash_128(hash_key,
		 bytes_of(sealed->rotation.matrix, layout->blocks.parts[SEALED_ROTATION].size),
		 sealed->rotation_hash);
	block_map_advise(file, SEALED_HEADS, BLOCK_SWEPT);
	block_map_advise(file, SEALED_VECTORS, BLOCK_PICKED);
	block_map_advise(file, SEALED_TAILS, BLOCK_PICKED);
}

status sealed_open(const struct sealed_file *file, struct arena *arena, struct sealed **ret)
{
	const struct block_file block_file = sealed_block_file(file);
	const struct block_judge judge = {sealed_judge, file};
	const struct block_fields *fields;
	struct sealed_layout layout;
	SCOPED(sealed) sealed = calloc(1, sizeof *sealed);

	if (!sealed)
		return block_no_memory("memory for a segment");
	TRY(block_open(&block_file, &judge, arena, &sealed->file));
	fields = &sealed->file.fields;
	sealed_layout_init(&layout, file->config, fields->n, fields->numbers[SEALED_HEAD],
			   fields->numbers[SEALED_ROTATED]);
	sealed->id = file->id;
	sealed->n = (uint32_t)fields->n;
	sealed->half = sealed_is_half(file->config);
	sealed->rotated = fields->numbers[SEALED_ROTATED];
	sealed->vector_bytes = layout.vector_bytes;
	TRY(make_deaths(sealed));
	point_to_parts(sealed, &layout);
	*ret = TAKE(sealed);
	return status_ok();
}

void sealed_close(struct sealed *sealed)
{
	if (!sealed)
		return;
	codes8_seat_close(&sealed->seat);
	if (sealed->deaths)
		file_unmap(sealed->deaths, sealed->n * sizeof *sealed->deaths);
	block_map_finish(&sealed->file);
	free(sealed);
}
