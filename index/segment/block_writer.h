/* block_writer - a block file that comes into being, part by part.
 *
 * Life cycle: all zero, block_writer_open, each part put to its end, block_writer_end; SCOPED, so that
 * without an end nothing is left behind. Parts may be filled in any order and several at once: each
 * that is begun and not full costs a block of heap. Besides, 4 bytes for each block. One thread at a
 * time.
 */
#ifndef SLUICE_INDEX_SEGMENT_BLOCK_WRITER_H
#define SLUICE_INDEX_SEGMENT_BLOCK_WRITER_H

#include "index/segment/block_file.h"
#include "kernels/base/deadline.h"

/* One part that is being filled. Internal to the writer. */
struct block_stream {
	uint64_t done;        /* bytes of the part that were put */
	unsigned char *block; /* owned; NULL before the first byte and after the last */
};

struct block_writer {
	const struct block_file *file; /* NULL: not open */
	const struct deadline *deadline;
	struct arena *arena;
	struct block_layout layout;
	const char *path, *path_new; /* path_new NULL: nothing is to be removed */
	int descriptor;
	uint32_t *table; /* owned; table_bytes, a checksum for each block */
	struct block_stream streams[BLOCK_PARTS_MAX];
	size_t bytes_unchecked; /* since the last look at the deadline */
};

/* block_writer_open - takes the whole room of the file.
 * file, deadline, arena  borrowed until the end.  sizes  [kind->n_parts]
 * Fails: RESOURCE_EXHAUSTED (disk, memory) INTERNAL */
status block_writer_open(struct block_writer *writer, const struct block_file *file,
			 const uint64_t *sizes, const struct deadline *deadline,
			 struct arena *arena);

/* block_writer_put - the next bytes of a part, never more than its size. Looks at the deadline
 * about once a MiB. Fails: RESOURCE_EXHAUSTED INTERNAL DEADLINE_EXCEEDED CANCELLED */
status block_writer_put(struct block_writer *writer, size_t part, const void *data, size_t size);

/* block_writer_end - all parts are full: the file is there for good when this returns. What has
 * the name is replaced. Fails: RESOURCE_EXHAUSTED INTERNAL */
status block_writer_end(struct block_writer *writer, const struct block_fields *fields);
void block_writer_finish(struct block_writer *writer); /* all zero is fine */

SCOPE_DEFINE(block_writer, block_writer_finish)

#endif
