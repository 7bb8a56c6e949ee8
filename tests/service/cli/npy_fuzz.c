/* Bytes as the start of a .npy file: the header's numbers must fit the file. */
#include "service/cli/npy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct npy_header header;

	arena_init(arena, 65536);
	if (status_failed(
		    npy_header_parse(arena, bytes_of(data, size), size, NPY_ANYTHING, &header)))
		return 0;
	if (header.columns == 0 || header.data_at > size || header.rows > size)
		abort();
	return 0;
}
