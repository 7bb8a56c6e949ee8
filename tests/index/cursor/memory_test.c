/* The nth allocation of a walk fails, for every n: a clear status, nothing leaked, and the walk
 * does not crash. Linked with --wrap for malloc and calloc, which reaches our own objects only.
 */
#include "index/cursor/exact.h"
#include "kernels/base/gauge.h"
#include "tests/index/cursor/fake_scanner.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/ramp.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static unsigned allocations, fail_at; /* fail_at 0: none */

/* Names that the linker makes up for --wrap. NOLINTBEGIN(*-reserved-identifier,cert-dcl*) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
/* NOLINTEND(*-reserved-identifier,cert-dcl*) */

void *__wrap_malloc(size_t size)
{
	return ++allocations == fail_at ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return ++allocations == fail_at ? NULL : __real_calloc(n, size);
}

/* Opens a chain and walks it to the end. */
static status walk_chain(const struct snapshot *snapshot, struct scanner *scanner,
			 struct walk *walk, size_t *ret_n)
{
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;
	enum step step;

	TRY(exact_open(&(struct exact_options){.snapshot = snapshot,
					       .scanner = scanner,
					       .scanner_cpu = scanner,
					       .query = fake_snapshot_query(snapshot),
					       .batch = 10,
					       .walk = walk},
		       &cursor));
	TRY(without_open(TAKE(cursor), 3, &cursor));
	TRY(floor_open(TAKE(cursor), -1e9F, &cursor));
	TRY(limit_open(TAKE(cursor), 900, &cursor));
	while ((step = cursor_next(cursor, &batch)) == STEP_BATCH)
		*ret_n += batch.n;
	return step == STEP_END ? status_ok() : cursor->status;
}

Test(memory, any_allocation_of_a_walk_may_fail)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 1000, .dim = 4, .metric = METRIC_L2, .seed = 1});
	struct fake_scanner fake;
	unsigned at = 0;
	status result;

	fake_scanner_init(&fake, FAKE_LOOSE, 0.1F, 1);
	do {
		struct walk walk = {0};
		size_t n = 0;

		allocations = 0;
		fail_at = ++at;
		result = walk_chain(snapshot, &fake.base, &walk, &n);
		fail_at = 0;
		cr_assert_eq(gauge_read(GAUGE_CURSORS), 0);
		if (status_failed(result))
			cr_assert_eq(result.code, STATUS_RESOURCE_EXHAUSTED, "allocation %u", at);
		else
			cr_assert_eq(n, 900);
	} while (status_failed(result) && at < 100);

	cr_assert_not(status_failed(result));
	cr_assert_gt(at, 6, "no more than %u allocations were met", at);
}

Test(memory, a_stage_that_cannot_open_closes_its_upstream)
{
	for (int stage = 0; stage < 3; stage++) {
		struct cursor *cursor = NULL;
		struct ramp ramp;
		status result;

		ramp_init(&ramp, 5, 2);
		allocations = 0;
		fail_at = 1;
		if (stage == 0)
			result = limit_open(&ramp.base, 1, &cursor);
		else if (stage == 1)
			result = floor_open(&ramp.base, 1, &cursor);
		else
			result = without_open(&ramp.base, 1, &cursor);
		fail_at = 0;

		cr_assert_eq(result.code, STATUS_RESOURCE_EXHAUSTED);
		cr_assert_null(cursor);
		cr_assert_eq(ramp.freed, 1);
	}
}
