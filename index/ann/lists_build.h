/* lists_build - what the files that make inverted lists share; nobody else includes it.
 *
 *	lists_train.c      centroids, of a sample
 *	lists_assign.c     the list of each row, and from that all that lists know of their rows
 *	lists_quantize.c   what 4-bit codes mean, of a sample of residuals
 *	lists_sketch.c     what queries see of centroids first
 *	lists_encode.c     the parts of the file, in the order of positions
 *	lists_measure.c    what walks find over what was written
 *	lists_calibrate.c  the table, from that
 *	lists_build.c      one after the other
 *
 * Several threads share each stage (index/build/crew.h); the file is the same however many they are.
 *
 * FAISS sums squares in float. So what it is given is scaled by a power of two, which changes no
 * order: the longest row of a sample is then about 1 long. Nothing else is scaled.
 */
#ifndef SLUICE_INDEX_ANN_LISTS_BUILD_H
#define SLUICE_INDEX_ANN_LISTS_BUILD_H

#include "index/ann/lists_state.h"
#include "index/build/axes.h"
#include "index/build/clusters.h"
#include "index/build/nearest.h"
#include "index/segment/block_writer.h"

/* Of the sample that centroids are trained on. */
#define LISTS_SAMPLE_BYTES ((size_t)512 << 20)

/* Rows that are read, and then leave this process's memory, between looks at the deadline. */
#define LISTS_SLICE 4096

struct building {
	const struct sealed *sealed;
	const struct collection_config *config;
	const struct deadline *deadline;
	const struct ann_progress *progress;
	struct arena *arena;
	size_t crew; /* how many threads there are */

	struct lists_shape shape;
	float scale;              /* of what FAISS sees, and nearest.h */
	struct nearest_axes axes; /* along which rows are compared first; the segment's */
	float *centroids;         /* [n_lists][dim] owned */
	/* Of each place, of the nearest list first: lists, and when these are all known positions. */
	uint32_t *list_of;       /* [copies][n] owned */
	uint32_t *position_of;   /* [copies][n] owned */
	uint32_t *places;        /* [n copies] owned; of each position */
	uint32_t *first;         /* [n_lists + 1] owned; positions */
	uint32_t *counts;        /* [n_lists] owned; rows that are nearest to it */
	float *radius;           /* [n_lists] owned; this and the next as struct lists_entries */
	float *square, *stretch; /* [n_lists] owned */
	float *mean;             /* [dim] owned; of all rows */

	float *rotation;  /* [kept][dim] owned */
	uint32_t *widths; /* [groups] owned */
	float *codewords; /* [kept][16] owned, as kernels/codes4.h has them */
	struct lists_squares squares;
	unsigned char *sketches; /* owned; as the file has them */
	float deviation; /* of a residual along a random direction, in parts of its length */

	struct block_writer writer;
};

/* In this order. All but the first keep what they make in the building.
 * Fails, each: RESOURCE_EXHAUSTED INTERNAL DEADLINE_EXCEEDED CANCELLED */
status lists_train(struct building *building);
status lists_assign(struct building *building);
status lists_quantize(struct building *building);
status lists_sketch(struct building *building);
status lists_encode(struct building *building);
status lists_calibrate(struct building *building, const struct lists *lists,
		       struct lists_table *ret);

/* building_model - borrowed, to encode by: without its rotation in 16 bits. */
struct codes4_model building_model(const struct building *building);

/* building_row - the row at a place, times a factor. ret  [dim] */
void building_row(const struct building *building, uint32_t place, float factor, float *ret);

/* building_parts - in how many parts all lists are shared out among the crew; part `part` of them begins at
 * building_part. */
static inline size_t building_parts(const struct building *building)
{
	return building->crew < building->shape.n_lists ? building->crew : building->shape.n_lists;
}

static inline uint32_t building_part(const struct building *building, size_t part)
{
	return (uint32_t)(building->shape.n_lists * part / building_parts(building));
}

/* building_list - the list that a position is of. */
uint32_t building_list(const struct building *building, uint32_t position);

/* building_sample_place - where the i-th of n_sample rows is: one of each n-th part of all rows,
 * anywhere in it, since rows may repeat themselves in a rhythm. */
uint32_t building_sample_place(const struct building *building, uint32_t n_sample, uint32_t i);

void building_tell(const struct building *building, enum ann_phase phase, double share);

/* building_no_memory - RESOURCE_EXHAUSTED, as all of these say it. */
status building_no_memory(void);

/* lists_widths - how wide the groups of axes are.
 * variances   [n_axes] descending. n_groups  1 .. n_axes.
 * ret_widths  [n_groups]. ret_kept  their sum; the axes behind are dropped.
 * Fails: RESOURCE_EXHAUSTED */
status lists_widths(const float *variances, uint32_t n_axes, uint32_t n_groups,
		    uint32_t *ret_widths, uint32_t *ret_kept);

#endif
