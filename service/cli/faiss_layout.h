/* faiss_layout - where the vectors and ids stand in a file of FAISS: what faiss_file reads by. */
#ifndef SLUICE_SERVICE_CLI_FAISS_LAYOUT_H
#define SLUICE_SERVICE_CLI_FAISS_LAYOUT_H

#include "service/cli/faiss_file.h"

#include <stddef.h>

/* An open file whose bytes are all within size, unless someone cuts it short meanwhile. */
struct faiss_source {
	struct arena *arena; /* for details */
	const char *path;
	int fd;
	uint64_t size;
};

/* faiss_source_read - exactly size bytes. Fails: UNAVAILABLE */
status faiss_source_read(const struct faiss_source *source, uint64_t at, void *ret, size_t size);

/* How a vector is stored; the numbers are those of faiss::ScalarQuantizer. */
enum faiss_code {
	FAISS_FLOAT = -1,
	FAISS_8BIT = 0,         /* a range for each dimension */
	FAISS_8BIT_UNIFORM = 2, /* one range */
	FAISS_FP16 = 4,
	FAISS_8BIT_DIRECT = 5, /* the number itself */
	FAISS_BF16 = 7,
};

/* A vector of an IVF. */
struct faiss_entry {
	int64_t id;
	uint64_t at; /* of its code in the file */
};

struct faiss_layout {
	struct faiss_shape shape;
	enum faiss_code code;
	size_t code_bytes;     /* of a vector */
	float *lowest, *range; /* [dimension] of FAISS_8BIT and _UNIFORM: one allocation, owned */
	uint64_t codes_at;     /* of the first vector, the others behind it */
	struct faiss_entry *entries; /* [rows] owned, by id; NULL: codes_at holds */
	uint64_t ids_at; /* of the map from rows (of an IVF: ids) to ids; 0: there is none */
};

/* faiss_layout_read - Fails: as faiss_file_open. ret is all zero then. */
status faiss_layout_read(const struct faiss_source *source, struct faiss_layout *ret);
void faiss_layout_finish(struct faiss_layout *layout);

SCOPE_DEFINE(faiss_layout, faiss_layout_finish)

#endif
