/* resume_token - a fixed layout and a tag of 128 bits behind it:
 *
 *	u8 version, u8 kind, u8 flags, u8 0, u32 bits of the last score, incarnation [16],
 *	ten u64 (numbers_of), tag [16]
 */
#include "index/resume_token.h"

#include "index/directory.h"
#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <sys/random.h>

#define VERSION 1
#define NUMBERS 10
#define NUMBERS_AT 24
#define BODY_BYTES (NUMBERS_AT + 8 * NUMBERS)
#define KEY_FILE "token.key"

enum { HAS_LAST = 1, IS_APPROXIMATE = 2 };

_Static_assert(RESUME_KEY_BYTES == 2 * HASH_KEY_BYTES, "a half for the tag, one for hashes");
_Static_assert(RESUME_TOKEN_BYTES == BODY_BYTES + HASH_128_BYTES, "the layout above");

uint64_t resume_hash(const struct resume_key *key, struct bytes data)
{
	return hash_64(key->bytes + HASH_KEY_BYTES, data);
}

/* In the order in which they stand. */
static void numbers_of(struct resume_token *token, uint64_t *ret[NUMBERS])
{
	uint64_t *const numbers[NUMBERS] = {
		&token->generation, &token->row_limit, &token->query,     &token->filter,
		&token->metric,     &token->accuracy,  &token->min_score, &token->query_row,
		&token->last_row,   &token->rank,
	};

	memcpy(ret, numbers, sizeof numbers);
}

void resume_token_encode(const struct resume_key *key, const struct resume_token *token,
			 uint8_t ret[RESUME_TOKEN_BYTES])
{
	struct resume_token copy = *token;
	uint64_t *numbers[NUMBERS];

	ret[0] = VERSION;
	ret[1] = (uint8_t)token->kind;
	ret[2] = (uint8_t)((token->has_last ? HAS_LAST : 0) |
			   (token->approximate ? IS_APPROXIMATE : 0));
	ret[3] = 0;
	memcpy(ret + 4, &token->last_score, sizeof token->last_score);
	memcpy(ret + 8, token->incarnation, sizeof token->incarnation);
	numbers_of(&copy, numbers);
	for (size_t i = 0; i < NUMBERS; i++)
		store_u64(ret + NUMBERS_AT + 8 * i, *numbers[i]);
	hash_128(key->bytes, bytes_of(ret, BODY_BYTES), ret + BODY_BYTES);
}

/* In a time that does not tell how much of a forged tag was right. */
static bool tag_is_right(const struct resume_key *key, const uint8_t *token)
{
	uint8_t tag[HASH_128_BYTES], difference = 0;

	hash_128(key->bytes, bytes_of(token, BODY_BYTES), tag);
	for (size_t i = 0; i < sizeof tag; i++)
		difference |= (uint8_t)(tag[i] ^ token[BODY_BYTES + i]);
	return difference == 0;
}

status resume_token_decode(const struct resume_key *key, struct bytes bytes,
			   struct resume_token *ret)
{
	struct resume_token token = {0};
	uint64_t *numbers[NUMBERS];

	if (bytes.size != RESUME_TOKEN_BYTES || !tag_is_right(key, bytes.data) ||
	    bytes.data[0] != VERSION)
		return status_as(status_make(STATUS_INVALID_ARGUMENT,
					     "resume_token: it is not one of this server's data, "
					     "or was changed"),
				 REASON_RESUME_TOKEN_INVALID);
	token.kind = (enum resume_kind)bytes.data[1];
	token.has_last = bytes.data[2] & HAS_LAST;
	token.approximate = bytes.data[2] & IS_APPROXIMATE;
	memcpy(&token.last_score, bytes.data + 4, sizeof token.last_score);
	memcpy(token.incarnation, bytes.data + 8, sizeof token.incarnation);
	numbers_of(&token, numbers);
	for (size_t i = 0; i < NUMBERS; i++)
		*numbers[i] = load_u64(bytes.data + NUMBERS_AT + 8 * i);
	*ret = token;
	return status_ok();
}

static status key_make(const char *path, const char *directory, struct arena *arena,
		       struct resume_key *ret)
{
	struct resume_key key;

	if (getrandom(key.bytes, sizeof key.bytes, 0) != (ssize_t)sizeof key.bytes)
		return status_as(status_format(arena, STATUS_INTERNAL,
					       "%s: drawing random bytes: error %d", path, errno),
				 REASON_STORAGE_FAILED);
	TRY(directory_write_file(path, bytes_of(key.bytes, sizeof key.bytes), arena));
	TRY(directory_sync(directory, arena));
	*ret = key;
	return status_ok();
}

status resume_key_load(const char *directory, struct arena *arena, struct resume_key *ret)
{
	const char *path = arena_printf(arena, "%s/" KEY_FILE, directory);
	uint8_t found[RESUME_KEY_BYTES + 1];
	size_t size = 0;
	status s;

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	s = directory_read_file(path, found, sizeof found, &size, arena);
	if (s.code == STATUS_NOT_FOUND)
		return key_make(path, directory, arena, ret);
	TRY(s);
	if (size != RESUME_KEY_BYTES)
		return status_as(status_format(arena, STATUS_DATA_LOSS,
					       "%s: a key has %d bytes; without the file a new one "
					       "is made, and resume tokens that are out end",
					       path, RESUME_KEY_BYTES),
				 REASON_DATA_CORRUPT);
	memcpy(ret->bytes, found, sizeof ret->bytes);
	return status_ok();
}
