/* lists_regions - which lists are near each other: their centroids are clustered in turn, and lists take
 * the order of the clusters. A query then looks at the lists of the regions that promise most, and not at
 * all of them. (An index of two levels, as the centroids are many.)
 */
#include "index/ann/lists_build.h"

#include <stdlib.h>
#include <string.h>

#define ITERATIONS 6

/* Regions of lists that were assigned; lists take their order. */
static status lists_sort(struct building *building, const uint32_t *region_of)
{
	const struct lists_shape *shape = &building->shape;
	uint32_t *first = building->regions.first, n_regions = lists_regions(shape);
	size_t dim = shape->dim;
	float *sorted = malloc(sizeof *sorted * shape->n_lists * dim);

	if (!sorted)
		return building_no_memory();
	/* A region's begin stands one further on, and moves to its end while its lists are put. */
	for (uint32_t list = 0; list < shape->n_lists; list++) {
		if (region_of[list] + 2 <= n_regions)
			first[region_of[list] + 2]++;
	}
	for (uint32_t region = 2; region <= n_regions; region++)
		first[region] += first[region - 1];
	for (uint32_t list = 0; list < shape->n_lists; list++)
		memcpy(sorted + first[region_of[list] + 1]++ * dim,
		       building->centroids + list * dim, sizeof *sorted * dim);
	free(building->centroids);
	building->centroids = sorted;
	return status_ok();
}

static status regions_find(struct building *building, uint32_t *region_of)
{
	const struct lists_shape *shape = &building->shape;
	const struct clusters_options options = {
		.dim = shape->dim, .k = lists_regions(shape), .iterations = ITERATIONS};
	SCOPED(clusters) clusters = NULL;

	TRY(clusters_train(&options, building->centroids, shape->n_lists, building->deadline,
			   building->arena, building->regions.landmarks));
	TRY(clusters_open(building->regions.landmarks, options.k, shape->dim, building->arena,
			  &clusters));
	TRY(clusters_assign(clusters, building->centroids, shape->n_lists, building->arena,
			    region_of));
	return lists_sort(building, region_of);
}

status lists_region(struct building *building)
{
	const struct lists_shape *shape = &building->shape;
	struct building_regions *regions = &building->regions;
	size_t n = lists_regions(shape);
	uint32_t *region_of;
	status s;

	regions->landmarks = calloc(n, sizeof(float) * shape->dim);
	regions->first = calloc(n + 1, sizeof *regions->first);
	regions->radius = calloc(n, sizeof *regions->radius);
	regions->square = calloc(n, sizeof *regions->square);
	regions->stretch = calloc(n, sizeof *regions->stretch);
	region_of = calloc(shape->n_lists, sizeof *region_of);
	if (!regions->landmarks || !regions->first || !regions->radius || !regions->square ||
	    !regions->stretch || !region_of) {
		free(region_of);
		return building_no_memory();
	}
	if (n == 1)
		regions->first[n] = shape->n_lists;
	s = n > 1 ? regions_find(building, region_of) : status_ok();
	free(region_of);
	return s;
}
