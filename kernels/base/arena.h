/* arena - memory that lives as long as one call, page or batch.
 *
 * Life cycle: arena_init, any number of arena_alloc, arena_finish. Nothing is
 * freed one by one. arena_reset empties it and keeps the first block, for the
 * next page.
 *
 * An arena has a cap, counted over what it hands out, each allocation rounded up
 * to 16 bytes: an allocation past it gives NULL and sets exhausted, so that a
 * caller can tell "too much was asked" from other failures of the code that
 * allocated.
 * Not thread safe: one user at a time.
 */
#ifndef SLUICE_KERNELS_BASE_ARENA_H
#define SLUICE_KERNELS_BASE_ARENA_H

#include "kernels/base/scope.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used_bytes;          /* handed out since init or reset */
	size_t cap_bytes;
	bool exhausted; /* an allocation was refused, by the cap or by malloc */
};

/* arena_init - an empty arena; allocates nothing yet. */
void arena_init(struct arena *arena, size_t cap_bytes);

/* arena_finish - frees everything; the arena may be initialised again. NULL is fine. */
void arena_finish(struct arena *arena);

/* arena_reset - frees all but one block of at most 64 KiB, and clears exhausted. */
void arena_reset(struct arena *arena);

/* arena_alloc - size bytes aligned to 16, not cleared; NULL past the cap. Size 0 gives
 * a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, alloc_size(2)));

/* arena_calloc - n cleared items; NULL past the cap or where n * size overflows. */
void *arena_calloc(struct arena *arena, size_t n, size_t size);

/* arena_copy - a copy of size bytes, with a NUL behind them that is not counted. */
void *arena_copy(struct arena *arena, const void *data, size_t size);

/* arena_printf, arena_vprintf - a string; NULL past the cap. */
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, type) ((type *)arena_calloc((arena), 1, sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_calloc((arena), (n), sizeof(type)))

SCOPE_DEFINE(arena, arena_finish)

#endif
