/* factory_file - the file of a factory index: parts of block_file.h. Internal to this kind.
 *
 *	calibration  struct factory_calibration
 *	index        what FAISS's write_index gives
 */
#ifndef SLUICE_INDEX_ANN_FACTORY_FILE_H
#define SLUICE_INDEX_ANN_FACTORY_FILE_H

#include "index/ann/factory_calibrate.h"
#include "index/segment/block_file.h"
#include "index/segment/sealed.h"

#define FACTORY_FORMAT 1

enum factory_part { FACTORY_CALIBRATION, FACTORY_INDEX, FACTORY_PARTS };

/* What the header's numbers are. Its n are the rows, its real is what they are multiplied by. */
enum factory_number { FACTORY_DIM, FACTORY_METRIC };

/* factory_block_file - of the segment. */
struct block_file factory_block_file(const struct sealed_file *file);

/* factory_write - Fails: RESOURCE_EXHAUSTED INTERNAL DEADLINE_EXCEEDED CANCELLED */
status factory_write(const struct sealed_file *file, const struct factory_made *made,
		     const struct factory_calibration *calibration, const struct deadline *deadline,
		     struct arena *arena);

#endif
