/* codes4 - vectors as 4-bit codes of groups of rotated dimensions: a first stage that reads little.
 *
 * It ranks, it proves nothing: what it lets through is bounded by rows8.h and scored exactly.
 * A row's residual r = x - c against the centroid c of its list is rotated by the first `kept`
 * principal axes of residuals, P r, cut into groups of unlike widths (narrow where the energy is),
 * and each group is coded as the nearest of 16 codewords: a product quantizer whose groups have
 * about the same share of the error. Then
 *   q.x ~ q.c + sum over groups of table[group][code],
 *   table[group][i] = (P q)_group . codeword i
 * and the tables do not depend on the list. For L2 the score is 2 q.x - |x|^2 - |q|^2: tables are
 * doubled, and two more groups hold the row's -|x|^2 less its list's mean of that, as 8 bits.
 * Tables are rounded to CODES4_LEVELS levels, all by one scale, so that four of them sum in a byte.
 *
 * Codes lie in blocks of 32 rows, block_bytes each, for pairs of groups one after the other 32
 * bytes: byte i has row i's code of the first group in its lower and of the second in its upper
 * half. Lists are ranges of rows in order and begin where they do, so a block may be of two lists.
 * (The widths: minimise the sum over groups of width * geometric mean of variances *
 * 2^(-8 / width), the distortion of a Gaussian at 4 bits a group, by dynamic programming; what is
 * behind the last group is dropped.)
 */
#ifndef SLUICE_KERNELS_CODES4_H
#define SLUICE_KERNELS_CODES4_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "kernels/metric.h"
#include "kernels/window.h"

#include <stdbool.h>
#include <stdint.h>

#define CODES4_ROWS 32
#define CODES4_WORDS 16 /* codewords of a group */
#define CODES4_GROUPS_MAX 256
#define CODES4_WIDTH_MAX 32
#define CODES4_LEVELS 64
#define CODES4_ONE 32767 /* what 1 is in the rotation's 16 bits */

/* codes4_model - what codes mean. Borrowed; lies in the file of an index.
 * groups    even, 2 .. CODES4_GROUPS_MAX, the two of L2 included, which come last.
 * kept      rotated dimensions: the sum of widths.
 * widths    [groups] 1 .. CODES4_WIDTH_MAX; 0 for the two of L2, and for one that pads to even.
 * rotation  [kept][codes4_stride(dim)] orthonormal rows in 16 bits, as codes4_rotation_round makes
 *	     them.
 * codewords for each group [width][16], the sixteen values of a dimension side by side, one group
 *	     after the other: 16 * kept in all. Both are read fastest from multiples of 64 bytes.
 * square_low, square_step  L2: -|x|^2 - mean ~ square_low + square_step * (16 * first + second). */
struct codes4_model {
	enum metric metric;
	uint32_t dim, kept, groups;
	const uint32_t *widths;
	const int16_t *rotation;
	const float *codewords;
	float square_low, square_step;
};

static inline size_t codes4_block_bytes(const struct codes4_model *model)
{
	return (size_t)model->groups / 2 * CODES4_ROWS;
}

static inline uint64_t codes4_bytes(const struct codes4_model *model, uint64_t n_rows)
{
	return (n_rows + CODES4_ROWS - 1) / CODES4_ROWS * codes4_block_bytes(model);
}

/* codes4_stride - of the rotation's rows, in values: dim rounded up to 16. */
static inline size_t codes4_stride(uint32_t dim)
{
	return ((size_t)dim + 15) / 16 * 16;
}

/* codes4_rotation_round - what queries are rotated by: half the bytes of floats, and whole numbers,
 * so that the sums are the same in any order. To encode rows use the floats.
 * rotation  [kept][dim] rows of length 1 at most.
 * ret       [kept][codes4_stride(dim)], zeros behind dim. */
void codes4_rotation_round(uint32_t dim, uint32_t kept, const float *rotation, int16_t *ret);

/* codes4_encode - one row's codes.
 * rotated  [kept] P (x - c). square  L2: -|x|^2 less the list's mean of it.
 * ret      [groups] 0 .. 15. */
void codes4_encode(const struct codes4_model *model, const float *rotated, float square,
		   uint8_t *ret);

/* codes4_pack - a block of up to 32 rows; rows behind n are 0.
 * codes  [n][groups]. ret  [block_bytes]. */
void codes4_pack(const struct codes4_model *model, const uint8_t *codes, uint32_t n,
		 unsigned char *ret);

/* codes4_query - a query's tables; the arena's. Score of a row: base of its list + bias +
 * scale * sum of levels.
 * first  pairs of groups that tell most of a sum, an even number; 0: they are not looked at apart.
 * rest   what the other pairs add to it at most, all but always.
 * first_least  below such a sum over the first pairs there are too many rows for it to tell. */
struct codes4_query {
	uint32_t groups, first;
	const uint8_t *tables; /* [groups][16] 32-byte aligned */
	float scale, bias;
	int32_t rest, first_least;
};

/* codes4_query_init - costs kept * dim in 16 bits: 3 us for 266 * 384. The same bits in every
 * kernel. query  [dim]; one that is too long or too short for floats scores all rows alike.
 * Fails: RESOURCE_EXHAUSTED */
status codes4_query_init(struct codes4_query *ret, struct arena *arena,
			 const struct codes4_model *model, const float *query);

enum codes4_isa { CODES4_BEST, CODES4_PORTABLE, CODES4_AVX2, CODES4_AVX512 };
struct codes4_kernel;

/* codes4_scanner - NULL where this processor lacks it. BEST and PORTABLE are always there. */
const struct codes4_kernel *codes4_scanner(enum codes4_isa isa);
const char *codes4_scanner_name(const struct codes4_kernel *scanner);

/* codes4_range - a list: rows first .. first + n of codes that begin with row 0.
 * base     of every score in it.
 * visible  whether a row may be offered; asked of those alone that reach the threshold. NULL: all.
 * Blocks are read whole, also where the range begins or ends within one. */
struct codes4_range {
	const unsigned char *codes;
	uint32_t first, n;
	float base;
	bool (*visible)(const void *context, uint32_t row);
	const void *context;
};

/* codes4_fetch - into the cache, without waiting, what a scan of the range reads first. */
void codes4_fetch(const struct codes4_query *query, const struct codes4_range *range);

/* codes4_scan - offers to the window (score, row) of every visible row of the range whose key is
 * before its threshold, but for rows whose sum over the query's first pairs is so low that the others
 * are not likely to make up for it. The same keys whichever the kernel. */
void codes4_scan(const struct codes4_kernel *scanner, const struct codes4_query *query,
		 const struct codes4_range *range, struct window *window);

/* codes4_sums - of rows 0 .. n of codes the sums of levels, for a query that goes over the same rows many
 * times. The same whichever the kernel. ret  [n, rounded up to CODES4_ROWS] */
void codes4_sums(const struct codes4_kernel *scanner, const struct codes4_query *query,
		 const unsigned char *codes, uint32_t n, uint16_t *ret);

/* codes4_scan_sums - as codes4_scan, of sums that are there: but no row is left out for its first pairs.
 * range  its codes are not read.  sums  of all rows that codes begin with */
void codes4_scan_sums(const struct codes4_query *query, const struct codes4_range *range,
		      const uint16_t *sums, struct window *window);

/* codes4_scores - of rows 0 .. n of codes, one after the other: base + bias + scale * sum. The same bits
 * whichever the kernel. ret  [n] */
void codes4_scores(const struct codes4_kernel *scanner, const struct codes4_query *query,
		   const unsigned char *codes, uint32_t n, float base, float *ret);

#endif
