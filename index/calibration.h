/* calibration - of a collection: that of its largest segment which has an approximate index. */
#ifndef SLUICE_INDEX_CALIBRATION_H
#define SLUICE_INDEX_CALIBRATION_H

#include "index/ann/calibration.h"
#include "index/collection.h"

struct collection_calibration {
	uint64_t n_rows;                /* of the segment; 0: no segment has an index */
	uint32_t n_segments, n_indexed; /* of the collection; those with an index */
	char name[64];                  /* of the index: "ivf948", or FAISS's factory string, cut */
	struct calibration measured;
};

void collection_calibration(struct collection *collection, struct collection_calibration *ret);

#endif
