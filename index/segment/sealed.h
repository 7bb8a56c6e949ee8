/* sealed - a segment that does not change: rows in a file that is mapped.
 *
 * A file holds row numbers, exact vectors, int8 codes (kernels/codes8.h) and the rotation that they
 * were made with; sealed_layout.h draws it. It is written under another name, synced and renamed,
 * so that one of the right name is whole; which names count is the manifest's to say. Every byte is
 * under a checksum and looked at when the file is opened, through a small buffer; from then on the
 * kernel pages it in and out as it likes, and memory is needed only for the deaths of rows.
 * Places count the rows of a file from 0; row numbers ascend with them.
 * A segment is read from any thread; sealed_kill is for one writer, as head_kill is.
 */
#ifndef SLUICE_INDEX_SEGMENT_SEALED_H
#define SLUICE_INDEX_SEGMENT_SEALED_H

#include "index/collection_config.h"
#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"
#include "kernels/codes8.h"
#include "kernels/cpu/codes8_scanner.h"

#define SEALED_ROWS_MAX (UINT32_C(1) << 31)

struct sealed;

/* sealed_file - which file. All is borrowed. */
struct sealed_file {
	const char *directory;                  /* the collection's */
	const struct collection_config *config; /* name, dim, metric and encoding */
	const uint8_t *incarnation; /* [16] the collection's: a file of another one is refused */
	uint64_t id;                /* never used twice; the file's name is made of it */
};

/* sealed_path - where it is; NULL without memory. */
const char *sealed_path(const struct sealed_file *file, struct arena *arena);

/* --- writing --- */

/* sealed_source - the rows of a new file, asked for in any order and more than once.
 * row     its number; numbers ascend with places.
 * vector  [dim] finite, borrowed until it is asked for again with the same scratch; may be put
 *         into scratch [dim]. With ENCODING_FLOAT16 the values are halves. */
struct sealed_source {
	uint32_t n; /* 1 .. SEALED_ROWS_MAX */
	uint64_t (*row)(const void *context, uint32_t place);
	const float *(*vector)(const void *context, uint32_t place, float *scratch);
	const void *context; /* borrowed */
};

/* sealed_coding - how rows become codes: what rotation_train gives. All zero: as they are. */
struct sealed_coding {
	const struct codes8_rotation *rotation; /* NULL: none */
	uint32_t head;                          /* as for codes8_shape_init */
};

/* sealed_file_bytes - of a file of n rows: what writing it takes of the disk. */
uint64_t sealed_file_bytes(const struct collection_config *config, uint64_t n,
			   const struct sealed_coding *coding);

/* sealed_write - makes the file, whole or not at all; it is there for good when this returns. What
 * has the name is replaced. The whole of its room is taken first. Heap: some 200 KiB, 16 vectors,
 * and 4 bytes for each 64 KiB. Looks at the deadline about once a MiB.
 * Fails: RESOURCE_EXHAUSTED (disk, memory) INTERNAL DEADLINE_EXCEEDED CANCELLED */
status sealed_write(const struct sealed_file *file, const struct sealed_source *source,
		    const struct sealed_coding *coding, const struct deadline *deadline,
		    struct arena *arena);

/* sealed_remove - the file, what lies beside it (index/ann), and what is left of attempts to write
 * them. They may still be open: the disk has its room back when they are closed. OK where there is
 * none. */
status sealed_remove(const struct sealed_file *file, struct arena *arena);

/* sealed_sweep - removes the files of segments that are not among ids, [n], with what lies beside
 * them, and all that are not finished.
 * Fails: INTERNAL RESOURCE_EXHAUSTED */
status sealed_sweep(const char *directory, const uint64_t *ids, size_t n, struct arena *arena);

/* --- reading --- */

/* sealed_open - reads the file once, for its checksums: about a second for 2 GiB that are in
 * memory.
 * Fails: DATA_LOSS (not there, cut, damaged, another's, of another format), naming collection, file
 * and block; RESOURCE_EXHAUSTED INTERNAL */
status sealed_open(const struct sealed_file *file, struct arena *arena, struct sealed **ret);
void sealed_close(struct sealed *sealed); /* NULL is fine */

uint64_t sealed_id(const struct sealed *sealed);
uint32_t sealed_length(const struct sealed *sealed);

uint64_t sealed_row(const struct sealed *sealed, uint32_t place);
uint64_t sealed_last_row(const struct sealed *sealed);

/* sealed_seek - the first place whose row is not below row; the length where there is none. */
uint32_t sealed_seek(const struct sealed *sealed, uint64_t row);

/* sealed_vector - [dim] exact: mapped, or where it is stored as float16 in scratch [dim]. */
const float *sealed_vector(const struct sealed *sealed, uint32_t place, float *scratch);

/* sealed_fetch - has the processor fetch the row's vector from memory ahead of its use. */
void sealed_fetch(const struct sealed *sealed, uint32_t place);

/* sealed_release - vectors first .. first + n have been read and are not needed for now: a reader of all of
 * them does not keep them in this process's memory, where they are of use to nobody. Who asks for one all
 * the same waits some microseconds for it. */
void sealed_release(const struct sealed *sealed, uint32_t first, uint32_t n);

/* sealed_kill - the row at a place died at a generation, which is not published yet. */
void sealed_kill(struct sealed *sealed, uint32_t place, uint64_t generation);
bool sealed_alive(const struct sealed *sealed, uint32_t place, uint64_t generation);

/* sealed_death - the generation at which the row died; UINT64_MAX: it lives. */
uint64_t sealed_death(const struct sealed *sealed, uint32_t place);

/* sealed_count - how many of the first length are alive at a generation. O(1) where all are. */
uint32_t sealed_count(const struct sealed *sealed, uint32_t length, uint64_t generation);

/* sealed_coding_of - how its codes were made, for a segment that is to be like it; borrowed. */
struct sealed_coding sealed_coding_of(const struct sealed *sealed);

/* sealed_codes - what the scanners read. */
const struct codes8 *sealed_codes(const struct sealed *sealed);

/* sealed_query_init - a query coded for this segment, and for those that are sealed_codes_alike.
 * query  [dim]. Costs dim^2 with a rotation. What is kept is the arena's.
 * Fails: RESOURCE_EXHAUSTED */
status sealed_query_init(const struct sealed *sealed, struct arena *arena, const float *query,
			 struct codes8_query *ret);

/* sealed_codes_alike - whether one coded query does for both: the same shape and rotation. */
bool sealed_codes_alike(const struct sealed *a, const struct sealed *b);

/* sealed_range - places place .. place + n for the codes8 scanners, n at most max.
 * base    the place of the segment's first row in the snapshot: keys hold places.
 * bitmap  [(max + 63) / 64] for visibility; ret->visible points to it, or is NULL where all rows of
 *         the range are alive. */
void sealed_range(const struct sealed *sealed, uint64_t generation, uint64_t base, uint32_t place,
		  uint32_t max, uint64_t *bitmap, struct codes8_range *ret);

/* sealed_memory_bytes - what it holds besides the mapped file, which is not counted. */
uint64_t sealed_memory_bytes(const struct sealed *sealed);
uint64_t sealed_disk_bytes(const struct sealed *sealed);

SCOPE_DEFINE(sealed, sealed_close)

#endif
