/* head - a table of blocks at a fixed address, and one mapping for each block.
 *
 * Neither ever moves, so a reader follows them without a lock. What a reader may look at was
 * written before the collection published the length or generation that leads there, and both go
 * through the collection's lock, which orders everything here. The one field that is written while
 * others read it is the generation of a row's death: a reader of an older generation sees
 * GENERATION_NEVER or a later one, and takes either for alive. So it is atomic, and relaxed is
 * enough.
 */
#include "index/segment/head.h"

#include "index/file/file_io.h"
#include "kernels/base/error_info.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

/* 4 TiB of vectors. The table is mapped, so that what is not used of it costs address space only.
 */
#define BLOCKS_MAX ((size_t)1 << 16)

struct head_block {
	struct scan_block scan; /* points to the arrays below, for readers */
	float *vectors, *norms, *squares;
	uint64_t *rows;
	_Atomic uint64_t *died;
	_Atomic uint64_t first_death; /* generation of the block's first dead row */
};

struct head {
	struct head_block *blocks; /* [BLOCKS_MAX] block i at i % BLOCKS_MAX: block_at */
	uint64_t n_blocks;         /* the writer's: a reader's length tells it which are there */
	uint64_t n_released;       /* the first of them, unmapped; the writer's */
	struct scanner *scanner;
	size_t stride;
	uint32_t dim, capacity;
	bool is_half;
	size_t block_bytes;
};

/* Of one mapping: the vectors, then the other arrays from the widest element to the narrowest. */
static size_t side_bytes_per_row(void)
{
	return 2 * sizeof(uint64_t) + 2 * sizeof(float);
}

