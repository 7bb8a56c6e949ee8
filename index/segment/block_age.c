/* block_age - whether a file is of a format that its kind had before. */
#include "index/segment/block_header.h"

#include "index/file/file_io.h"
#include "index/segment/block_name.h"

#include <fcntl.h>

status block_is_older(const struct block_file *file, struct arena *arena, bool *ret)
{
	const char *path = block_path(file, arena);
	struct block_header header;
	int descriptor;
	ssize_t n;

	if (!path)
		return block_no_memory("memory for a path");
	descriptor = file_open(path, O_RDONLY);
	if (descriptor < 0)
		return block_unreadable(file, arena, "opening");
	n = file_read(descriptor, &header, sizeof header, 0);
	(void)file_close(descriptor);
	if (n < 0)
		return block_unreadable(file, arena, "reading");
	*ret = n == (ssize_t)sizeof header && block_header_is_older(&header, file->kind);
	return status_ok();
}
