/* fake_scanner - a scanner that keeps the contract as badly as the contract allows, and fails when
 * it is told to.
 *
 * Its bounds are the exact score, loosened. They may differ between two scanners of one test, as
 * those of two devices do.
 */
#ifndef SLUICE_TESTS_INDEX_CURSOR_FAKE_SCANNER_H
#define SLUICE_TESTS_INDEX_CURSOR_FAKE_SCANNER_H

#include "index/snapshot.h"
#include "kernels/scanner.h"

enum fake_bounds {
	FAKE_TIGHT,    /* both bounds are the exact score */
	FAKE_LOOSE,    /* up to slack away, each row by its own amount */
	FAKE_EQUAL,    /* the same for all rows: nothing is known */
	FAKE_INFINITE, /* +inf and -inf */
	FAKE_NAN,      /* as FAKE_INFINITE in propose; NaN from bounds */
	FAKE_PARTIAL,  /* as FAKE_LOOSE; propose gives the first eight of a range, and says so */
	FAKE_BOUNDS_N,
};

struct fake_scanner {
	struct scanner base;
	enum fake_bounds bounds;
	float slack;
	uint64_t seed;

	unsigned calls;        /* so far, of both kinds */
	uint64_t rows;         /* of the ranges asked for */
	unsigned fail_at;      /* the first call that fails, counted from 1; 0: none */
	unsigned fail_n;       /* how many calls fail from there */
	enum status_code code; /* with this */
	uint32_t fail_after;   /* having written so many rows of the range */

	unsigned act_at;         /* before this call returns, if not 0: */
	struct deadline *cancel; /* cancelled, unless NULL */
	struct snapshot *drop;   /* its collection dropped, unless NULL */
};

/* fake_scanner_init - other fields may be set afterwards. Nothing to release. */
void fake_scanner_init(struct fake_scanner *scanner, enum fake_bounds bounds, float slack,
		       uint64_t seed);

#endif
