/* places - a set of places, a bit each.
 *
 * Bits are counted for each walk, some of them twice: by the instruction, where the processor has it, in a
 * tenth of the time.
 */
#include "index/filter/places.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

status places_open(uint64_t n, struct places **ret)
{
	struct places *places =
		calloc(1, sizeof *places + places_words(n) * sizeof places->words[0]);

	if (!places)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a filter");
	places->n = n;
	*ret = places;
	return status_ok();
}

void places_close(struct places *places)
{
	free(places);
}

/* The bits of the last word that stand for places. */
static uint64_t last_mask(uint64_t n)
{
	return n % 64 ? ((uint64_t)1 << n % 64) - 1 : UINT64_MAX;
}

void places_fill(struct places *places)
{
	size_t n = places_words(places->n);

	if (n == 0)
		return;
	memset(places->words, 0xFF, n * sizeof places->words[0]);
	places->words[n - 1] &= last_mask(places->n);
}

void places_clear(struct places *places)
{
	memset(places->words, 0, places_words(places->n) * sizeof places->words[0]);
}

void places_unite(struct places *places, const struct places *others)
{
	for (size_t i = 0; i < places_words(places->n); i++)
		places->words[i] |= others->words[i];
}

void places_intersect(struct places *places, const struct places *others)
{
	for (size_t i = 0; i < places_words(places->n); i++)
		places->words[i] &= others->words[i];
}

void places_subtract(struct places *places, const struct places *others)
{
	for (size_t i = 0; i < places_words(places->n); i++)
		places->words[i] &= ~others->words[i];
}

void places_add_bits(struct places *places, uint64_t first, const uint64_t *words, uint64_t from,
		     uint64_t n)
{
	assert(first + n <= places->n);
	while (n > 0) {
		/* Up to the end of a word of either. */
		unsigned at = (unsigned)(first % 64), bit = (unsigned)(from % 64);
		unsigned most = 64 - (at > bit ? at : bit);
		unsigned taken = n < most ? (unsigned)n : most;
		uint64_t bits = words[from / 64] >> bit & UINT64_MAX >> (64 - taken);

		places->words[first / 64] |= bits << at;
		first += taken;
		from += taken;
		n -= taken;
	}
}

void places_and(struct places *places, uint64_t first, const uint64_t *words, uint64_t n)
{
	size_t shift = first % 64;

	assert(first + n <= places->n);
	for (size_t i = 0; i < places_words(n); i++) {
		uint64_t inside = i + 1 == places_words(n) ? last_mask(n) : UINT64_MAX;
		uint64_t gone = ~words[i] & inside;

		places->words[first / 64 + i] &= ~(gone << shift);
		if (shift && gone >> (64 - shift))
			places->words[first / 64 + i + 1] &= ~(gone >> (64 - shift));
	}
}

/* How many bits of n words are set. Unless groups is NULL adds how many of their 16s have one. */
INLINE uint64_t bits_count(const uint64_t *words, size_t n, uint64_t *groups)
{
	const uint64_t low = UINT64_C(0x7FFF7FFF7FFF7FFF);
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t word = words[i];

		count += (uint64_t)__builtin_popcountll(word);
		/* The highest bit of each 16 says whether any of them is set. */
		if (groups)
			*groups += (uint64_t)__builtin_popcountll((((word & low) + low) | word) &
								  ~low);
	}
	return count;
}

#if defined(__x86_64__)

__attribute__((target("popcnt"))) static uint64_t bits_count_popcnt(const uint64_t *words, size_t n,
								    uint64_t *groups)
{
	return groups ? bits_count(words, n, groups) : bits_count(words, n, NULL);
}

static uint64_t words_count(const uint64_t *words, size_t n, uint64_t *groups)
{
	if (__builtin_cpu_supports("popcnt"))
		return bits_count_popcnt(words, n, groups);
	return bits_count(words, n, groups);
}

#else

static uint64_t words_count(const uint64_t *words, size_t n, uint64_t *groups)
{
	return bits_count(words, n, groups);
}

#endif

uint64_t places_count(struct places *places)
{
	places->count = words_count(places->words, places_words(places->n), NULL);
	return places->count;
}

/* The word, with what is outside [first, end) taken off. */
static uint64_t word_within(const struct places *places, size_t at, uint64_t first, uint64_t end)
{
	uint64_t word = places->words[at];

	if (at == first / 64)
		word &= UINT64_MAX << first % 64;
	if (at == end / 64)
		word &= last_mask(end);
	return word;
}

uint64_t places_count_between(const struct places *places, uint64_t first, uint64_t end,
			      uint64_t *ret_groups)
{
	size_t at = (size_t)(first / 64), n = places_words(end) - at;
	uint64_t edges[2] = {0}, count, groups = 0;

	assert(first <= end && end <= places->n);
	if (n > 0)
		edges[0] = word_within(places, at, first, end);
	if (n > 1)
		edges[1] = word_within(places, at + n - 1, first, end);
	count = words_count(edges, 2, &groups);
	if (n > 2)
		count += words_count(places->words + at + 1, n - 2, &groups);
	if (ret_groups)
		*ret_groups = groups;
	return count;
}

uint64_t places_copy(const struct places *places, uint64_t first, uint64_t n, uint64_t *ret)
{
	size_t words = places_words(places->n), shift = first % 64;

	assert(first + n <= places->n);
	for (size_t i = 0; i < places_words(n); i++) {
		size_t at = (size_t)(first / 64) + i;
		uint64_t word = places->words[at] >> shift;

		if (shift && at + 1 < words)
			word |= places->words[at + 1] << (64 - shift);
		if (i + 1 == places_words(n))
			word &= last_mask(n);
		ret[i] = word;
	}
	return words_count(ret, places_words(n), NULL);
}

bool places_next(const struct places *places, uint64_t from, uint64_t *ret)
{
	size_t words = places_words(places->n), at = (size_t)(from / 64);
	uint64_t word;

	if (from >= places->n)
		return false;
	word = places->words[at] >> from % 64 << from % 64;
	while (word == 0) {
		if (++at == words)
			return false;
		word = places->words[at];
	}
	*ret = (uint64_t)at * 64 + (uint64_t)__builtin_ctzll(word);
	return true;
}
