/* error_info - reasons by name, and infos that are put together in an arena. */
#include "kernels/base/error_info.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What used the arena up should still be told in full: over the cap, as for a detail, and bounded
 * by ERROR_PAIRS_MAX values and the resource's name. */
#define INFO_RESERVE_BYTES ((size_t)8192)

/* Both tables, so that a reason cannot have a name and no info. */
#define REASONS(X)                                                                                 \
	X(UNSPECIFIED)                                                                             \
	X(SCHEMA_VIOLATION)                                                                        \
	X(MALFORMED_MESSAGE)                                                                       \
	X(DIMENSION_MISMATCH)                                                                      \
	X(ZERO_VECTOR)                                                                             \
	X(VECTOR_OUT_OF_RANGE)                                                                     \
	X(DUPLICATE_ID)                                                                            \
	X(COLLECTION_NOT_FOUND)                                                                    \
	X(COLLECTION_EXISTS)                                                                       \
	X(CHUNK_NOT_FOUND)                                                                         \
	X(CHUNK_TOO_LARGE)                                                                         \
	X(FIELD_NOT_DECLARED)                                                                      \
	X(FIELD_TYPE_MISMATCH)                                                                     \
	X(FIELD_REQUIRED)                                                                          \
	X(EMPTY_FILTER)                                                                            \
	X(NOT_SERVED)                                                                              \
	X(MESSAGE_TOO_LARGE)                                                                       \
	X(MEMORY_LIMIT)                                                                            \
	X(LIMIT_REACHED)                                                                           \
	X(DISK_FULL)                                                                               \
	X(DATA_CORRUPT)                                                                            \
	X(RESUME_TOKEN_INVALID)                                                                    \
	X(RESUME_TOKEN_MISMATCH)                                                                   \
	X(SNAPSHOT_GONE)                                                                           \
	X(CURSOR_IDLE)                                                                             \
	X(CURSOR_CANCELLED)                                                                        \
	X(WRITE_STALLED)                                                                           \
	X(PIN_RELEASED)                                                                            \
	X(DRAINING)                                                                                \
	X(COLLECTION_DELETED)                                                                      \
	X(GPU_LOST)                                                                                \
	X(PAGE_TOKEN_INVALID)                                                                      \
	X(REQUEST_MISSING)                                                                         \
	X(METHOD_UNKNOWN)                                                                          \
	X(SERVICE_UNKNOWN)                                                                         \
	X(STORAGE_FAILED)                                                                          \
	X(DEADLINE_PASSED)                                                                         \
	X(INTERNAL_ERROR)                                                                          \
	X(CURSOR_NOT_FOUND)                                                                        \
	X(CREDENTIAL_MISSING)                                                                      \
	X(CREDENTIAL_UNKNOWN)                                                                      \
	X(SCOPE_MISSING)                                                                           \
	X(COLLECTION_NOT_ALLOWED)                                                                  \
	X(SNAPSHOT_NOT_FOUND)

#define NAME(name) [REASON_##name] = #name,
static const char *const names[REASON_N] = {REASONS(NAME)};

#define INFO(name) [REASON_##name] = {.reason = REASON_##name},
static const struct error_info infos[REASON_N] = {REASONS(INFO)};

const char *error_reason_name(enum error_reason reason)
{
	return names[(unsigned)reason < REASON_N ? reason : REASON_UNSPECIFIED];
}

const struct error_info *error_info_of(enum error_reason reason)
{
	return &infos[(unsigned)reason < REASON_N ? reason : REASON_UNSPECIFIED];
}

enum error_reason error_reason_of_code(enum status_code code)
{
	switch (code) {
	case STATUS_INVALID_ARGUMENT:
		return REASON_SCHEMA_VIOLATION;
	case STATUS_DEADLINE_EXCEEDED:
		return REASON_DEADLINE_PASSED;
	case STATUS_RESOURCE_EXHAUSTED:
		return REASON_MEMORY_LIMIT;
	case STATUS_UNIMPLEMENTED:
		return REASON_NOT_SERVED;
	case STATUS_DATA_LOSS:
		return REASON_DATA_CORRUPT;
	case STATUS_INTERNAL:
	case STATUS_UNKNOWN:
		return REASON_INTERNAL_ERROR;
	default:
		return REASON_UNSPECIFIED;
	}
}

const char *error_number_text(char text[ERROR_TEXT_BYTES], uint64_t number)
{
	snprintf(text, ERROR_TEXT_BYTES, "%llu", (unsigned long long)number);
	return text;
}

const char *error_bytes_text(char text[ERROR_VALUE_MAX + 2], struct bytes bytes)
{
	/* One more than is told: status_reason then sees that it has to cut. */
	size_t size = bytes.size < ERROR_VALUE_MAX + 1 ? bytes.size : ERROR_VALUE_MAX + 1;

	if (size)
		memcpy(text, bytes.data, size);
	text[size] = 0;
	return text;
}

/* --- in an arena --- */

struct reserve {
	size_t cap_bytes;
	bool exhausted;
};

static struct reserve reserve_open(struct arena *arena, size_t size)
{
	struct reserve before = {arena->cap_bytes, arena->exhausted};

	arena->cap_bytes =
		arena->used_bytes > arena->cap_bytes ? arena->used_bytes : arena->cap_bytes;
	arena->cap_bytes += size;
	return before;
}

