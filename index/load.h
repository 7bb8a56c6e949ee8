/* load - what a collection reads when it is opened. */
#ifndef SLUICE_INDEX_LOAD_H
#define SLUICE_INDEX_LOAD_H

#include "index/collection_state.h"

/* collection_load - opens the segments, removes the files of those that the manifest does not name,
 * and brings the other rows into the head. Store, head and sealing are there.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status collection_load(struct collection *collection, struct arena *arena);

#endif
