/* fixture - the scanners that this processor can run, and the full sort they must agree with. */
#ifndef SLUICE_TESTS_KERNELS_CPU_FIXTURE_H
#define SLUICE_TESTS_KERNELS_CPU_FIXTURE_H

#include "kernels/cpu/scanner_cpu.h"
#include "tests/kernels/hostile.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROWS_MAX 2000

/* prepared - a query with the arena that it lives in. */
struct prepared {
	struct arena arena;
	struct scan_query query;
};

/* prepare - the closer is arena_finish(&prepared->arena). */
void prepare(struct prepared *prepared, enum metric metric, const float *query, uint32_t dim);

/* scanners_open_all - those that can be opened here, the portable one always. Gives how many. */
size_t scanners_open_all(struct scanner *ret[3]);
void scanners_close_all(struct scanner *scanners[3], size_t n);

/* draw_whole - small whole numbers: float sums are exact in any order, so bounds do not depend on
 * how rows are grouped, and there are many ties. ret  [dim] */
void draw_whole(struct random *random, float *ret, uint32_t dim);

bool is_visible(const struct scan_range *range, size_t i);

/* keys_by_bounds - the keys of the visible rows of the range by scanner_bounds, in no order.
 * ret  room for range->n <= ROWS_MAX. Gives how many. */
size_t keys_by_bounds(struct scanner *scanner, const struct scan_query *query,
		      const struct scan_range *range, struct key *ret);

/* window_check - that a sealed window holds the first of the n keys, which are sorted here. */
void window_check(const struct window *window, struct key *keys, size_t n);

#endif
