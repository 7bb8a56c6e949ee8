/* block_age - whether a file is of a format that its kind had before. */
#include "index/segment/block_header.h"

#include "index/file/file_io.h"
#include "kernels/base/bytes.h"
#include "kernels/base/checksum.h"

#include <fcntl.h>
#include <string.h>

static bool is_older(const struct block_header *header, const struct block_kind *kind)
{
	uint32_t checksum =
		checksum_crc32c(0, bytes_of(header, offsetof(struct block_header, checksum)));

	return memcmp(header->magic, kind->magic, sizeof header->magic) == 0 &&
	       checksum == header->checksum && header->format < kind->format;
}

status block_is_older(const struct block_file *file, struct arena *arena, bool *ret)
{
	const char *path = block_path(file, arena);
	struct block_header header;
	int descriptor;
	ssize_t n;

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	descriptor = file_open(path, O_RDONLY);
	if (descriptor < 0)
		return block_unreadable(file, arena, "opening");
	n = file_read(descriptor, &header, sizeof header, 0);
	(void)file_close(descriptor);
	if (n < 0)
		return block_unreadable(file, arena, "reading");
	*ret = n == (ssize_t)sizeof header && is_older(&header, file->kind);
	return status_ok();
}
