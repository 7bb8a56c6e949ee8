/* sealed_salvage - block by block: a row is good where all blocks of its number and its vector are. */
#include "index/segment/sealed_salvage.h"

#include "index/segment/block_name.h"
#include "index/segment/sealed_layout.h"
#include "kernels/float16.h"

#include <stdlib.h>

struct good_row {
	uint64_t row;
	uint32_t place;
};

struct sealed_salvage {
	struct block_map map;
	uint8_t *bad; /* bits of blocks; owned */
	uint32_t dim;
	uint64_t vector_bytes;
	bool half;
	struct good_row *rows; /* [n] owned, ascending */
	size_t n;
};

void sealed_salvage_close(struct sealed_salvage *salvage)
{
	if (!salvage)
		return;
	block_map_finish(&salvage->map);
	free(salvage->bad);
	free(salvage->rows);
	free(salvage);
}

/* Of a part, size bytes from at. */
static bool is_good(const struct sealed_salvage *salvage, enum sealed_part part, uint64_t at,
		    uint64_t size)
{
	uint64_t begin =
		salvage->map.layout.parts[part].offset - salvage->map.layout.data_offset + at;

	for (uint64_t block = begin / BLOCK_BYTES; block <= (begin + size - 1) / BLOCK_BYTES;
	     block++)
		if (salvage->bad[block / 8] >> block % 8 & 1)
			return false;
	return true;
}

/* Where no row is missing between the first and the last, a number follows from its place. */
static bool number_of(const struct sealed_salvage *salvage, const struct sealed_extent *extent,
		      uint32_t place, uint64_t *ret)
{
	const uint64_t *rows = block_map_part(&salvage->map, SEALED_ROWS);

	if (is_good(salvage, SEALED_ROWS, place * sizeof *rows, sizeof *rows))
		*ret = rows[place];
	else if (extent->last_row - extent->first_row + 1 == extent->n)
		*ret = extent->first_row + place;
	else
		return false;
	return *ret >= extent->first_row && *ret <= extent->last_row;
}

static void find_good(struct sealed_salvage *salvage, const struct sealed_extent *extent,
		      uint32_t n)
{
	for (uint32_t place = 0; place < n; place++) {
		uint64_t row;

		if (!is_good(salvage, SEALED_VECTORS, place * salvage->vector_bytes,
			     salvage->vector_bytes) ||
		    !number_of(salvage, extent, place, &row))
			continue;
		/* Their order is what they are found by. */
		if (salvage->n > 0 && salvage->rows[salvage->n - 1].row >= row)
			continue;
		salvage->rows[salvage->n++] = (struct good_row){row, place};
	}
}

status sealed_salvage_open(const struct sealed_file *file, const struct sealed_extent *extent,
			   struct arena *arena, struct sealed_salvage **ret)
{
	const struct block_file block_file = sealed_block_file(file);
	const struct block_judge judge = {sealed_judge, file};
	SCOPED(sealed_salvage) salvage = calloc(1, sizeof *salvage);
	struct sealed_layout layout;
	const struct block_fields *fields;

	if (!salvage)
		return block_no_memory("memory for what is left of a segment");
	TRY(block_salvage(&block_file, &judge, arena, &salvage->map, &salvage->bad));
	fields = &salvage->map.fields;
	if (fields->n != extent->n)
		return block_damaged(&block_file, arena, "header",
				     "has another number of rows than the manifest says");
	sealed_layout_init(&layout, file->config, fields->n, fields->numbers[SEALED_HEAD],
			   fields->numbers[SEALED_ROTATED]);
	salvage->dim = file->config->dim;
	salvage->vector_bytes = layout.vector_bytes;
	salvage->half = sealed_is_half(file->config);
	salvage->rows = calloc(fields->n, sizeof *salvage->rows);
	if (!salvage->rows)
		return block_no_memory("memory for the rows of a segment");
	find_good(salvage, extent, (uint32_t)fields->n);
	*ret = TAKE(salvage);
	return status_ok();
}

size_t sealed_salvage_length(const struct sealed_salvage *salvage)
{
	return salvage->n;
}

size_t sealed_salvage_find(const struct sealed_salvage *salvage, uint64_t row)
{
	size_t low = 0, high = salvage->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (salvage->rows[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low < salvage->n && salvage->rows[low].row == row ? low : salvage->n;
}

const float *sealed_salvage_vector(const struct sealed_salvage *salvage, size_t i, float *scratch)
{
	const uint8_t *vectors = block_map_part(&salvage->map, SEALED_VECTORS);
	const void *stored = vectors + salvage->rows[i].place * salvage->vector_bytes;
	const uint16_t *halves = stored;

	if (!salvage->half)
		return stored;
	for (uint32_t at = 0; at < salvage->dim; at++)
		scratch[at] = float16_widen(halves[at]);
	return scratch;
}
