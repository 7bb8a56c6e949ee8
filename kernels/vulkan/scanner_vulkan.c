/* scanner_vulkan - the contract of a scanner, told in parts of ranges. */
#include "kernels/vulkan/scanner_vulkan.h"

#include "kernels/vulkan/scan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scanner_vulkan {
	struct scanner base;
	struct vulkan_runtime *runtime;
	char name[sizeof "vulkan:" + 256];
};

struct vulkan_runtime *scanner_vulkan_runtime(struct scanner *scanner)
{
	return ((struct scanner_vulkan *)scanner)->runtime;
}

/* True while there is a part: the next SCAN_ROWS rows at most. */
static bool part_next(const struct scan_range *range, struct scan_part *part)
{
	part->start += part->n;
	part->n = range->n - part->start;
	if (part->n > SCAN_ROWS)
		part->n = SCAN_ROWS;
	return part->n > 0;
}

static bool range_shows(const struct scan_range *range, uint32_t place)
{
	return !range->visible || range->visible[place / 64] >> (place % 64) & 1;
}

/* Every visible row of a part: for windows wider than the lists that the device makes. */
static status part_offer_all(const struct vulkan_scan *scan, const struct scan_part *part,
			     struct window *window)
{
	const struct scan_range *range = scan->range;
	uint64_t first_row = range->row_base + range->first;
	SCOPED(vulkan_slot) slot = NULL;
	const float *upper;

	TRY(scan_bounds(scan, part, &slot, &upper, NULL));
	for (uint32_t i = 0; i < part->n; i++) {
		uint32_t place = part->start + i;

		if (range_shows(range, place))
			window_offer(window, (struct key){upper[i], first_row + place});
	}
	return status_ok();
}

/* Brings the rows of a scan to the device.
 * ret_copy  the caller's to release; stays NULL where there is no row to read. */
static status scan_begin(struct scanner *self, struct vulkan_scan *scan,
			 struct vulkan_copy **ret_copy)
{
	struct vulkan_runtime *runtime = scanner_vulkan_runtime(self);
	const struct scan_range *range = scan->range;

	assert(scan->query->stride == range->block->stride);
	TRY(deadline_check(scan->deadline));
	TRY(device_check(runtime->device));
	if (range->n == 0)
		return status_ok();
	TRY(copy_acquire(runtime, range->block, range->first + range->n, scan->deadline, ret_copy));
	scan->copy = *ret_copy;
	return status_ok();
}

static status scanner_vulkan_propose(struct scanner *self, const struct scan_query *query,
				     const struct scan_range *range,
				     const struct deadline *deadline, struct window *window)
{
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_part part = {0};
	struct vulkan_scan scan;

	scan_init(&scan, query, range);
	scan.deadline = deadline;
	TRY(scan_begin(self, &scan, &copy));
	while (part_next(range, &part)) {
		if (window->width <= TOP_MAX)
			TRY(scan_top(&scan, &part, (uint32_t)window->width, window));
		else
			TRY(part_offer_all(&scan, &part, window));
	}
	return status_ok();
}

static status scanner_vulkan_bounds(struct scanner *self, const struct scan_query *query,
				    const struct scan_range *range, const struct deadline *deadline,
				    float *ret_upper, float *ret_lower)
{
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_part part = {0};
	struct vulkan_scan scan;

	scan_init(&scan, query, range);
	scan.deadline = deadline;
	TRY(scan_begin(self, &scan, &copy));
	while (part_next(range, &part)) {
		SCOPED(vulkan_slot) slot = NULL;
		const float *upper, *lower;

		TRY(scan_bounds(&scan, &part, &slot, &upper, &lower));
		memcpy(ret_upper + part.start, upper, part.n * sizeof *upper);
		memcpy(ret_lower + part.start, lower, part.n * sizeof *lower);
	}
	return status_ok();
}

static void scanner_vulkan_forget(struct scanner *self, struct scan_block *block)
{
	(void)self;
	copy_forget(block->copy);
}

static void scanner_vulkan_close(struct scanner *self)
{
	struct scanner_vulkan *scanner = (struct scanner_vulkan *)self;

	if (scanner->runtime) {
		copy_forget_all(scanner->runtime);
		runtime_close(scanner->runtime);
	}
	free(scanner);
}

static const struct scanner_ops scanner_vulkan_ops = {
	.propose = scanner_vulkan_propose,
	.bounds = scanner_vulkan_bounds,
	.forget = scanner_vulkan_forget,
	.close = scanner_vulkan_close,
};

status scanner_vulkan_open(enum gpu_mode mode, struct arena *arena, struct gpu_list *ret_list,
			   struct scanner **ret)
{
	SCOPED(vulkan_device) device = NULL;
	SCOPED(scanner) scanner = NULL;
	struct scanner_vulkan *made;

	if (mode != GPU_OFF)
		TRY(device_open(mode, arena, ret_list, &device));
	if (!device) {
		*ret = NULL;
		return status_ok();
	}
	made = calloc(1, sizeof *made);
	if (!made)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a scanner");
	snprintf(made->name, sizeof made->name, "vulkan:%s", device->name);
	made->base = (struct scanner){.ops = &scanner_vulkan_ops, .name = made->name};
	scanner = &made->base;
	TRY(runtime_open(TAKE(device), &made->runtime));
	*ret = TAKE(scanner);
	return status_ok();
}

void scanner_vulkan_limit(struct scanner *scanner, uint64_t memory_bytes_max)
{
	scanner_vulkan_runtime(scanner)->device->memory_bytes_max = memory_bytes_max;
}

uint64_t scanner_vulkan_used_bytes(struct scanner *scanner)
{
	return atomic_load(&scanner_vulkan_runtime(scanner)->device->used_bytes);
}
