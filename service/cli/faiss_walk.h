/* faiss_walk - steps over the bytes of a FAISS file, none of them past its end. */
#ifndef SLUICE_SERVICE_CLI_FAISS_WALK_H
#define SLUICE_SERVICE_CLI_FAISS_WALK_H

#include "service/cli/faiss_layout.h"

struct faiss_walk {
	const struct faiss_source *source;
	uint64_t at;
};

/* walk_damaged - INVALID_ARGUMENT with the path, the place and what is wrong there. */
status walk_damaged(const struct faiss_walk *walk, const char *what);

/* walk_bytes - the next bytes. walk_skip - n items of so many bytes each are there, and passed.
 * Fail: INVALID_ARGUMENT where the file ends before them, UNAVAILABLE */
status walk_bytes(struct faiss_walk *walk, void *ret, size_t size);
status walk_skip(struct faiss_walk *walk, uint64_t n, uint64_t item_bytes);

/* walk_vector - a count and so many items, passed. ret_at  of the first. Fails: as they do */
status walk_vector(struct faiss_walk *walk, uint64_t item_bytes, uint64_t *ret_n, uint64_t *ret_at);

/* walk_lists - inverted lists; layout->entries becomes what is in them, by id.
 * n_lists  as the index has it. Fails: as they do; RESOURCE_EXHAUSTED */
status walk_lists(struct faiss_walk *walk, uint64_t n_lists, struct faiss_layout *layout);

#endif
