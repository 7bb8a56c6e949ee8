/* scanner_vulkan - the contract of a scanner, told in parts of ranges. */
#include "kernels/vulkan/scanner_vulkan.h"

#include "kernels/vulkan/batch_codes.h"
#include "kernels/vulkan/keeper.h"
#include "kernels/vulkan/scan.h"
#include "kernels/vulkan/scan8.h"
#include "kernels/vulkan/scan_many.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scanner_vulkan {
	struct scanner base;
	struct keeper *keeper;
	char name[sizeof "vulkan:" + 256];
};

static struct keeper *keeper_of(struct scanner *scanner)
{
	return ((struct scanner_vulkan *)scanner)->keeper;
}

struct keeper *scanner_vulkan_keeper(struct scanner *scanner)
{
	return keeper_of(scanner);
}

struct vulkan_runtime *scanner_vulkan_runtime(struct scanner *scanner)
{
	return keeper_of(scanner)->runtime;
}

/* Whether a scan for n queries over so many bytes is the processor's. */
static bool is_for_processor(struct scanner *self, uint64_t bytes, size_t n)
{
	const struct keeper *keeper = keeper_of(self);

	return keeper->options.processor && !cost_favours_device(&keeper->cost, bytes, n);
}

static uint64_t block_bytes(const struct scan_range *range)
{
	return range->n * range->block->stride * sizeof(float);
}

/* True while there is a part: the next rows, most at most. */
static bool part_next(uint32_t all, uint32_t most, struct scan_part *part)
{
	part->start += part->n;
	part->n = least(all - part->start, most);
	return part->n > 0;
}

/* Brings the rows of a scan to the device. ret_copy  the caller's to release. */
static status scan_begin(struct vulkan_runtime *runtime, struct vulkan_scan *scan,
			 struct vulkan_copy **ret_copy)
{
	const struct scan_range *range = scan->range;

	TRY(copy_acquire(runtime, range->block, range->first + range->n, scan->deadline, ret_copy));
	scan->copy = *ret_copy;
	return status_ok();
}

static status block_propose(struct vulkan_runtime *runtime, struct vulkan_scan *scan,
			    const struct scan_probe *probes, size_t n_probes)
{
	struct window *window = probes[0].window;
	struct scan_ask asks[SCAN_PROBES_MAX];
	const struct scan_many many = {.scan = scan, .asks = asks, .n_asks = n_probes};
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_part part = {0};

	for (size_t i = 0; i < n_probes; i++)
		asks[i] = (struct scan_ask){
			.query = probes[i].query,
			.visible = scan->range->visible,
			.window = probes[i].window,
		};
	TRY(scan_begin(runtime, scan, &copy));
	while (part_next(scan->range->n, scan_many_rows(n_probes), &part)) {
		if (n_probes == 1 && window->width <= TOP_MAX)
			TRY(scan_top(scan, &part, (uint32_t)window->width, window));
		else
			TRY(scan_many_offer(&many, &part));
	}
	return status_ok();
}

static status scanner_vulkan_propose_many(struct scanner *self, const struct scan_probe *probes,
					  size_t n_probes, const struct scan_range *range,
					  const struct deadline *deadline)
{
	struct vulkan_runtime *runtime;
	struct vulkan_scan scan;
	status done;

	assert(n_probes >= 1 && n_probes <= SCAN_PROBES_MAX);
	assert(probes[0].query->stride == range->block->stride);
	if (is_for_processor(self, block_bytes(range), n_probes))
		return scanner_propose_many(keeper_of(self)->options.processor, probes, n_probes,
					    range, deadline);
	TRY(deadline_check(deadline));
	TRY(keeper_enter(keeper_of(self), &runtime));
	scan_init(&scan, probes[0].query, range);
	scan.deadline = deadline;
	done = range->n ? block_propose(runtime, &scan, probes, n_probes) : status_ok();
	keeper_leave(keeper_of(self));
	return done;
}

static status scanner_vulkan_propose(struct scanner *self, const struct scan_query *query,
				     const struct scan_range *range,
				     const struct deadline *deadline, struct window *window)
{
	const struct scan_probe probe = {query, window};

	return scanner_vulkan_propose_many(self, &probe, 1, range, deadline);
}

static status block_bounds(struct vulkan_runtime *runtime, struct vulkan_scan *scan,
			   float *ret_upper, float *ret_lower)
{
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_part part = {0};

	TRY(scan_begin(runtime, scan, &copy));
	while (part_next(scan->range->n, SCAN_ROWS, &part)) {
		SCOPED(vulkan_slot) slot = NULL;
		const float *upper, *lower;

		TRY(scan_bounds(scan, &part, &slot, &upper, &lower));
		memcpy(ret_upper + part.start, upper, part.n * sizeof *upper);
		memcpy(ret_lower + part.start, lower, part.n * sizeof *lower);
	}
	return status_ok();
}

static status scanner_vulkan_bounds(struct scanner *self, const struct scan_query *query,
				    const struct scan_range *range, const struct deadline *deadline,
				    float *ret_upper, float *ret_lower)
{
	struct vulkan_runtime *runtime;
	struct vulkan_scan scan;
	status done;

	assert(query->stride == range->block->stride);
	if (is_for_processor(self, block_bytes(range), 1))
		return scanner_bounds(keeper_of(self)->options.processor, query, range, deadline,
				      ret_upper, ret_lower);
	TRY(deadline_check(deadline));
	TRY(keeper_enter(keeper_of(self), &runtime));
	scan_init(&scan, query, range);
	scan.deadline = deadline;
	done = range->n ? block_bounds(runtime, &scan, ret_upper, ret_lower) : status_ok();
	keeper_leave(keeper_of(self));
	return done;
}

