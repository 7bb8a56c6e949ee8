/* record - one stored chunk on its way to a page. */
#ifndef SLUICE_SERVICE_RETRIEVAL_RECORD_H
#define SLUICE_SERVICE_RETRIEVAL_RECORD_H

#include "index/collection.h"
#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"

/* An arena for one record, unpacked: its 96 KiB may hold thousands of labels. */
#define RECORD_ARENA_BYTES ((size_t)8 << 20)

/* record_fetch - the chunk of a row that the caller's snapshot sees.
 * reader  the page's: it rests when the page is made.
 * fields  READ_ bits: what is not needed is not read.
 * record  emptied first; owns what ret points to. */
status record_fetch(struct collection_reader *reader, uint64_t row, unsigned fields,
		    struct arena *record, struct chunk *ret);

/* record_append - fetches the chunk of a row and appends it to a page as that field. */
status record_append(struct collection_reader *reader, uint64_t row, unsigned fields,
		     struct arena *record, struct buffer *page, uint32_t field);

#endif
