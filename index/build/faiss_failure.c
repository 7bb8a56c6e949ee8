/* faiss_failure - FAISS turns exceptions into text, a bad_alloc too. */
#include "index/build/faiss_failure.h"

#include "kernels/base/error_info.h"

#include <c_api/error_c.h>

#include <string.h>

status faiss_failure(struct arena *arena, enum status_code code, const char *doing)
{
	const char *why = faiss_get_last_error();

	if (why && strstr(why, "bad_alloc"))
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for FAISS"),
				 REASON_MEMORY_LIMIT);
	return status_format(arena, code, "FAISS, %s: %s", doing, why ? why : "failed");
}