static status codes_check(const struct codes8 *codes, const struct codes8_query *query)
{
	if (!codes->seat)
		return status_make(STATUS_UNAVAILABLE, "the codes have no place for a copy");
	return scan8_serves(query)
		       ? status_ok()
		       : status_make(STATUS_UNAVAILABLE, "the query is too large for the GPU");
}

static status scanner_vulkan_propose_codes(struct scanner *self, struct codes8_probe *probes,
					   size_t n_probes, const struct codes8_range *range,
					   const struct deadline *deadline)
{
	struct vulkan_runtime *runtime;
	status done;

	assert(n_probes >= 1 && n_probes <= CODES8_PROBES_MAX);
	if (is_for_processor(self, codes8_heads_bytes(&range->codes->shape, range->n), n_probes))
		return codes8_propose(codes8_scanner(CODES8_BEST), probes, n_probes, range,
				      deadline);
	TRY(deadline_check(deadline));
	for (size_t i = 0; i < n_probes; i++)
		TRY(codes_check(range->codes, probes[i].query));
	TRY(keeper_enter(keeper_of(self), &runtime));
	done = range->n ? batch_codes_propose(runtime->batches, probes, n_probes, range, deadline)
			: status_ok();
	keeper_leave(keeper_of(self));
	return done;
}

static status codes_bounds(struct vulkan_runtime *runtime, const struct codes8_query *query,
			   const struct codes8_range *range, const struct deadline *deadline,
			   const struct codes8_bounds_out *out)
{
	const struct scan8_ask ask = {.query = query};
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_part at = {0};

	TRY(copy_acquire_codes(runtime, range->codes, deadline, &copy));
	while (part_next(range->n, scan8_part_rows(1), &at)) {
		const struct scan8_part part = {
			.copy = copy,
			.asks = &ask,
			.n_asks = 1,
			.first = range->first + at.start,
			.n = at.n,
			.start = at.start,
			.deadline = deadline,
		};
		SCOPED(vulkan_slot) slot = NULL;
		const float *upper, *lower;

		TRY(scan8_bounds(&part, &slot, &upper, &lower));
		memcpy(out->upper + at.start, upper, at.n * sizeof *upper);
		memcpy(out->lower + at.start, lower, at.n * sizeof *lower);
	}
	return status_ok();
}

static status scanner_vulkan_bounds_codes(struct scanner *self, const struct codes8_query *query,
					  const struct codes8_range *range,
					  const struct deadline *deadline,
					  const struct codes8_bounds_out *out)
{
	struct vulkan_runtime *runtime;
	status done;

	if (is_for_processor(self, codes8_heads_bytes(&range->codes->shape, range->n), 1))
		return codes8_bounds(codes8_scanner(CODES8_BEST), query, range, deadline, *out);
	TRY(deadline_check(deadline));
	TRY(codes_check(range->codes, query));
	TRY(keeper_enter(keeper_of(self), &runtime));
	done = range->n ? codes_bounds(runtime, query, range, deadline, out) : status_ok();
	keeper_leave(keeper_of(self));
	return done;
}

static void scanner_vulkan_forget(struct scanner *self, struct scan_block *block)
{
	struct vulkan_runtime *runtime = keeper_hold(keeper_of(self));

	if (!runtime)
		return;
	copy_forget(runtime, block);
	keeper_leave(keeper_of(self));
}

static void scanner_vulkan_forget_codes(struct scanner *self, struct codes8_seat *seat)
{
	struct vulkan_runtime *runtime = keeper_hold(keeper_of(self));

	if (!runtime)
		return;
	copy_forget_codes(runtime, seat);
	keeper_leave(keeper_of(self));
}

static void scanner_vulkan_close(struct scanner *self)
{
	keeper_close(keeper_of(self));
	free(self);
}

static const struct scanner_ops scanner_vulkan_ops = {
	.propose = scanner_vulkan_propose,
	.propose_many = scanner_vulkan_propose_many,
	.bounds = scanner_vulkan_bounds,
	.forget = scanner_vulkan_forget,
	.propose_codes = scanner_vulkan_propose_codes,
	.bounds_codes = scanner_vulkan_bounds_codes,
	.forget_codes = scanner_vulkan_forget_codes,
	.close = scanner_vulkan_close,
};

status scanner_vulkan_open(const struct gpu_options *options, struct arena *arena,
			   struct gpu_list *ret_list, struct scanner **ret)
{
	SCOPED(keeper) keeper = NULL;
	struct scanner_vulkan *made;

	*ret = NULL;
	if (options->mode != GPU_OFF)
		TRY(keeper_open(options, arena, ret_list, &keeper));
	if (!keeper)
		return status_ok();
	made = calloc(1, sizeof *made);
	if (!made)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a scanner");
	snprintf(made->name, sizeof made->name, "vulkan:%s", keeper->runtime->device->name);
	made->base = (struct scanner){.ops = &scanner_vulkan_ops, .name = made->name};
	keeper_set_scanner(keeper, &made->base);
	made->keeper = TAKE(keeper);
	*ret = &made->base;
	return status_ok();
}

uint64_t scanner_vulkan_used_bytes(struct scanner *scanner)
{
	struct vulkan_runtime *runtime = keeper_hold(keeper_of(scanner));
	uint64_t used;

	if (!runtime)
		return 0;
	used = atomic_load(&runtime->device->used_bytes);
	keeper_leave(keeper_of(scanner));
	return used;
}
