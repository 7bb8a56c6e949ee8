/* sealed - what readers ask of an open segment.
 *
 * Deaths are written while others read them; a reader of an older generation takes what it finds
 * for alive either way, as in head.c.
 */
#include "index/segment/sealed_state.h"

#include "index/segment/head.h"
#include "kernels/float16.h"

#include <assert.h>
#include <string.h>

/* Of a vector: what follows, the processor fetches of itself. */
#define FETCH_BYTES 2048
#define LINE_BYTES 64

uint64_t sealed_id(const struct sealed *sealed)
{
	return sealed->id;
}

uint32_t sealed_length(const struct sealed *sealed)
{
	return sealed->n;
}

uint64_t sealed_row(const struct sealed *sealed, uint32_t place)
{
	return sealed->rows[place];
}

uint64_t sealed_last_row(const struct sealed *sealed)
{
	return sealed->rows[sealed->n - 1];
}

uint32_t sealed_seek(const struct sealed *sealed, uint64_t row)
{
	uint32_t low = 0, high = sealed->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sealed->rows[middle] < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const float *sealed_vector(const struct sealed *sealed, uint32_t place, float *scratch)
{
	const void *stored = sealed->vectors + place * sealed->vector_bytes;
	const uint16_t *halves = stored;

	if (!sealed->half)
		return stored;
	for (size_t i = 0; i < sealed->codes.shape.dim; i++)
		scratch[i] = float16_widen(halves[i]);
	return scratch;
}

void sealed_fetch(const struct sealed *sealed, uint32_t place)
{
	const unsigned char *vector = sealed->vectors + place * sealed->vector_bytes;
	uint64_t bytes = sealed->vector_bytes < FETCH_BYTES ? sealed->vector_bytes : FETCH_BYTES;

	for (uint64_t i = 0; i < bytes; i += LINE_BYTES)
		__builtin_prefetch(vector + i);
}

void sealed_release(const struct sealed *sealed, uint32_t first, uint32_t n)
{
	block_map_release(&sealed->file, SEALED_VECTORS, first * sealed->vector_bytes,
			  n * sealed->vector_bytes);
}

uint64_t sealed_death(const struct sealed *sealed, uint32_t place)
{
	return ~atomic_load_explicit(&sealed->deaths[place], memory_order_relaxed);
}

void sealed_kill(struct sealed *sealed, uint32_t place, uint64_t generation)
{
	assert(place < sealed->n);
	atomic_store_explicit(&sealed->deaths[place], ~generation, memory_order_relaxed);
	/* At open rows are killed in order of row and not of generation. */
	if (atomic_load_explicit(&sealed->first_death, memory_order_relaxed) > generation)
		atomic_store_explicit(&sealed->first_death, generation, memory_order_relaxed);
}

bool sealed_alive(const struct sealed *sealed, uint32_t place, uint64_t generation)
{
	return sealed_death(sealed, place) > generation;
}

static bool all_alive(const struct sealed *sealed, uint64_t generation)
{
	return atomic_load_explicit(&sealed->first_death, memory_order_relaxed) > generation;
}

uint32_t sealed_count(const struct sealed *sealed, uint32_t length, uint64_t generation)
{
	uint32_t n_alive = 0;

	if (all_alive(sealed, generation))
		return length;
	for (uint32_t place = 0; place < length; place++)
		n_alive += sealed_alive(sealed, place, generation);
	return n_alive;
}

static const struct codes8_rotation *rotation_of(const struct sealed *sealed)
{
	return sealed->rotated ? &sealed->rotation : NULL;
}

status sealed_query_init(const struct sealed *sealed, struct arena *arena, const float *query,
			 struct codes8_query *ret)
{
	return codes8_query_init(ret, arena, &sealed->codes.shape, rotation_of(sealed), query);
}

struct sealed_coding sealed_coding_of(const struct sealed *sealed)
{
	const struct codes8_shape *shape = &sealed->codes.shape;

	return (struct sealed_coding){
		.rotation = rotation_of(sealed),
		.head = shape->tail ? shape->head : 0,
	};
}

const struct codes8 *sealed_codes(const struct sealed *sealed)
{
	return &sealed->codes;
}

bool sealed_codes_alike(const struct sealed *a, const struct sealed *b)
{
	const struct codes8_shape *shape = &a->codes.shape, *other = &b->codes.shape;

	if (shape->metric != other->metric || shape->dim != other->dim ||
	    shape->head != other->head || shape->tail != other->tail || a->rotated != b->rotated)
		return false;
	return !a->rotated ||
	       (a->rotation.epsilon == b->rotation.epsilon &&
		memcmp(a->rotation_hash, b->rotation_hash, sizeof a->rotation_hash) == 0);
}

/* As block_fill_bitmap of head.c. */
static bool fill_bitmap(const struct sealed *sealed, const struct codes8_range *range,
			uint64_t generation, uint64_t *bitmap)
{
	uint32_t n_alive = 0;

	for (uint32_t i = 0; i < range->n; i += 64) {
		uint32_t n = range->n - i < 64 ? range->n - i : 64;
		uint64_t word = 0;

		for (uint32_t j = 0; j < n; j++)
			word |= (uint64_t)sealed_alive(sealed, range->first + i + j, generation)
				<< j;
		bitmap[i / 64] = word;
		n_alive += (uint32_t)__builtin_popcountll(word);
	}
	return n_alive < range->n;
}

void sealed_range(const struct sealed *sealed, uint64_t generation, uint64_t base, uint32_t place,
		  uint32_t max, uint64_t *bitmap, struct codes8_range *ret)
{
	assert(place < sealed->n && max > 0);
	*ret = (struct codes8_range){
		.codes = &sealed->codes,
		.first = place,
		.n = sealed->n - place < max ? sealed->n - place : max,
		.row_base = base,
	};
	if (!all_alive(sealed, generation) && fill_bitmap(sealed, ret, generation, bitmap))
		ret->visible = bitmap;
}

uint64_t sealed_memory_bytes(const struct sealed *sealed)
{
	bool none_died = all_alive(sealed, GENERATION_NEVER - 1);

	return sizeof *sealed + (none_died ? 0 : sealed->n * sizeof *sealed->deaths);
}

uint64_t sealed_disk_bytes(const struct sealed *sealed)
{
	return sealed->file.layout.file_bytes;
}
