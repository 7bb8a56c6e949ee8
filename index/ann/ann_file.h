/* ann_file - the file of an index of whatever kind: beside the segment's, with its name. Internal to
 * approximate indexes.
 */
#ifndef SLUICE_INDEX_ANN_ANN_FILE_H
#define SLUICE_INDEX_ANN_ANN_FILE_H

#include "index/segment/block_file.h"
#include "index/segment/sealed.h"

/* ann_file - kind  of suffix BLOCK_SUFFIX_ANN. */
static inline struct block_file ann_file(const struct sealed_file *file,
					 const struct block_kind *kind)
{
	return (struct block_file){
		.kind = kind,
		.directory = file->directory,
		.collection = file->config->name,
		.incarnation = file->incarnation,
		.id = file->id,
	};
}

#endif
