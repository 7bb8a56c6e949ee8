/* lists_layout - what stands where in the file of inverted lists: index/segment/block_file.h draws the
 * frame, and these are its parts. Internal to the lists.
 *
 *	widths     of the groups of 4-bit codes: struct lists_squares; u32 [groups]
 *	rotation   i16 [kept][codes4_stride(dim)]
 *	codewords  float [kept][16]; these three are what kernels/codes4.h calls a model
 *	mean       of all rows, as kernels/rows8.h lays a row out
 *	sketches   [n_lists] as kernels/codes4.h lays rows out: centroids less the mean, times a factor
 *	centroids  [n_lists] as kernels/rows8.h lays rows out
 *	lists      u32 first position [n_lists + 1]: the last says where the others end; then float
 *		   radius, square and stretch, [n_lists] each
 *	places     u32 [n copies], of each position its place in the segment; ascending within a list
 *	codes4     [n copies] as kernels/codes4.h lays them out, in the order of positions
 *	rows8      [n] as kernels/rows8.h lays them out, in the order of places
 *	table      struct lists_table
 */
#ifndef SLUICE_INDEX_ANN_LISTS_LAYOUT_H
#define SLUICE_INDEX_ANN_LISTS_LAYOUT_H

#include "index/ann/lists_table.h"
#include "index/segment/block_file.h"
#include "index/segment/sealed.h"
#include "kernels/codes4.h"

/* 1: each row is in one list, and rows8 in the order of positions. 2: regions of lists, no sketches. */
#define LISTS_FORMAT 3
#define LISTS_MAX (UINT32_C(1) << 20)

enum lists_part {
	LISTS_WIDTHS,
	LISTS_ROTATION,
	LISTS_CODEWORDS,
	LISTS_MEAN,
	LISTS_SKETCHES,
	LISTS_CENTROIDS,
	LISTS_ENTRIES,
	LISTS_PLACES,
	LISTS_CODES4,
	LISTS_ROWS8,
	LISTS_TABLE,
	LISTS_PARTS,
};

/* What the header's numbers are. Its n are the rows, its real is how many lists a row is in. */
enum lists_number {
	LISTS_DIM,
	LISTS_METRIC,
	LISTS_N,
	LISTS_GROUPS,
	LISTS_KEPT,
};

/* lists_shape - what the sizes of parts depend on. */
struct lists_shape {
	enum metric metric;
	uint32_t dim;
	uint32_t n; /* rows */
	uint32_t n_lists, groups, kept;
	uint32_t copies; /* lists that a row is in: 1 or LISTS_COPIES_MAX */
};

#define LISTS_COPIES_MAX 2

/* lists_positions - of all rows in all their lists. */
static inline uint32_t lists_positions(const struct lists_shape *shape)
{
	return shape->n * shape->copies;
}

/* lists_entries - what is known of lists, all of one kind side by side.
 * first    [n_lists + 1] positions; a list ends where the next begins.
 * radius   [n_lists] the root of the mean squared distance of its rows from the centroid; here and in what
 *	    follows, of the rows that are nearest to this centroid. In the list there may be others.
 * square   [n_lists] L2: the mean of -|x|^2; else 0.
 * stretch  [n_lists] how much longer its rows are than the centroid, which is their mean; by this much
 *	    the centroid is lengthened to say how promising a list is. From 1 to LISTS_STRETCH_MAX. */
struct lists_entries {
	const uint32_t *first;
	const float *radius, *square, *stretch;
};

#define LISTS_STRETCH_MAX 1.5

/* Before the widths, in their part: of codes, and of sketches (lists_sketch.c).
 * sketch_factor  what centroids less the mean were coded times
 * sketch_error   how wrong a product of one with a query of length 1 is, a deviation */
struct lists_squares {
	float low, step, sketch_factor, sketch_error;
};

/* lists_sizes - ret  [LISTS_PARTS] */
void lists_sizes(const struct lists_shape *shape, uint64_t *ret);

void lists_fields(const struct lists_shape *shape, struct block_fields *ret);
void lists_shape_of(const struct block_fields *fields, struct lists_shape *ret);

/* lists_judging - which collection and segment a file has to be of. */
struct lists_judging {
	const struct block_file *file;
	const struct collection_config *config;
	uint32_t n; /* rows of the segment */
};

/* lists_judge - for block_open; context is a struct lists_judging. Fails: DATA_LOSS */
status lists_judge(const void *context, const struct block_fields *fields,
		   const struct block_layout *layout, struct arena *arena);

/* lists_block_file - the file beside a segment's. */
struct block_file lists_block_file(const struct sealed_file *file);

#endif
