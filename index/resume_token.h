/* resume_token - where a walk stands, as bytes that its client keeps and gives back.
 *
 * A token says of which data the walk is, what was asked, and the last key that was sent; so any
 * server with the same data can go on, this one after a restart or a crash too. It is authenticated
 * with a key of the data directory: what others made, or changed, is found out. What was asked is
 * there as keyed hashes, each for itself, so that an error can name what differs.
 */
#ifndef SLUICE_INDEX_RESUME_TOKEN_H
#define SLUICE_INDEX_RESUME_TOKEN_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#define RESUME_KEY_BYTES 32
#define RESUME_TOKEN_BYTES 120
#define RESUME_NO_ROW UINT64_MAX

struct resume_key {
	uint8_t bytes[RESUME_KEY_BYTES]; /* half for the tag, half for the hashes */
};

enum resume_kind { RESUME_SEARCH = 1, RESUME_LIST = 2 };

struct resume_token {
	enum resume_kind kind;
	uint8_t incarnation[16]; /* of the collection */
	/* The snapshot. */
	uint64_t generation, row_limit;
	/* What was asked: resume_hash. */
	uint64_t query, filter, metric, accuracy, min_score;
	uint64_t query_row; /* whose vector was searched with; RESUME_NO_ROW: one that was sent */
	/* The last key; has_last: there is one. */
	bool has_last;
	float last_score;
	uint64_t last_row;
	uint64_t rank; /* of the next hit */
	bool approximate;
};

/* resume_hash - the same for the same bytes under one key. */
uint64_t resume_hash(const struct resume_key *key, struct bytes data);

void resume_token_encode(const struct resume_key *key, const struct resume_token *token,
			 uint8_t ret[RESUME_TOKEN_BYTES]);

/* resume_token_decode - Fails: INVALID_ARGUMENT (RESUME_TOKEN_INVALID), the detail is static */
status resume_token_decode(const struct resume_key *key, struct bytes bytes,
			   struct resume_token *ret);

/* resume_key_load - the key of a file; makes one of mode 0600, on disk when it returns, where there
 * is none. Fails: DATA_LOSS (a file of another size) and as index/directory.h, naming the path */
status resume_key_load(const char *directory, struct arena *arena, struct resume_key *ret);

#endif
