/* problem - all that is wrong with a document, each with its place.
 *
 * Life cycle: all zero but the arena is empty; everything lies in the arena.
 */
#ifndef SLUICE_SERVICE_CONFIG_PROBLEM_H
#define SLUICE_SERVICE_CONFIG_PROBLEM_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"

#include <stdio.h>

/* Lines and columns count from 1, columns in characters. Line 0: nowhere in the document. */
struct place {
	uint32_t line, column;
};

struct problem {
	struct place place;
	const char *path;     /* "limits.calls_max"; empty: the document as a whole */
	const char *rule;     /* "uint64.gte_lte", "yaml.unknown_key" */
	const char *sentence; /* what is allowed, and what was found */
};

#define PROBLEMS_MAX 1000

struct problems {
	struct arena *arena;
	struct problem *list; /* [n] room for PROBLEMS_MAX */
	size_t n;
	size_t n_dropped; /* above PROBLEMS_MAX, or without memory */
};

/* problems_note - path and rule are kept as they are, the sentence is printed into the arena. */
void problems_note(struct problems *problems, struct place place, const char *path,
		   const char *rule, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* problems_sort - by place; those of the same place stay in order. */
void problems_sort(struct problems *problems);

/* problems_print - one line each, "FILE:LINE:COLUMN: path: sentence (rule)". */
void problems_print(FILE *out, const char *file, const struct problems *problems);

/* problem_quote - what was found, for a sentence: in quotes, without control characters, cut at 64
 * bytes; in the arena. */
const char *problem_quote(struct arena *arena, struct bytes found);

#endif
