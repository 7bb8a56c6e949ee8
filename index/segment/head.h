/* head - the growing segment: rows in memory, in blocks that never move.
 *
 * One writer appends, readers go on. A block is mapped whole and touched as it fills, so an empty
 * one costs address space only. Rows behind the published length are the writer's alone; publishing
 * is the collection's (its lock orders length and generation).
 * Places count rows in order of writing, from 0 when it is opened, and go on while blocks are given
 * back; a row's number is kept beside it.
 */
#ifndef SLUICE_INDEX_SEGMENT_HEAD_H
#define SLUICE_INDEX_SEGMENT_HEAD_H

#include "kernels/base/scope.h"
#include "kernels/base/status.h"
#include "kernels/scanner.h"

#define HEAD_BLOCK_BYTES ((size_t)64 << 20) /* of vectors; a multiple of a huge page */
#define GENERATION_NEVER UINT64_MAX

struct head;

struct head_options {
	uint32_t dim;
	bool is_half;            /* vectors are rounded to halves before they are set */
	struct scanner *scanner; /* told when a block goes away; NULL: nobody */
};

/* head_open - Fails: RESOURCE_EXHAUSTED */
status head_open(const struct head_options *options, struct head **ret);
void head_close(struct head *head); /* NULL is fine */

/* head_release - gives back the blocks that lie before place as a whole: nobody asks for what is
 * before it any more. The writer's. */
void head_release(struct head *head, uint64_t place);

/* head_reserve - memory for n more rows behind length, so that the appends cannot fail.
 * Fails: RESOURCE_EXHAUSTED */
status head_reserve(struct head *head, uint64_t length, uint64_t n);

/* head_set - fills a reserved place that is not yet published. vector  [dim] */
void head_set(struct head *head, uint64_t place, uint64_t row, const float *vector);

/* head_kill - the row at a place died at a generation, which is not published yet. */
void head_kill(struct head *head, uint64_t place, uint64_t generation);

/* head_seek - of the places first .. length, the first whose row is not below row; length where there is
 * none. */
uint64_t head_seek(const struct head *head, uint64_t first, uint64_t length, uint64_t row);

/* head_count - how many of the places first .. length are alive at a generation. */
uint64_t head_count(const struct head *head, uint64_t first, uint64_t length, uint64_t generation);

/* head_death - the generation at which the row died; GENERATION_NEVER. */
uint64_t head_death(const struct head *head, uint64_t place);

uint64_t head_row(const struct head *head, uint64_t place);
const float *head_vector(const struct head *head, uint64_t place);

/* head_range - as snapshot_range. */
void head_range(const struct head *head, uint64_t length, uint64_t generation, uint64_t place,
		uint32_t max, uint64_t *bitmap, struct scan_range *ret);

uint64_t head_memory_bytes(const struct head *head, uint64_t length);

SCOPE_DEFINE(head, head_close)

#endif
