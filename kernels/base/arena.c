/* arena - blocks that grow from 4 KiB by doubling, with a bump pointer in the newest.
 *
 * What is larger than half of the next block gets a block of its own behind the newest, so that it
 * does not waste the room left there. Under AddressSanitizer what is not handed out is poisoned,
 * and a gap stays between neighbours, so that an overrun is found as it would be with malloc.
 */
#include "kernels/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#define GAP_BYTES ((size_t)16)
#define POISON(data, size) __asan_poison_memory_region((data), (size))
#define UNPOISON(data, size) __asan_unpoison_memory_region((data), (size))
#else
#define GAP_BYTES ((size_t)0)
#define POISON(data, size) ((void)(data), (void)(size))
#define UNPOISON(data, size) ((void)(data), (void)(size))
#endif

#define ALIGNMENT ((size_t)16)
#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)1 << 20)
#define BLOCK_KEPT_MAX ((size_t)64 << 10)

struct arena_block {
	struct arena_block *next;
	size_t capacity, used; /* of data */
	_Alignas(ALIGNMENT) unsigned char data[];
};

static struct arena_block *block_open(size_t capacity)
{
	struct arena_block *block = malloc(sizeof *block + capacity);

	if (!block)
		return NULL;
	block->next = NULL;
	block->capacity = capacity;
	block->used = 0;
	POISON(block->data, capacity);
	return block;
}

static void block_close(struct arena_block *block)
{
	UNPOISON(block->data, block->capacity);
	free(block);
}

void arena_init(struct arena *arena, size_t cap_bytes)
{
	*arena = (struct arena){.cap_bytes = cap_bytes};
}

void arena_finish(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		block_close(block);
	}
	arena->used_bytes = 0;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = NULL;

	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		if (block->capacity > BLOCK_KEPT_MAX ||
		    (kept && kept->capacity >= block->capacity)) {
			block_close(block);
			continue;
		}
		if (kept)
			block_close(kept);
		kept = block;
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
		POISON(kept->data, kept->capacity);
	}
	arena->blocks = kept;
	arena->used_bytes = 0;
	arena->exhausted = false;
}

/* A block with room for need bytes, linked in; NULL without memory. */
static struct arena_block *block_with_room(struct arena *arena, size_t need)
{
	struct arena_block *newest = arena->blocks, *block;
	size_t grown = newest ? newest->capacity * 2 : BLOCK_MIN;

	if (newest && newest->capacity - newest->used >= need)
		return newest;
	if (grown < BLOCK_MIN)
		grown = BLOCK_MIN;
	if (grown > BLOCK_MAX)
		grown = BLOCK_MAX;

	if (need > grown / 2) {
		block = block_open(need);
		if (block && newest) {
			block->next = newest->next;
			newest->next = block;
		} else if (block) {
			arena->blocks = block;
		}
		return block;
	}
	block = block_open(grown);
	if (block) {
		block->next = newest;
		arena->blocks = block;
	}
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = NULL;
	size_t rounded = size ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT;
	unsigned char *place;

	/* A size that wrapped round is below size. */
	if (rounded >= size && rounded <= SIZE_MAX / 2 && arena->used_bytes <= arena->cap_bytes &&
	    rounded <= arena->cap_bytes - arena->used_bytes)
		block = block_with_room(arena, rounded + GAP_BYTES);
	if (!block) {
		arena->exhausted = true;
		return NULL;
	}
	place = block->data + block->used;
	block->used += rounded + GAP_BYTES;
	arena->used_bytes += rounded;
	UNPOISON(place, size);
	return place;
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
	size_t total;
	void *place;

	if (__builtin_mul_overflow(n, size, &total)) {
		arena->exhausted = true;
		return NULL;
	}
	place = arena_alloc(arena, total);
	return place ? memset(place, 0, total) : NULL;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	unsigned char *place;

	if (size == SIZE_MAX) {
		arena->exhausted = true;
		return NULL;
	}
	place = arena_alloc(arena, size + 1);
	if (!place)
		return NULL;
	if (size)
		memcpy(place, data, size);
	place[size] = 0;
	return place;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	char head[256];
	va_list again;
	char *text;
	int n;

	va_copy(again, args);
	n = vsnprintf(head, sizeof head, format, args);
	if (n < 0) {
		text = NULL;
	} else if ((size_t)n < sizeof head) {
		text = arena_copy(arena, head, (size_t)n);
	} else {
		text = arena_alloc(arena, (size_t)n + 1);
		if (text)
			vsnprintf(text, (size_t)n + 1, format, again);
	}
	va_end(again);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}
