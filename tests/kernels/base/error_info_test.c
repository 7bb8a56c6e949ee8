#include "kernels/base/error_info.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena memory;

static void init(void)
{
	arena_init(&memory, 1 << 20);
}

static void finish(void)
{
	arena_finish(&memory);
}

TestSuite(error_info, .init = init, .fini = finish);

Test(error_info, names_every_reason_and_survives_others)
{
	cr_assert_str_eq(error_reason_name(REASON_DIMENSION_MISMATCH), "DIMENSION_MISMATCH");
	for (int reason = 0; reason < REASON_N; reason++) {
		cr_assert_not_null(error_reason_name((enum error_reason)reason), "%d", reason);
		cr_assert_eq((int)error_info_of((enum error_reason)reason)->reason, reason);
	}
	cr_assert_str_eq(error_reason_name(REASON_N), "UNSPECIFIED");
	cr_assert_str_eq(error_reason_name((enum error_reason) - 1), "UNSPECIFIED");
	cr_assert_eq(error_info_of(REASON_N)->reason, REASON_UNSPECIFIED);
}

Test(error_info, gathers_a_reason_pairs_a_resource_a_field_and_a_retry)
{
	status s = status_make(STATUS_INVALID_ARGUMENT, "too long");

	s = status_reason(s, &memory, REASON_DIMENSION_MISMATCH, "expected", ERROR_NUMBER(3),
			  "nothing", NULL, "found", ERROR_NUMBER(UINT64_MAX), NULL);
	s = status_about(s, &memory, RESOURCE_COLLECTION, "docs");
	s = status_field(s, &memory, "vector");
	s = status_retry(s, &memory, 1500);
	s = status_reason(s, &memory, REASON_ZERO_VECTOR, "sequence", "7", NULL);

	cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_assert_str_eq(s.detail, "too long");
	cr_assert_eq(s.info->reason, REASON_ZERO_VECTOR);
	cr_assert_str_eq(s.info->metadata[0].key, "expected");
	cr_assert_str_eq(s.info->metadata[0].value, "3");
	cr_assert_str_eq(s.info->metadata[1].key, "found");
	cr_assert_str_eq(s.info->metadata[1].value, "18446744073709551615");
	cr_assert_str_eq(s.info->metadata[2].key, "sequence");
	cr_assert_null(s.info->metadata[3].key);
	cr_assert_str_eq(s.info->resource_type, "sluice.v1.Collection");
	cr_assert_str_eq(s.info->resource_name, "docs");
	cr_assert_eq(s.info->n_violations, 1);
	cr_assert_str_eq(s.info->violations[0].field, "vector");
	cr_assert_str_eq(s.info->violations[0].rule_id, "DIMENSION_MISMATCH");
	cr_assert_str_eq(s.info->violations[0].description, "too long");
	cr_assert_eq(s.info->retry_ms, 1500);
}

Test(error_info, cuts_a_value_between_characters_and_mends_what_is_no_text)
{
	char text[1000];
	status s;

	memset(text, 'a', sizeof text);
	memcpy(text + 511, "\xC3\xBC", 2);
	text[999] = 0;
	s = status_reason(status_make(STATUS_NOT_FOUND, ""), &memory, REASON_CHUNK_NOT_FOUND,
			  "chunk_id", text, "other", "b\xFF\xC3z", "bytes",
			  ERROR_BYTES(bytes_of(text, 600)), NULL);

	cr_assert_eq(strlen(s.info->metadata[0].value), 511);
	cr_assert_str_eq(s.info->metadata[1].value, "b??z");
	cr_assert_eq(strlen(s.info->metadata[2].value), 511);
}

Test(error_info, takes_no_more_pairs_than_there_is_room_for)
{
	status s = status_make(STATUS_INTERNAL, "");

	for (int i = 0; i < ERROR_PAIRS_MAX + 3; i++)
		s = status_reason(s, &memory, REASON_INTERNAL_ERROR, "i", ERROR_NUMBER(i), NULL);

	cr_assert_str_eq(s.info->metadata[0].value, "0");
	cr_assert_str_eq(s.info->metadata[ERROR_PAIRS_MAX - 1].value, "7");
}

Test(error_info, has_its_pairs_where_the_arena_is_full_and_its_reason_without_one)
{
	status s = status_make(STATUS_RESOURCE_EXHAUSTED, "full");

	arena_finish(&memory);
	arena_init(&memory, 16);
	cr_assert_null(arena_alloc(&memory, 17));
	s = status_reason(s, &memory, REASON_MEMORY_LIMIT, "limit_bytes", "16", NULL);
	s = status_about(s, &memory, RESOURCE_COLLECTION, "docs");

	cr_assert_str_eq(s.info->metadata[0].value, "16");
	cr_assert_str_eq(s.info->resource_name, "docs");
	cr_assert(memory.exhausted);
	cr_assert_null(arena_alloc(&memory, 17));
	s = status_reason(s, NULL, REASON_DISK_FULL, "a", "b", NULL);
	cr_assert_eq(s.info->reason, REASON_DISK_FULL);
}

Test(error_info, is_copied_in_full)
{
	struct arena short_lived;
	status s = status_make(STATUS_NOT_FOUND, "gone");
	const struct error_info *copy;

	arena_init(&short_lived, 1 << 20);
	s = status_reason(s, &short_lived, REASON_CHUNK_NOT_FOUND, "chunk_id", "c1", NULL);
	s = status_about(s, &short_lived, RESOURCE_CHUNK, "c1");
	s = status_field(s, &short_lived, "chunk_id");
	copy = error_info_copy(&memory, s.info);
	arena_finish(&short_lived);

	cr_assert_eq(copy->reason, REASON_CHUNK_NOT_FOUND);
	cr_assert_str_eq(copy->metadata[0].value, "c1");
	cr_assert_null(copy->metadata[1].key);
	cr_assert_str_eq(copy->resource_name, "c1");
	cr_assert_str_eq(copy->violations[0].field, "chunk_id");
	cr_assert_str_eq(copy->violations[0].description, "gone");
}

Test(error_info, copies_what_is_static_as_it_is)
{
	const struct error_info *info = error_info_of(REASON_DISK_FULL);
	const struct error_info about = {.reason = REASON_DISK_FULL, .metadata = {{"a", "b"}}};

	cr_assert_null(error_info_copy(&memory, NULL));
	cr_assert_eq(error_info_copy(NULL, info), info);
	cr_assert_eq(error_info_copy(NULL, &about), info);
}

Test(error_info, a_code_alone_has_the_reason_that_it_stands_for)
{
	cr_assert_eq(error_reason_of_code(STATUS_DATA_LOSS), REASON_DATA_CORRUPT);
	cr_assert_eq(error_reason_of_code(STATUS_INVALID_ARGUMENT), REASON_SCHEMA_VIOLATION);
	cr_assert_eq(error_reason_of_code(STATUS_OK), REASON_UNSPECIFIED);
	cr_assert_eq(error_reason_of_code(STATUS_NOT_FOUND), REASON_UNSPECIFIED);
}
