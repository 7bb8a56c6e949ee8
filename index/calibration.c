/* calibration - a look at the segments that are published. */
#include "index/calibration.h"

#include "index/ann/ann.h"
#include "index/collection_state.h"

#include <stdio.h>

void collection_calibration(struct collection *collection, struct collection_calibration *ret)
{
	SCOPED(strata) strata = NULL;
	const struct ann *largest = NULL;

	pthread_mutex_lock(&collection->lock);
	strata = strata_reference(collection->published.strata);
	pthread_mutex_unlock(&collection->lock);
	*ret = (struct collection_calibration){.n_segments = (uint32_t)strata->n};
	for (size_t i = 0; i < strata->n; i++) {
		const struct stratum *stratum = strata->items[i];
		const struct ann *ann = atomic_load_explicit(&stratum->ann, memory_order_acquire);

		if (!ann)
			continue;
		ret->n_indexed++;
		if (sealed_length(stratum->sealed) <= ret->n_rows)
			continue;
		ret->n_rows = sealed_length(stratum->sealed);
		largest = ann;
	}
	if (!largest)
		return;
	snprintf(ret->name, sizeof ret->name, "%s", ann_name(largest));
	ann_calibration(largest, &ret->measured);
}
