/* Bytes as an index of FAISS: it is refused, or every row can be read. */
#include "service/cli/faiss_layout.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of rows of an IDMap the id is looked up, as faiss_file does it. */
static void check_row(const struct faiss_source *source, const struct faiss_layout *layout,
		      uint64_t row)
{
	uint64_t id = layout->entries ? (uint64_t)layout->entries[row].id : row;
	uint64_t at = layout->entries ? layout->entries[row].at
				      : layout->codes_at + row * layout->code_bytes;

	if (at > source->size || layout->code_bytes > source->size - at)
		abort();
	if (layout->ids_at &&
	    (id >= layout->shape.rows || layout->ids_at + 8 * id + 8 > source->size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct faiss_source source = {.arena = arena, .path = "x", .size = size};
	struct faiss_layout layout;

	arena_init(arena, 65536);
	source.fd = memfd_create("index", MFD_CLOEXEC);
	if (source.fd < 0 || write(source.fd, data, size) != (ssize_t)size)
		abort();
	if (!status_failed(faiss_layout_read(&source, &layout)))
		for (uint64_t row = 0; row < layout.shape.rows; row++)
			check_row(&source, &layout, row);
	faiss_layout_finish(&layout);
	close(source.fd);
	return 0;
}
