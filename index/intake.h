/* intake - the rows that a new segment is made of: a range of places, without the rows that nobody
 * can see any more.
 *
 * A row that died at or below the horizon is left out. The horizon is a generation that no snapshot
 * can be had of again, so which rows those are does not change while the segment is made.
 */
#ifndef SLUICE_INDEX_INTAKE_H
#define SLUICE_INDEX_INTAKE_H

#include "index/view.h"
#include "kernels/base/deadline.h"

struct intake {
	struct view view; /* what it reaches stays until intake_finish: the caller sees to it */
	uint64_t first;   /* place */
	uint32_t n_places, n;
	uint32_t *kept; /* [n] owned, places from first on; NULL: all stay */
};

/* intake_open - of places first .. end, SEALED_ROWS_MAX at most. Heap: 4 bytes a row where one is left
 * out. Fails: RESOURCE_EXHAUSTED */
status intake_open(const struct view *view, uint64_t first, uint64_t end, uint64_t horizon,
		   struct intake *ret);
void intake_finish(struct intake *intake); /* all zero is fine */

/* intake_place - the place in the view of row i of the new segment. */
static inline uint64_t intake_place(const struct intake *intake, uint32_t i)
{
	return intake->first + (intake->kept ? intake->kept[i] : i);
}

/* intake_source - for sealed_write; borrows the intake. */
struct sealed_source intake_source(const struct intake *intake);

SCOPE_DEFINE(intake, intake_finish)

#endif
