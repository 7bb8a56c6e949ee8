/* ann - what finds the rows of a sealed segment that are probably near a query, without reading all.
 *
 * An index of this kind lies in a file of its own beside the segment's, is made after it and may be
 * missing: then the segment is scanned. It proposes; what it proposes is scored exactly and ordered
 * by the cursor, so that it can leave something out and never put anything in a wrong place.
 * Two are there: inverted lists of 4-bit codes (lists.h), and whatever FAISS's index_factory makes
 * (factory.h). Which one a collection has follows from its configuration.
 * Places are the segment's, 0 .. sealed_length. Read from any thread.
 */
#ifndef SLUICE_INDEX_ANN_ANN_H
#define SLUICE_INDEX_ANN_ANN_H

#include "index/ann/calibration.h"
#include "index/segment/sealed.h"
#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"
#include "kernels/window.h"

struct ann;

/* --- building --- */

/* Smaller segments are scanned: with the kind unspecified, and with IVF. */
#define ANN_ROWS_MIN 20000
#define ANN_ROWS_MIN_IVF 1000

/* ann_is_wanted - whether a segment of so many rows gets one: by the collection's kind. FLAT: never. */
bool ann_is_wanted(const struct collection_config *config, uint64_t n_rows);

enum ann_phase { ANN_TRAIN, ANN_ASSIGN, ANN_WRITE };

/* ann_progress - told now and then how far a phase is, 0 .. 1; from the building thread. */
struct ann_progress {
	void (*tell)(void *context, enum ann_phase phase, float share); /* NULL: nobody listens */
	void *context;
};

/* ann_build - makes the file, whole or not at all; it is there for good when this returns.
 * file  the segment's. For hours on large segments; looks at the deadline at least about once a
 *       second, between FAISS's calls, which cannot be interrupted.
 * Heap and disk: said by each kind (lists.h, factory.h).
 * Fails: RESOURCE_EXHAUSTED INTERNAL DEADLINE_EXCEEDED CANCELLED; INVALID_ARGUMENT (FAISS does not
 * take the factory string for this dimension and so many rows) */
status ann_build(const struct sealed_file *file, const struct sealed *sealed,
		 const struct deadline *deadline, const struct ann_progress *progress,
		 struct arena *arena);

/* ann_remove - the file and what is left of an attempt to write it. OK where there is none. */
status ann_remove(const struct sealed_file *file, struct arena *arena);

/* --- reading --- */

/* ann_open - reads the file once, for its checksums. *ret is NULL, and the result OK, where there is
 * no file, or one of an earlier format, which ann_build replaces. sealed  borrowed, outlives it.
 * Fails: DATA_LOSS (cut, damaged, another's, of another format), naming collection, file and block;
 * RESOURCE_EXHAUSTED INTERNAL */
status ann_open(const struct sealed_file *file, const struct sealed *sealed, struct arena *arena,
		struct ann **ret);
void ann_close(struct ann *ann); /* NULL is fine */

/* ann_probe - one question to one index.
 * query    [dim]; of unit length under COSINE.
 * depth    hits that are asked for; recall  the share of the true ones wanted, 0.5 .. 0.999.
 * share    of the segment's rows that may be hits at all, 0 .. 1: fewer hits among as many rows are
 *          further away, so more is read.
 * visible  whether a place may be a hit; NULL: all may.
 * window   gets bound keys (upper bound, base + place), as codes8_propose gives them.
 * scanned  the probe adds the rows whose codes it read.
 * floor    of segments that are asked one after the other: the least score, as they reckon it, of the
 *          floor_keep best rows of those before; the probe leaves out what is below, and raises it.
 *          floor_keep 0: there is none yet.
 * memory   an arena that may be used until the probe ends. */
struct ann_probe {
	const float *query;
	uint32_t depth;
	float recall;
	double share;
	bool (*visible)(const void *context, uint32_t place);
	const void *context;
	struct window *window;
	uint64_t base;
	uint64_t scanned;
	float floor;
	uint32_t floor_keep;
	struct arena *memory;
	const struct deadline *deadline;
};

/* ann_covers - whether a probe of this kind does better than a scan: the calibration reaches the
 * recall at the depth, and reads less than a good part of all rows. If not: scan. */
bool ann_covers(const struct ann *ann, uint32_t depth, float recall, double share);

/* ann_find - Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status ann_find(const struct ann *ann, struct ann_probe *probe);

/* ann_name - "ivf1024" or the factory string, for people. */
const char *ann_name(const struct ann *ann);
/* ann_calibration - what was measured when it was built. */
void ann_calibration(const struct ann *ann, struct calibration *ret);
uint64_t ann_memory_bytes(const struct ann *ann); /* besides what is mapped */
uint64_t ann_disk_bytes(const struct ann *ann);

SCOPE_DEFINE(ann, ann_close)

#endif
