/* regex_set - sets of code points. */
#include "service/schema/regex_set.h"

#include <stdlib.h>
#include <string.h>

/* Unicode's other cases of ASCII letters: of s and of k. */
#define LONG_S 0x17F
#define KELVIN 0x212A

void rune_set_add(struct arena *scratch, struct rune_set *set, uint32_t low, uint32_t high)
{
	if (set->n == set->capacity) {
		size_t capacity = set->capacity ? 2 * set->capacity : 1;
		struct rune_range *ranges = ARENA_ARRAY(scratch, struct rune_range, capacity);

		if (!ranges) {
			set->failed = true;
			return;
		}
		if (set->n)
			memcpy(ranges, set->ranges, set->n * sizeof *ranges);
		set->ranges = ranges;
		set->capacity = capacity;
	}
	set->ranges[set->n++] = (struct rune_range){low, high};
}

void rune_set_add_set(struct arena *scratch, struct rune_set *set, const struct rune_set *more)
{
	for (size_t i = 0; i < more->n; i++)
		rune_set_add(scratch, set, more->ranges[i].low, more->ranges[i].high);
	set->failed |= more->failed;
}

static bool range_has(struct rune_range range, uint32_t rune)
{
	return range.low <= rune && rune <= range.high;
}

/* Adds to, moved by shift, what range and [low, high] have in common. */
static void add_shifted(struct arena *scratch, struct rune_set *set, struct rune_range range,
			struct rune_range letters, int shift)
{
	uint32_t low = range.low > letters.low ? range.low : letters.low;
	uint32_t high = range.high < letters.high ? range.high : letters.high;

	if (low <= high)
		rune_set_add(scratch, set, low + (uint32_t)shift, high + (uint32_t)shift);
}

void rune_set_fold(struct arena *scratch, struct rune_set *set)
{
	static const struct rune_range upper = {'A', 'Z'}, lower = {'a', 'z'};
	static const struct rune_range threes[] = {{'s', LONG_S}, {'S', LONG_S}, {'k', KELVIN},
						   {'K', KELVIN}, {LONG_S, 's'}, {LONG_S, 'S'},
						   {KELVIN, 'k'}, {KELVIN, 'K'}};
	size_t n = set->n;

	for (size_t i = 0; i < n; i++) {
		struct rune_range range = set->ranges[i];

		add_shifted(scratch, set, range, upper, 'a' - 'A');
		add_shifted(scratch, set, range, lower, 'A' - 'a');
		for (size_t k = 0; k < sizeof threes / sizeof *threes; k++)
			if (range_has(range, threes[k].low))
				rune_set_add(scratch, set, threes[k].high, threes[k].high);
	}
}

static int range_compare(const void *a, const void *b)
{
	const struct rune_range *x = a, *y = b;

	return (x->low > y->low) - (x->low < y->low);
}

void rune_set_normalize(struct rune_set *set)
{
	size_t n = 0;

	if (set->n == 0)
		return;
	qsort(set->ranges, set->n, sizeof *set->ranges, range_compare);
	for (size_t i = 1; i < set->n; i++) {
		struct rune_range range = set->ranges[i], *last = &set->ranges[n];

		if (range.low > last->high + 1)
			set->ranges[++n] = range;
		else if (range.high > last->high)
			last->high = range.high;
	}
	set->n = n + 1;
}

void rune_set_negate(struct arena *scratch, struct rune_set *set)
{
	struct rune_set others = {.failed = set->failed};
	uint32_t low = 0;

	rune_set_normalize(set);
	for (size_t i = 0; i < set->n; i++) {
		if (set->ranges[i].low > low)
			rune_set_add(scratch, &others, low, set->ranges[i].low - 1);
		low = set->ranges[i].high + 1;
	}
	if (low <= REGEX_RUNE_MAX)
		rune_set_add(scratch, &others, low, REGEX_RUNE_MAX);
	*set = others;
}