/* Address space at a multiple of a huge page; NULL where there is none. */
static void *map_aligned(size_t size)
{
	size_t whole = size + HUGE_PAGE_BYTES;
	char *base, *aligned;
	size_t before, after;

	base = file_map(NULL, whole, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (base == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE_BYTES - (uintptr_t)base % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
	aligned = base + before;
	after = whole - before - size;
	if (before)
		file_unmap(base, before);
	if (after)
		file_unmap(aligned + size, after);
	return aligned;
}

status head_open(const struct head_options *options, struct head **ret)
{
	struct head *head;
	size_t row_bytes = scan_stride(options->dim) * sizeof(float);

	assert(options->dim > 0 && options->dim <= DIMENSION_MAX);
	head = calloc(1, sizeof *head);
	if (!head)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a head");
	head->blocks = file_map(NULL, BLOCKS_MAX * sizeof *head->blocks, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (head->blocks == MAP_FAILED) {
		free(head);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "address space for a head");
	}
	head->scanner = options->scanner;
	head->is_half = options->is_half;
	head->dim = options->dim;
	head->stride = scan_stride(options->dim);
	/* A multiple of 64, so that a bitmap's word never spans blocks. */
	head->capacity = (uint32_t)(HEAD_BLOCK_BYTES / row_bytes / 64 * 64);
	head->block_bytes = head->capacity * (row_bytes + side_bytes_per_row());
	head->block_bytes = (head->block_bytes + 4095) / 4096 * 4096;
	*ret = head;
	return status_ok();
}

static void block_unmap(struct head *head, struct head_block *block)
{
	if (head->scanner)
		scanner_forget(head->scanner, &block->scan);
	scan_block_close(&block->scan);
	file_unmap(block->vectors, head->block_bytes);
}

/* The table is gone round: so many blocks may be there at once. */
static struct head_block *block_at(const struct head *head, uint64_t i)
{
	return &head->blocks[i % BLOCKS_MAX];
}

static uint64_t block_end(const struct head *head, uint64_t i)
{
	return (i + 1) * head->capacity;
}

void head_release(struct head *head, uint64_t place)
{
	/* The last one stays: it is where the writer is. */
	while (head->n_released + 1 < head->n_blocks && block_end(head, head->n_released) <= place)
		block_unmap(head, block_at(head, head->n_released++));
}

void head_close(struct head *head)
{
	if (!head)
		return;
	for (uint64_t i = head->n_released; i < head->n_blocks; i++)
		block_unmap(head, block_at(head, i));
	file_unmap(head->blocks, BLOCKS_MAX * sizeof *head->blocks);
	free(head);
}

static status is_full(void)
{
	return status_as(
		status_make(STATUS_RESOURCE_EXHAUSTED, "a head holds at most 4 TiB of vectors"),
		REASON_LIMIT_REACHED);
}

static status head_add_block(struct head *head)
{
	struct head_block *block;
	size_t vector_bytes = head->capacity * head->stride * sizeof(float);
	char *map;

	if (head->n_blocks - head->n_released == BLOCKS_MAX)
		return is_full();
	map = map_aligned(head->block_bytes);
	if (!map)
		return status_make(STATUS_RESOURCE_EXHAUSTED,
				   "address space for a block of vectors");
	/* Advice: a kernel without huge pages goes on with small ones. The other arrays are read
	 * little, and would take a huge page each for the first row; so would the vectors of a
	 * collection that stays small, of which there may be many. */
	(void)madvise(map + HUGE_PAGE_BYTES, vector_bytes - HUGE_PAGE_BYTES, MADV_HUGEPAGE);
	if (head->n_blocks == 0)
		(void)madvise(map, HUGE_PAGE_BYTES, MADV_NOHUGEPAGE);
	else
		(void)madvise(map, HUGE_PAGE_BYTES, MADV_HUGEPAGE);

	block = block_at(head, head->n_blocks);
	block->vectors = (float *)(void *)map;
	block->rows = (uint64_t *)(void *)(map + vector_bytes);
	block->died = (_Atomic uint64_t *)(void *)(block->rows + head->capacity);
	block->norms = (float *)(void *)(block->died + head->capacity);
	block->squares = block->norms + head->capacity;
	atomic_init(&block->first_death, GENERATION_NEVER);
	block->scan = (struct scan_block){
		.vectors = block->vectors,
		.norms = block->norms,
		.squares = block->squares,
		.stride = head->stride,
		.capacity = head->capacity,
		.is_half = head->is_half,
	};
	head->n_blocks++;
	return status_ok();
}

status head_reserve(struct head *head, uint64_t length, uint64_t n)
{
	if (n > BLOCKS_MAX * head->capacity)
		return is_full();
	while (head->n_blocks * head->capacity < length + n)
		TRY(head_add_block(head));
	return status_ok();
}

static struct head_block *block_of(const struct head *head, uint64_t place, uint32_t *ret_index)
{
	uint64_t i = place / head->capacity;

	*ret_index = (uint32_t)(place - i * head->capacity);
	return block_at(head, i);
}

void head_set(struct head *head, uint64_t place, uint64_t row, const float *vector)
{
	uint32_t i;
	struct head_block *block = block_of(head, place, &i);

	assert(place < head->n_blocks * head->capacity);
	/* A fresh mapping is zero, so what is between dim and stride needs no writing. */
	memcpy(block->vectors + i * head->stride, vector, head->dim * sizeof *vector);
	scan_row_norms(vector, head->dim, &block->norms[i], &block->squares[i]);
	block->rows[i] = row;
	atomic_store_explicit(&block->died[i], GENERATION_NEVER, memory_order_relaxed);
}

void head_kill(struct head *head, uint64_t place, uint64_t generation)
{
	uint32_t i;
	struct head_block *block = block_of(head, place, &i);

	atomic_store_explicit(&block->died[i], generation, memory_order_relaxed);
	/* One writer, and generations only grow: the first that is set is the least. */
	if (atomic_load_explicit(&block->first_death, memory_order_relaxed) > generation)
		atomic_store_explicit(&block->first_death, generation, memory_order_relaxed);
}

uint64_t head_seek(const struct head *head, uint64_t first, uint64_t length, uint64_t row)
{
	uint64_t low = first, high = length;

	/* Rows ascend with places. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (head_row(head, middle) < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t head_row(const struct head *head, uint64_t place)
{
	uint32_t i;
	const struct head_block *block = block_of(head, place, &i);

	return block->rows[i];
}

const float *head_vector(const struct head *head, uint64_t place)
{
	uint32_t i;
	const struct head_block *block = block_of(head, place, &i);

	return block->vectors + i * head->stride;
}

/* Bit j is set where row first + j is alive; what is beyond n in the last word is clear. True where
 * any of the n is dead. */
static bool block_fill_bitmap(const struct head_block *block, struct scan_range range,
			      uint64_t generation, uint64_t *bitmap)
{
	const _Atomic uint64_t *died = block->died + range.first;
	uint32_t n_alive = 0;

	for (uint32_t i = 0; i < range.n; i += 64) {
		uint32_t n = range.n - i < 64 ? range.n - i : 64;
		uint64_t word = 0;

		for (uint32_t j = 0; j < n; j++) {
			uint64_t at = atomic_load_explicit(&died[i + j], memory_order_relaxed);

			word |= (uint64_t)(at > generation) << j;
		}
		bitmap[i / 64] = word;
		n_alive += (uint32_t)__builtin_popcountll(word);
	}
	return n_alive < range.n;
}

uint64_t head_count(const struct head *head, uint64_t first, uint64_t length, uint64_t generation)
{
	uint64_t n_alive = 0;
	uint32_t n;

	for (; first < length; first += n) {
		uint32_t begin;
		const struct head_block *block = block_of(head, first, &begin);
		uint64_t left = length - first;

		n = left < head->capacity - begin ? (uint32_t)left : head->capacity - begin;
		if (atomic_load_explicit(&block->first_death, memory_order_relaxed) > generation) {
			n_alive += n;
			continue;
		}
		for (uint32_t i = begin; i < begin + n; i++)
			n_alive += atomic_load_explicit(&block->died[i], memory_order_relaxed) >
				   generation;
	}
	return n_alive;
}

uint64_t head_death(const struct head *head, uint64_t place)
{
	uint32_t i;
	const struct head_block *block = block_of(head, place, &i);

	return atomic_load_explicit(&block->died[i], memory_order_relaxed);
}

void head_range(const struct head *head, uint64_t length, uint64_t generation, uint64_t place,
		uint32_t max, uint64_t *bitmap, struct scan_range *ret)
{
	uint32_t first;
	struct head_block *block = block_of(head, place, &first);
	uint64_t n = length - place;

	assert(place < length && max > 0);
	if (n > max)
		n = max;
	if (n > head->capacity - first)
		n = head->capacity - first;
	*ret = (struct scan_range){
		.block = &block->scan,
		.first = first,
		.n = (uint32_t)n,
		.row_base = place - first,
	};
	if (atomic_load_explicit(&block->first_death, memory_order_relaxed) > generation)
		return;
	if (block_fill_bitmap(block, *ret, generation, bitmap))
		ret->visible = bitmap;
}

uint64_t head_memory_bytes(const struct head *head, uint64_t length)
{
	return length * (head->stride * sizeof(float) + side_bytes_per_row());
}
