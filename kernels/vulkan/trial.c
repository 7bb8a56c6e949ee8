/* trial - see the header. */
#include "kernels/vulkan/trial.h"

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
	TRY(window_init(&trial->window, 64));
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
