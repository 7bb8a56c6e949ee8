/* regex_set - sets of code points, in a scratch arena. */
#ifndef SLUICE_SERVICE_SCHEMA_REGEX_SET_H
#define SLUICE_SERVICE_SCHEMA_REGEX_SET_H

#include "kernels/base/arena.h"

#include <stdint.h>

#define REGEX_RUNE_MAX 0x10FFFF

/* A set of code points: ranges in any order, which may overlap until rune_set_normalize. */
struct rune_range {
	uint32_t low, high;
};

struct rune_set {
	struct rune_range *ranges;
	size_t n, capacity;
	bool failed; /* the arena refused; what was added since is missing */
};

void rune_set_add(struct arena *scratch, struct rune_set *set, uint32_t low, uint32_t high);
void rune_set_add_set(struct arena *scratch, struct rune_set *set, const struct rune_set *more);
/* rune_set_fold - adds the other cases of the ASCII letters in it, and letters of their other
 * cases. */
void rune_set_fold(struct arena *scratch, struct rune_set *set);
/* rune_set_normalize - sorts, and joins what touches. */
void rune_set_normalize(struct rune_set *set);
/* rune_set_negate - normalises, too. */
void rune_set_negate(struct arena *scratch, struct rune_set *set);

#endif
