/* error_info - what a program is told beside a status's sentence.
 *
 * A status points to one (status.h). It is static, or lives in the arena that the detail lives in;
 * whoever keeps a status longer than that copies both. service/rpc turns it into the details of
 * google.rpc.Status: BadRequest, ErrorInfo, ResourceInfo, RetryInfo.
 */
#ifndef SLUICE_KERNELS_BASE_ERROR_INFO_H
#define SLUICE_KERNELS_BASE_ERROR_INFO_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/error_reason.h"
#include "kernels/base/status.h"

#include <stdint.h>

#define ERROR_PAIRS_MAX 8
/* A value is cut there, between two characters: an id of the longest is told in full. */
#define ERROR_VALUE_MAX ((size_t)512)

struct error_pair {
	const char *key;   /* "expected": letters, digits, _ and -; at most 64 */
	const char *value; /* numbers in decimal */
};

struct error_violation {
	const char *field;       /* "chunks[3].vector.values"; "": the message as a whole */
	const char *rule_id;     /* "repeated.max_items" */
	const char *description; /* a sentence: what is allowed, what was found */
};

struct error_info {
	enum error_reason reason;
	/* The first n, up to a key that is NULL. */
	struct error_pair metadata[ERROR_PAIRS_MAX];
	const struct error_violation *violations; /* [n_violations] */
	size_t n_violations;
	size_t n_more; /* violations that are not listed */
	/* "sluice.v1.Collection" and its name; NULL: the failure is about no one thing. */
	const char *resource_type, *resource_name;
	uint32_t retry_ms; /* trying again after it may help; 0: nothing is said */
};

/* error_info_of - a static info with nothing but its reason. */
const struct error_info *error_info_of(enum error_reason reason);

/* error_reason_of_code - what a failure is that gives no reason of its own; UNSPECIFIED where the
 * code does not say. */
enum error_reason error_reason_of_code(enum status_code code);

/* error_info_copy - all of it into the arena, which may pass its cap by as much as is copied. NULL
 * for NULL; without arena or memory the reason alone. */
const struct error_info *error_info_copy(struct arena *arena, const struct error_info *info);

/* status_with - the status with an info that lives as long as its detail. */
static inline status status_with(status s, const struct error_info *info)
{
	s.info = info;
	return s;
}

/* status_as - the status with a reason and nothing else; needs no arena. */
static inline status status_as(status s, enum error_reason reason)
{
	return status_with(s, error_info_of(reason));
}

/* status_reason - the status with a reason and its metadata.
 * arena  takes copies of the values, past its cap if need be; NULL, or no memory: the reason alone.
 * ...    key, value, key, value, NULL. Keys are literals, values any strings; a pair whose value is
 *        NULL is left out, as are those after the ERROR_PAIRS_MAX-th.
 * An info that the status has already keeps all else: its violations, its resource, its pairs. */
status status_reason(status s, struct arena *arena, enum error_reason reason, ...)
	__attribute__((sentinel));

/* status_about - the status, whose reason is set, with the one thing that it is about.
 * name is copied. */
status status_about(status s, struct arena *arena, const char *type, const char *name);

/* status_field - the status, whose reason is set, with one violation of it: the field's path, which
 * is copied, and the detail as the description. */
status status_field(status s, struct arena *arena, const char *field);

/* status_retry - the status, whose reason is set, with when to try again. */
status status_retry(status s, struct arena *arena, uint32_t retry_ms);

#define RESOURCE_COLLECTION "sluice.v1.Collection"
#define RESOURCE_CHUNK "sluice.v1.Chunk"
#define RESOURCE_CURSOR "sluice.v1.Cursor"
#define RESOURCE_SNAPSHOT "sluice.v1.Snapshot"

/* Integers and byte strings as values: the text lives in the caller's block. */
#define ERROR_TEXT_BYTES 24
const char *error_number_text(char text[ERROR_TEXT_BYTES], uint64_t number);
#define ERROR_NUMBER(number) error_number_text((char[ERROR_TEXT_BYTES]){0}, (uint64_t)(number))

const char *error_bytes_text(char text[ERROR_VALUE_MAX + 2], struct bytes bytes);
#define ERROR_BYTES(bytes) error_bytes_text((char[ERROR_VALUE_MAX + 2]){0}, (bytes))

#endif
