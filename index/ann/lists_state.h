/* lists_state - the inside of open lists, for their own files alone.
 *
 *	lists.c            open, close, and what is asked of open lists
 *	lists_find.c       a query: bounds of the rows that a walk keeps
 *	lists_walk.c       a query's way through the lists
 *	lists_layout.c     the file
 *	lists_table.c      how much to read
 *	lists_build.c      makes the file, by lists_train.c, lists_assign.c, lists_quantize.c,
 *	                   lists_encode.c and lists_calibrate.c
 */
#ifndef SLUICE_INDEX_ANN_LISTS_STATE_H
#define SLUICE_INDEX_ANN_LISTS_STATE_H

#include "index/ann/lists.h"
#include "index/ann/lists_bar.h"
#include "index/ann/lists_layout.h"
#include "kernels/rows8.h"

struct lists {
	struct lists_shape shape;
	struct codes4_model model;
	const unsigned char *mean, *sketches, *centroids;
	float sketch_factor, sketch_error;
	struct lists_entries entries;
	const uint32_t *places; /* [n] */
	const unsigned char *codes4, *rows8;
	const struct lists_table *table;
	char name[24];
	struct block_map file; /* what all of them point into; all zero while it is made */
};

/* lists_point - to the parts of a mapped file of a shape. */
void lists_point(struct lists *lists, const struct lists_shape *shape, const unsigned char *map,
		 const struct block_layout *layout);

/* lists_query - what is the same for all walks of a query. What it sees of lists is seen by their
 * sketches, and about right; a list that a walk comes to is looked at by its centroid.
 * leads     [n_lists] what a list promises by its centroid alone
 * spreads   [n_lists] by how much the scores of its rows differ from that
 * promises  [n_lists] room for a walk
 * picked, order  [n_lists], [n_lists] likewise
 * sums, best, products  [positions] of codes, [n_lists] the greatest of each list, [n_lists] with centroids,
 *           all at once: for a query that walks many times. NULL: a walk finds those that it needs */
struct lists_query {
	struct rows8_query rows;
	struct codes4_query codes;
	float length;
	float *leads, *spreads, *promises;
	uint32_t *picked, *order;
	const uint16_t *sums, *best;
	const float *products;
};

/* lists_query_init - all is the arena's. Fails: RESOURCE_EXHAUSTED */
status lists_query_init(struct lists_query *ret, const struct lists *lists, const float *query,
			struct arena *arena);

/* lists_query_expand - finds all sums and products. All is the arena's: 2 bytes a position.
 * Fails: RESOURCE_EXHAUSTED */
status lists_query_expand(struct lists_query *query, const struct lists *lists,
			  struct arena *arena);

/* lists_walk - one way through the lists.
 * visible  whether a place may be a hit; NULL: all may.
 * window   of width `keep`; gets (score of the first stage, position), not sealed.
 * read     the walk adds the rows that it read.
 * shorter  [n_shorter] walks of the same query and z that keep less: each looks at the lists that this one
 *          comes to, until it would end by itself. They have windows of their own. */
struct lists_walk {
	struct lists_query *query;
	float z;
	bool (*visible)(const void *context, uint32_t place);
	const void *context;
	struct window *window;
	uint64_t read;
	const struct deadline *deadline;
	struct lists_walk *shorter;
	uint32_t n_shorter;
	struct lists_bar bar; /* the walk's own */
};

/* lists_walk_run - Fails: DEADLINE_EXCEEDED CANCELLED */
status lists_walk_run(const struct lists *lists, struct lists_walk *walk);

#endif