static void reserve_close(struct arena *arena, struct reserve before)
{
	arena->cap_bytes = before.cap_bytes;
	arena->exhausted = before.exhausted;
}

/* UTF-8, and cut between two characters: 10xxxxxx goes on with one. */
static const char *copy_value(struct arena *arena, const char *value)
{
	size_t size = strnlen(value, ERROR_VALUE_MAX + 1);
	char *copy;

	if (size > ERROR_VALUE_MAX) {
		size = ERROR_VALUE_MAX;
		while (size > 0 && ((unsigned char)value[size] & 0xC0) == 0x80)
			size--;
	}
	copy = arena_copy(arena, value, size);
	if (copy)
		text_mend(copy);
	return copy;
}

/* What the status has, to be added to, with room to do so; NULL without memory. */
static struct error_info *change_begin(status s, struct arena *arena, struct reserve *before)
{
	struct error_info *info;

	if (!arena)
		return NULL;
	*before = reserve_open(arena, INFO_RESERVE_BYTES);
	info = arena_alloc(arena, sizeof *info);
	if (info)
		*info = s.info ? *s.info : (struct error_info){.reason = REASON_UNSPECIFIED};
	else
		reserve_close(arena, *before);
	return info;
}

static status change_end(status s, struct arena *arena, struct error_info *info,
			 struct reserve before)
{
	reserve_close(arena, before);
	return status_with(s, info);
}

static void add_pairs(struct error_info *info, struct arena *arena, va_list pairs)
{
	size_t n = 0;
	const char *key;

	while (n < ERROR_PAIRS_MAX && info->metadata[n].key)
		n++;
	while (n < ERROR_PAIRS_MAX && (key = va_arg(pairs, const char *))) {
		const char *value = va_arg(pairs, const char *);
		const char *copy = value ? copy_value(arena, value) : NULL;

		if (copy)
			info->metadata[n++] = (struct error_pair){key, copy};
	}
}

status status_reason(status s, struct arena *arena, enum error_reason reason, ...)
{
	struct reserve before;
	struct error_info *info = change_begin(s, arena, &before);
	va_list pairs;

	if (!info)
		return status_as(s, reason);
	info->reason = reason;
	va_start(pairs, reason);
	add_pairs(info, arena, pairs);
	va_end(pairs);
	return change_end(s, arena, info, before);
}

status status_about(status s, struct arena *arena, const char *type, const char *name)
{
	struct reserve before;
	struct error_info *info = change_begin(s, arena, &before);

	if (!info)
		return s;
	info->resource_type = type;
	info->resource_name = copy_value(arena, name);
	return change_end(s, arena, info, before);
}

status status_field(status s, struct arena *arena, const char *field)
{
	struct reserve before;
	struct error_info *info = change_begin(s, arena, &before);
	struct error_violation *violation = NULL;

	if (!info)
		return s;
	violation = ARENA_NEW(arena, struct error_violation);
	if (violation) {
		violation->field = copy_value(arena, field);
		violation->rule_id = error_reason_name(info->reason);
		violation->description = s.detail;
		info->violations = violation;
		info->n_violations = violation->field != NULL;
	}
	return change_end(s, arena, info, before);
}

status status_retry(status s, struct arena *arena, uint32_t retry_ms)
{
	struct reserve before;
	struct error_info *info = change_begin(s, arena, &before);

	if (!info)
		return s;
	info->retry_ms = retry_ms;
	return change_end(s, arena, info, before);
}

/* --- the copy --- */

/* False without memory. NULL stays NULL. */
static bool copy_text(struct arena *arena, const char **text)
{
	if (*text)
		*text = arena_copy(arena, *text, strlen(*text));
	return *text;
}

static bool copy_violations(struct arena *arena, struct error_info *info)
{
	struct error_violation *copies =
		ARENA_ARRAY(arena, struct error_violation, info->n_violations);

	if (!copies)
		return false;
	for (size_t i = 0; i < info->n_violations; i++) {
		copies[i] = info->violations[i];
		if (!copy_text(arena, &copies[i].field) || !copy_text(arena, &copies[i].rule_id) ||
		    !copy_text(arena, &copies[i].description))
			return false;
	}
	info->violations = copies;
	return true;
}

static struct error_info *copy_all(struct arena *arena, const struct error_info *info)
{
	struct error_info *copy = arena_alloc(arena, sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *info;
	/* Keys are literals. */
	for (size_t i = 0; i < ERROR_PAIRS_MAX && copy->metadata[i].key; i++)
		if (!copy_text(arena, &copy->metadata[i].value))
			return NULL;
	if (copy->resource_name && !copy_text(arena, &copy->resource_name))
		return NULL;
	return copy_violations(arena, copy) ? copy : NULL;
}

const struct error_info *error_info_copy(struct arena *arena, const struct error_info *info)
{
	struct reserve before;
	const struct error_info *copy;

	if (!info || info == error_info_of(info->reason))
		return info;
	if (!arena)
		return error_info_of(info->reason);
	/* Bounded by what was put together, which the cap of an arena bounds. */
	before = reserve_open(arena, SIZE_MAX / 2);
	copy = copy_all(arena, info);
	reserve_close(arena, before);
	return copy ? copy : error_info_of(info->reason);
}
