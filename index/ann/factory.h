/* factory - whatever FAISS's index_factory makes, over the rows of a sealed segment.
 *
 * FAISS builds it, stores it and searches it; its numbers are the segment's places, and its scores
 * are not looked at: what it finds is scored exactly. Its serialisation is a part of the file, so
 * that FAISS's reader, which trusts what it reads, sees no byte that was not checked.
 * FAISS's C interface cannot set nprobe or efSearch for one query, so that is chosen when the index is
 * built, by trial, with how many candidates it takes for which recall (factory_calibrate.h): a
 * question that asks for little recall costs hardly less than one that asks for much.
 * The functions are those of ann.h for this kind.
 */
#ifndef SLUICE_INDEX_ANN_FACTORY_H
#define SLUICE_INDEX_ANN_FACTORY_H

#include "index/ann/ann.h"

struct factory;

/* factory_is_wanted - whether the collection's string can be trained on so many rows. */
bool factory_is_wanted(const struct collection_config *config, uint64_t n_rows);

/* factory_build - Heap: a sample to train on (39 rows for each centroid, at least 16,384 or all
 * rows), thrice where there are transforms; FAISS's index, twice while it is trained; and 1 MiB. Looks at the
 * deadline between FAISS's calls, which are short (factory_index.h); rows are added in slices of about half a
 * second. */
status factory_build(const struct sealed_file *file, const struct sealed *sealed,
		     const struct deadline *deadline, const struct ann_progress *progress,
		     struct arena *arena);

/* factory_open - as ann_open; that the file is there was seen before. FAISS's index is read into
 * memory, all of it. */
status factory_open(const struct sealed_file *file, const struct sealed *sealed,
		    struct arena *arena, struct factory **ret);
void factory_close(struct factory *factory);

bool factory_covers(const struct factory *factory, uint32_t depth, float recall, double share);
status factory_find(const struct factory *factory, struct ann_probe *probe);

const char *factory_name(const struct factory *factory);
void factory_calibration(const struct factory *factory,
			 struct calibration *ret); /* ret  all zero */
uint64_t factory_memory_bytes(const struct factory *factory);
uint64_t factory_disk_bytes(const struct factory *factory);

SCOPE_DEFINE(factory, factory_close)

#endif
