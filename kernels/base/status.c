/* status - names of the codes, and details with values in them. */
#include "kernels/base/status.h"

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"

#include <stdarg.h>
#include <stddef.h>

/* Over the cap, for a detail: what used the arena up should still be told in full. */
#define DETAIL_RESERVE_BYTES ((size_t)1024)

/* A log and a terminal take it for one line, whatever id a client made up. */
static void make_one_line(char *detail)
{
	for (; *detail; detail++)
		if ((unsigned char)*detail < 0x20 || *detail == 0x7F)
			*detail = '?';
}

status status_format(struct arena *arena, enum status_code code, const char *format, ...)
{
	char *detail = NULL;
	va_list args;

	if (arena) {
		bool exhausted = arena->exhausted;
		size_t cap_bytes = arena->cap_bytes;

		arena->cap_bytes += DETAIL_RESERVE_BYTES;
		va_start(args, format);
		detail = arena_vprintf(arena, format, args);
		va_end(args);
		arena->cap_bytes = cap_bytes;
		arena->exhausted = exhausted;
	}
	/* A value may have been cut within a character, or be a client's bytes as they came. */
	if (detail) {
		text_mend(detail);
		make_one_line(detail);
	}
	return status_make(code, detail ? detail : "no memory is left to say more");
}

const char *status_code_name(enum status_code code)
{
	static const char *const names[] = {
		[STATUS_OK] = "OK",
		[STATUS_CANCELLED] = "CANCELLED",
		[STATUS_UNKNOWN] = "UNKNOWN",
		[STATUS_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
		[STATUS_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
		[STATUS_NOT_FOUND] = "NOT_FOUND",
		[STATUS_ALREADY_EXISTS] = "ALREADY_EXISTS",
		[STATUS_PERMISSION_DENIED] = "PERMISSION_DENIED",
		[STATUS_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
		[STATUS_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
		[STATUS_ABORTED] = "ABORTED",
		[STATUS_OUT_OF_RANGE] = "OUT_OF_RANGE",
		[STATUS_UNIMPLEMENTED] = "UNIMPLEMENTED",
		[STATUS_INTERNAL] = "INTERNAL",
		[STATUS_UNAVAILABLE] = "UNAVAILABLE",
		[STATUS_DATA_LOSS] = "DATA_LOSS",
		[STATUS_UNAUTHENTICATED] = "UNAUTHENTICATED",
	};

	if ((unsigned)code >= sizeof names / sizeof *names)
		return "UNKNOWN";
	return names[code];
}
