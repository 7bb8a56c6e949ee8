/* places - a set of a snapshot's places, a bit each: what a filter comes to.
 *
 * An eighth of a byte a place, owned. Bits behind the last place are clear.
 */
#ifndef SLUICE_INDEX_FILTER_PLACES_H
#define SLUICE_INDEX_FILTER_PLACES_H

#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places {
	uint64_t n;       /* places there are */
	uint64_t count;   /* of them in the set; what places_count last found */
	uint64_t words[]; /* [places_words(n)] */
};

static inline size_t places_words(uint64_t n)
{
	return (size_t)((n + 63) / 64);
}

/* places_open - empty. Fails: RESOURCE_EXHAUSTED */
status places_open(uint64_t n, struct places **ret);
void places_close(struct places *places); /* NULL is fine */

static inline void places_add(struct places *places, uint64_t place)
{
	places->words[place / 64] |= (uint64_t)1 << place % 64;
}

static inline void places_remove(struct places *places, uint64_t place)
{
	places->words[place / 64] &= ~((uint64_t)1 << place % 64);
}

static inline bool places_have(const struct places *places, uint64_t place)
{
	return places->words[place / 64] >> place % 64 & 1;
}

void places_fill(struct places *places);
void places_clear(struct places *places);
/* Of two sets of as many places. */
void places_unite(struct places *places, const struct places *others);
void places_intersect(struct places *places, const struct places *others);
void places_subtract(struct places *places, const struct places *others);

/* places_add_bits - of the n places from first on those whose bit from, from + 1, ... is set in words. */
void places_add_bits(struct places *places, uint64_t first, const uint64_t *words, uint64_t from,
		     uint64_t n);

/* places_and - of the n places from first on leaves those whose bit 0 .. n is set in words
 * [places_words(n)]. */
void places_and(struct places *places, uint64_t first, const uint64_t *words, uint64_t n);

/* places_count - sets and gives count. */
uint64_t places_count(struct places *places);

/* places_count_between - how many of [first, end) are in the set, and, unless ret_groups is NULL, in how many
 * groups of 16 places, counted from 0, they lie. end is at most places->n. */
uint64_t places_count_between(const struct places *places, uint64_t first, uint64_t end,
			      uint64_t *ret_groups);

/* places_copy - the n places from first on as bit 0 .. n of ret [places_words(n)], clear behind;
 * gives how many are in the set. first + n is at most places->n. */
uint64_t places_copy(const struct places *places, uint64_t first, uint64_t n, uint64_t *ret);

/* places_next - the first of the set at or behind from; false where there is none. */
bool places_next(const struct places *places, uint64_t from, uint64_t *ret);

static inline size_t places_memory_bytes(const struct places *places)
{
	return places ? sizeof *places + places_words(places->n) * sizeof(uint64_t) : 0;
}

SCOPE_DEFINE(places, places_close)

#endif
