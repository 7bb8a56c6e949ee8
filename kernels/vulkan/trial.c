/* trial - see the header. */
#include "kernels/vulkan/trial.h"

#include "kernels/vulkan/number.h"
#include "kernels/vulkan/scan8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

status trial_init(struct trial *trial, uint32_t rows)
{
	float values[TRIAL_DIM] = {1};
	struct codes8_shape shape;

	*trial = (struct trial){0};
	arena_init(&trial->arena, (size_t)1 << 20);
	codes8_shape_init(&shape, METRIC_INNER_PRODUCT, TRIAL_DIM, 0);
	TRY(codes8_query_init(&trial->query, &trial->arena, &shape, NULL, values));
	TRY(window_init(&trial->window, TRIAL_WIDTH));
	trial->heads = aligned_alloc(CODES8_ALIGNMENT, codes8_heads_bytes(&shape, rows));
	if (!trial->heads)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a trial");
	/* Scales differ from row to row, so that keys do. */
	memset(trial->heads, 0x81, codes8_heads_bytes(&shape, rows));
	for (uint32_t row = 0; row < rows; row++) {
		struct codes8_sides *sides =
			(struct codes8_sides *)(void *)(trial->heads +
							row / CODES8_ROWS * shape.block_bytes);

		sides->scale[row % CODES8_ROWS] = (uint16_t)(0x3c00 + row % 251);
		sides->residual[row % CODES8_ROWS] = sides->norm[row % CODES8_ROWS] = 0x3c00;
		sides->rest[row % CODES8_ROWS] = 0;
	}
	trial->codes = (struct codes8){
		.shape = shape, .heads = trial->heads, .n = rows, .seat = &trial->seat};
	return status_ok();
}

void trial_finish(struct trial *trial)
{
	window_finish(&trial->window);
	arena_finish(&trial->arena);
	free(trial->heads);
}

static status scan_once(struct scan8_part *part, uint32_t n)
{
	uint32_t most = scan8_part_rows(part->n_asks);

	for (part->first = 0; part->first < n; part->first += part->n) {
		SCOPED(vulkan_slot) slot = NULL;

		part->start = part->first;
		part->n = least(n - part->first, most);
		TRY(scan8_run(part, &slot));
	}
	return status_ok();
}

status trial_device_time(const struct trial *trial, const struct trial_scan *scan, int repeats,
			 const struct deadline *deadline, double *ret_ns)
{
	struct scan8_ask asks[CODES8_PROBES_MAX];
	struct scan8_part part = {
		.copy = scan->copy,
		.asks = asks,
		.n_asks = scan->n_queries,
		.wanted = scan8_wanted(&trial->codes.shape, TRIAL_WIDTH),
		.deadline = deadline,
		.is_scan_only = scan->is_scan_only,
	};

	for (size_t i = 0; i < scan->n_queries; i++)
		asks[i] = (struct scan8_ask){
			.query = &trial->query, .threshold = -INFINITY, .ceiling = SCAN8_ALL};
	*ret_ns = INFINITY;
	for (int i = 0; i <= repeats; i++) {
		int64_t start_ns = clock_ns();

		TRY(scan_once(&part, scan->n));
		if (i > 0)
			*ret_ns = fmin(*ret_ns, (double)(clock_ns() - start_ns));
	}
	return status_ok();
}

status trial_processor_time(struct trial *trial, int repeats, const struct deadline *deadline,
			    double *ret_ns)
{
	const struct codes8_range range = {.codes = &trial->codes, .n = trial->codes.n};
	struct codes8_probe probe = {&trial->query, &trial->window, 0};

	*ret_ns = INFINITY;
	for (int i = 0; i < repeats; i++) {
		int64_t start_ns = clock_ns();

		TRY(window_clear(&trial->window, TRIAL_WIDTH));
		TRY(codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range, deadline));
		*ret_ns = fmin(*ret_ns, (double)(clock_ns() - start_ns));
	}
	return status_ok();
}
