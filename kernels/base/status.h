/* status - what a call says when it cannot do what it promised.
 *
 * A status is a value: no last-error global, nothing to free. OK is all zero.
 * Functions that can fail return one and leave their ret_ arguments untouched
 * when they do. The codes are gRPC's, number for number; service/rpc/status.c
 * is the only place that hands them to gRPC.
 */
#ifndef SLUICE_KERNELS_BASE_STATUS_H
#define SLUICE_KERNELS_BASE_STATUS_H

#include <stdbool.h>

struct arena;
struct error_info;

enum status_code {
	STATUS_OK = 0,
	STATUS_CANCELLED = 1,
	STATUS_UNKNOWN = 2,
	STATUS_INVALID_ARGUMENT = 3,
	STATUS_DEADLINE_EXCEEDED = 4,
	STATUS_NOT_FOUND = 5,
	STATUS_ALREADY_EXISTS = 6,
	STATUS_PERMISSION_DENIED = 7,
	STATUS_RESOURCE_EXHAUSTED = 8,
	STATUS_FAILED_PRECONDITION = 9,
	STATUS_ABORTED = 10,
	STATUS_OUT_OF_RANGE = 11,
	STATUS_UNIMPLEMENTED = 12,
	STATUS_INTERNAL = 13,
	STATUS_UNAVAILABLE = 14,
	STATUS_DATA_LOSS = 15,
	STATUS_UNAUTHENTICATED = 16,
};

typedef struct status {
	enum status_code code;
	const char *detail; /* static, or in the caller's arena; never freed here */
	/* For programs, as the detail is for people (error_info.h); NULL: nothing but the code.
	 * Static, or in the caller's arena. */
	const struct error_info *info;
} status;

static inline status status_ok(void)
{
	return (status){0};
}

static inline bool status_failed(status s)
{
	return s.code != STATUS_OK;
}

/* status_make - a status whose detail is a string that outlives it. */
static inline status status_make(enum status_code code, const char *detail)
{
	return (status){.code = code, .detail = detail};
}

/* status_format - a status whose detail is printed into the arena, and is one line of UTF-8.
 * arena  owns the detail, which may pass its cap by 1 KiB; NULL, or no memory at all: the detail
 *        says so. */
status status_format(struct arena *arena, enum status_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* status_code_name - "NOT_FOUND" and so on; "UNKNOWN" for what is no code. */
const char *status_code_name(enum status_code code);

/* Returns from the caller with the status of expr unless it is OK. */
#define TRY(expr)                                                                                  \
	do {                                                                                       \
		status try_status_ = (expr);                                                       \
		if (status_failed(try_status_))                                                    \
			return try_status_;                                                        \
	} while (0)

#endif
