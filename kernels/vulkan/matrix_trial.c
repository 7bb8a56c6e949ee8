/* matrix_trial - whether the kernel may be used: it must agree with the one that it replaces, and beat it. */
#include "kernels/vulkan/matrix.h"

#include "kernels/float16.h"
#include "kernels/vulkan/scan_many.h"

#include <math.h>
#include <stdlib.h>

#define DIM 384
#define ROWS 65536
#define ROWS_COMPARED 2048
#define REPEATS 5
#define WIDTH 64

/* Rows, and as many queries as go at once. */
struct trial_rows {
	struct scan_block block;
	float *vectors, *norms, *squares; /* owned */
	struct arena arena;
	struct scan_query queries[SCAN_PROBES_MAX];
	struct window windows[SCAN_PROBES_MAX];
	struct scan_ask asks[SCAN_PROBES_MAX];
};

static void trial_rows_finish(struct trial_rows *rows)
{
	free(rows->vectors);
	free(rows->norms);
	free(rows->squares);
	arena_finish(&rows->arena);
	for (size_t i = 0; i < SCAN_PROBES_MAX; i++)
		window_finish(&rows->windows[i]);
}

SCOPE_DEFINE(trial_rows, trial_rows_finish)

/* Within -1 .. 1; any will do. */
static float value_of(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return float16_widen(float16_narrow((float)(int32_t)*state * 0x1p-31F));
}

static status rows_fill(struct trial_rows *rows)
{
	uint32_t state = 1;

	rows->vectors = aligned_alloc(64, sizeof(float) * ROWS * DIM);
	rows->norms = calloc(ROWS, sizeof(float));
	rows->squares = calloc(ROWS, sizeof(float));
	if (!rows->vectors || !rows->norms || !rows->squares)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a trial");
	for (size_t i = 0; i < (size_t)ROWS_COMPARED * DIM; i++)
		rows->vectors[i] = value_of(&state);
	/* More of the same: how long it takes does not depend on it. */
	for (size_t i = (size_t)ROWS_COMPARED * DIM; i < (size_t)ROWS * DIM; i++)
		rows->vectors[i] = rows->vectors[i - (size_t)ROWS_COMPARED * DIM];
	for (size_t i = 0; i < ROWS; i++)
		scan_row_norms(rows->vectors + i * DIM, DIM, &rows->norms[i], &rows->squares[i]);
	rows->block = (struct scan_block){
		.vectors = rows->vectors,
		.norms = rows->norms,
		.squares = rows->squares,
		.stride = DIM,
		.capacity = ROWS,
		.is_half = true,
	};
	return status_ok();
}

static status rows_init(struct trial_rows *rows)
{
	uint32_t state = 77;

	*rows = (struct trial_rows){0};
	arena_init(&rows->arena, (size_t)1 << 20);
	TRY(rows_fill(rows));
	for (size_t i = 0; i < SCAN_PROBES_MAX; i++) {
		float values[DIM];

		for (size_t d = 0; d < DIM; d++)
			values[d] = value_of(&state) * 1.001F;
		TRY(scan_query_init(&rows->queries[i], &rows->arena, METRIC_INNER_PRODUCT, values,
				    DIM));
		TRY(window_init(&rows->windows[i], ROWS_COMPARED));
		rows->asks[i] =
			(struct scan_ask){.query = &rows->queries[i], .window = &rows->windows[i]};
	}
	return status_ok();
}

static status rows_scan(struct trial_rows *rows, struct vulkan_copy *copy, uint32_t n, size_t width)
{
	const struct scan_range range = {.block = &rows->block, .n = n};
	const struct deadline *no_deadline = NULL;
	struct vulkan_scan scan;

	for (size_t i = 0; i < SCAN_PROBES_MAX; i++)
		TRY(window_clear(&rows->windows[i], width));
	scan_init(&scan, &rows->queries[0], &range);
	scan.copy = copy;
	scan.deadline = no_deadline;
	return scan_many_offer(
		&(struct scan_many){.scan = &scan, .asks = rows->asks, .n_asks = SCAN_PROBES_MAX},
		&(struct scan_part){.n = n});
}

