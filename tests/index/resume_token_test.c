#include "index/resume_token.h"

#include "kernels/base/error_info.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct resume_key key = {"0123456789abcdefghijklmnopqrstu"};

static const struct resume_token whole = {
	.kind = RESUME_LIST,
	.incarnation = "incarnation 1234",
	.generation = 0x1122334455667788,
	.row_limit = 2,
	.query = 3,
	.filter = 4,
	.metric = 5,
	.accuracy = 6,
	.min_score = 7,
	.query_row = RESUME_NO_ROW,
	.has_last = true,
	.last_score = -0.25F,
	.last_row = 9,
	.rank = UINT64_MAX,
	.approximate = true,
};

static status decode(const uint8_t *bytes, size_t size, struct resume_token *ret)
{
	return resume_token_decode(&key, bytes_of(bytes, size), ret);
}

Test(resume_token, gives_back_every_part)
{
	uint8_t bytes[RESUME_TOKEN_BYTES];
	struct resume_token got = {0};

	resume_token_encode(&key, &whole, bytes);
	cr_assert_not(status_failed(decode(bytes, sizeof bytes, &got)));
	cr_assert_eq(got.kind, whole.kind);
	cr_assert_arr_eq(got.incarnation, whole.incarnation, sizeof got.incarnation);
	cr_assert_eq(got.generation, whole.generation);
	cr_assert_eq(got.row_limit, whole.row_limit);
	cr_assert_eq(got.query, whole.query);
	cr_assert_eq(got.filter, whole.filter);
	cr_assert_eq(got.metric, whole.metric);
	cr_assert_eq(got.accuracy, whole.accuracy);
	cr_assert_eq(got.min_score, whole.min_score);
	cr_assert_eq(got.query_row, whole.query_row);
	cr_assert(got.has_last);
	cr_assert_float_eq(got.last_score, whole.last_score, 0);
	cr_assert_eq(got.last_row, whole.last_row);
	cr_assert_eq(got.rank, whole.rank);
	cr_assert(got.approximate);
}

Test(resume_token, is_short_enough_for_the_contract)
{
	cr_assert_leq(RESUME_TOKEN_BYTES, 512);
}

static void want_invalid(const uint8_t *bytes, size_t size, const char *what, size_t i)
{
	struct resume_token got = {.rank = 77};
	status s = decode(bytes, size, &got);

	cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "%s %zu", what, i);
	cr_assert_eq(s.info->reason, REASON_RESUME_TOKEN_INVALID, "%s %zu", what, i);
	cr_assert_eq(got.rank, 77U, "%s %zu", what, i);
}

Test(resume_token, that_was_changed_is_refused_whatever_the_bit)
{
	uint8_t bytes[RESUME_TOKEN_BYTES];

	resume_token_encode(&key, &whole, bytes);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		want_invalid(bytes, sizeof bytes, "bit", bit);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

Test(resume_token, of_another_size_or_key_is_refused)
{
	uint8_t bytes[RESUME_TOKEN_BYTES + 8] = {0};
	struct resume_key other = key;

	resume_token_encode(&key, &whole, bytes);
	for (size_t size = 0; size <= sizeof bytes; size++)
		if (size != RESUME_TOKEN_BYTES)
			want_invalid(bytes, size, "size", size);
	other.bytes[15] ^= 1;
	resume_token_encode(&other, &whole, bytes);
	want_invalid(bytes, RESUME_TOKEN_BYTES, "key", 0);
}

Test(resume_token, hashes_depend_on_the_key)
{
	struct resume_key other = key;

	other.bytes[RESUME_KEY_BYTES - 1] ^= 1;
	cr_assert_eq(resume_hash(&key, bytes_of("ab", 2)), resume_hash(&key, bytes_of("ab", 2)));
	cr_assert_neq(resume_hash(&key, bytes_of("ab", 2)), resume_hash(&key, bytes_of("a", 1)));
	cr_assert_neq(resume_hash(&key, bytes_of("ab", 2)), resume_hash(&other, bytes_of("ab", 2)));
}

/* --- the key's file --- */

static struct scratch scratch;
static struct arena arena;

static void begin(void)
{
	scratch_open(&scratch);
	arena_init(&arena, (size_t)1 << 20);
}

static void end(void)
{
	arena_finish(&arena);
	scratch_close(&scratch);
}

TestSuite(resume_key, .init = begin, .fini = end);

Test(resume_key, is_made_once_and_for_its_owner_alone)
{
	struct resume_key first = {0}, again = {0}, other = {0};
	char path[512];
	struct stat file;

	snprintf(path, sizeof path, "%s/token.key", scratch.path);
	cr_assert_not(status_failed(resume_key_load(scratch.path, &arena, &first)));
	cr_assert_eq(stat(path, &file), 0);
	cr_assert_eq(file.st_mode & 0777, 0600);
	cr_assert_eq(file.st_size, RESUME_KEY_BYTES);
	cr_assert_not(status_failed(resume_key_load(scratch.path, &arena, &again)));
	cr_assert_arr_eq(first.bytes, again.bytes, sizeof first.bytes);

	cr_assert_eq(remove(path), 0);
	cr_assert_not(status_failed(resume_key_load(scratch.path, &arena, &other)));
	cr_assert_neq(memcmp(first.bytes, other.bytes, sizeof first.bytes), 0);
}

Test(resume_key, of_another_size_is_not_taken)
{
	static const size_t sizes[] = {0, RESUME_KEY_BYTES - 1, RESUME_KEY_BYTES + 1};
	char path[512], bytes[RESUME_KEY_BYTES + 1] = {0};

	snprintf(path, sizeof path, "%s/token.key", scratch.path);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct resume_key got;
		FILE *file = fopen(path, "w");
		status s;

		cr_assert_not_null(file);
		cr_assert_eq(fwrite(bytes, 1, sizes[i], file), sizes[i]);
		cr_assert_eq(fclose(file), 0);
		s = resume_key_load(scratch.path, &arena, &got);
		cr_assert_eq(s.code, STATUS_DATA_LOSS, "%zu bytes", sizes[i]);
	}
}
