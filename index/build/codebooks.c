/* codebooks - a k-means of each group. */
#include "index/build/codebooks.h"

#include "index/build/kmeans.h"
#include "kernels/base/error_info.h"
#include "kernels/base/scope.h"

#include <stdlib.h>
#include <string.h>

struct part {
	float *rows;       /* [n][width] owned: the group's coordinates */
	uint32_t *nearest; /* [n] owned */
};

static void part_finish(struct part *part)
{
	free(part->rows);
	free(part->nearest);
}

SCOPE_DEFINE(part, part_finish)

status codebooks_train(const struct codebooks_options *options, const float *rows, size_t n,
		       const struct deadline *deadline, struct arena *arena, float *codebooks,
		       float *ret_coded)
{
	const struct codebooks_shape *shape = &options->shape;
	uint32_t width = shape->dim / shape->groups, k = UINT32_C(1) << shape->bits;
	const struct kmeans_options kmeans = {
		.dim = width, .k = k, .iterations = options->iterations, .begun = options->begun};
	SCOPED(part) part = &(struct part){
		.rows = malloc(sizeof(float) * n * width),
		.nearest = malloc(sizeof(uint32_t) * n),
	};

	if (!part->rows || !part->nearest)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for codebooks"),
				 REASON_MEMORY_LIMIT);
	for (size_t group = 0; group < shape->groups; group++) {
		float *centroids = codebooks + group * k * width;

		for (size_t i = 0; i < n; i++)
			memcpy(part->rows + i * width, rows + i * shape->dim + group * width,
			       sizeof(float) * width);
		TRY(kmeans_train(&kmeans, part->rows, n, deadline, arena, centroids,
				 part->nearest));
		for (size_t i = 0; ret_coded && i < n; i++)
			memcpy(ret_coded + i * shape->dim + group * width,
			       centroids + (size_t)part->nearest[i] * width, sizeof(float) * width);
	}
	return status_ok();
}
