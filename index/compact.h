/* compact - segments that have lost many rows for good become smaller ones, when a collection is opened.
 *
 * A row that was purged keeps its place in its segment, and its bytes in every scan. Here, while
 * nobody reads yet and places may still change, runs of thinned and small segments are written anew
 * without such rows, and the manifest takes the new list in one commit.
 */
#ifndef SLUICE_INDEX_COMPACT_H
#define SLUICE_INDEX_COMPACT_H

#include "index/collection_state.h"

/* Of a segment's rows one in so many is purged: it is thin. */
#define COMPACT_SHARE 4

/* compact - the segments, and the places of the head behind them. Needs room on disk for what is
 * written before the old files go. What fails is logged, and leaves everything as it was.
 * Nothing is done where nothing is sealed either. */
void compact(struct collection *collection);

#endif
