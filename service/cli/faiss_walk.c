#include "service/cli/faiss_walk.h"

status walk_damaged(const struct faiss_walk *walk, const char *what)
{
	return status_format(walk->source->arena, STATUS_INVALID_ARGUMENT,
			     "%s is damaged, or of a later FAISS: %s (at byte %llu)",
			     walk->source->path, what, (unsigned long long)walk->at);
}

status walk_skip(struct faiss_walk *walk, uint64_t n, uint64_t item_bytes)
{
	const struct faiss_source *source = walk->source;

	if (n > (source->size - walk->at) / item_bytes)
		return status_format(
			source->arena, STATUS_INVALID_ARGUMENT,
			"%s is no index of FAISS, or broken off: it ends at byte %llu, "
			"but more has to follow byte %llu",
			source->path, (unsigned long long)source->size,
			(unsigned long long)walk->at);
	walk->at += n * item_bytes;
	return status_ok();
}

status walk_bytes(struct faiss_walk *walk, void *ret, size_t size)
{
	uint64_t at = walk->at;

	TRY(walk_skip(walk, size, 1));
	return faiss_source_read(walk->source, at, ret, size);
}

status walk_vector(struct faiss_walk *walk, uint64_t item_bytes, uint64_t *ret_n, uint64_t *ret_at)
{
	uint64_t n, at;

	TRY(walk_bytes(walk, &n, sizeof n));
	at = walk->at;
	TRY(walk_skip(walk, n, item_bytes));
	*ret_n = n;
	*ret_at = at;
	return status_ok();
}