/* The upper bounds of all rows that are compared: ret [queries][ROWS_COMPARED]. */
static status uppers_find(struct trial_rows *rows, struct vulkan_copy *copy, float *ret)
{
	TRY(rows_scan(rows, copy, ROWS_COMPARED, ROWS_COMPARED));
	for (size_t i = 0; i < SCAN_PROBES_MAX; i++) {
		const struct window *window = &rows->windows[i];

		for (size_t k = 0; k < ROWS_COMPARED; k++)
			ret[i * ROWS_COMPARED + k] = NAN;
		for (size_t k = 0; k < window->n; k++)
			ret[i * ROWS_COMPARED + window->keys[k].row] = window->keys[k].score;
	}
	return status_ok();
}

/* Both less their slack are the product, but for that slack. */
static bool rows_agree(const struct trial_rows *rows, const float *by_lanes, const float *by_matrix)
{
	for (size_t i = 0; i < SCAN_PROBES_MAX; i++) {
		const struct scan_query *query = &rows->queries[i];
		struct select_query matrix = {.absolute = query->slack_abs};
		uint16_t halves[DIM];

		matrix_query(query, halves, &matrix);
		for (size_t row = 0; row < ROWS_COMPARED; row++) {
			double norm = (double)rows->norms[row];
			double slack = (double)query->slack_norm * norm + (double)query->slack_abs;
			double wide = (double)matrix.on_norm * norm + (double)matrix.absolute;
			double apart = ((double)by_matrix[i * ROWS_COMPARED + row] - wide) -
				       ((double)by_lanes[i * ROWS_COMPARED + row] - slack);

			if (!(fabs(apart) <= slack + wide))
				return false;
		}
	}
	return true;
}

static status scan_time(struct trial_rows *rows, struct vulkan_copy *copy, int64_t *ret_ns)
{
	*ret_ns = INT64_MAX;
	for (int i = 0; i < REPEATS; i++) {
		int64_t start_ns = clock_ns(), took_ns;

		TRY(rows_scan(rows, copy, ROWS, WIDTH));
		took_ns = clock_ns() - start_ns;
		*ret_ns = took_ns < *ret_ns ? took_ns : *ret_ns;
	}
	return status_ok();
}

/* Leaves it to the device what to use. */
static status trial_run(struct vulkan_runtime *runtime, struct trial_rows *rows, const char **ret)
{
	const size_t bytes = sizeof(float) * SCAN_PROBES_MAX * ROWS_COMPARED;
	bool *uses_matrix = &runtime->device->uses_matrix;
	SCOPED(vulkan_copy) copy = NULL;
	float *uppers[2];
	int64_t times_ns[2];

	TRY(copy_acquire(runtime, &rows->block, ROWS, NULL, &copy));
	for (int i = 0; i < 2; i++) {
		*uses_matrix = i;
		uppers[i] = arena_alloc(&rows->arena, bytes);
		if (!uppers[i])
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a trial");
		TRY(uppers_find(rows, copy, uppers[i]));
		TRY(scan_time(rows, copy, &times_ns[i]));
	}
	*uses_matrix = false;
	if (!rows_agree(rows, uppers[0], uppers[1]))
		*ret = "cooperative matrices not used: they did not agree with the sums in float";
	else if (times_ns[1] >= times_ns[0])
		*ret = "cooperative matrices not used: they were no faster";
	else
		*uses_matrix = true;
	return status_ok();
}

const char *matrix_try(struct vulkan_runtime *runtime)
{
	struct trial_rows memory = {0};
	SCOPED(trial_rows) rows = &memory;
	const char *came_of_it = "cooperative matrices used";
	status done;

	if (!matrix_is_built())
		return "cooperative matrices not used: built without them";
	if (!runtime->device->has_matrix)
		return "cooperative matrices not used: the device lacks them";
	done = rows_init(rows);
	if (!status_failed(done))
		done = trial_run(runtime, rows, &came_of_it);
	copy_forget(runtime, &rows->block);
	if (!status_failed(done))
		return came_of_it;
	runtime->device->uses_matrix = false;
	return "cooperative matrices not used: the trial of them failed";
}
