/* resume - tokens of requests: what was asked as hashes, the check of one that comes back, and where
 * in a snapshot its walk goes on.
 */
#ifndef SLUICE_SERVICE_RETRIEVAL_RESUME_H
#define SLUICE_SERVICE_RETRIEVAL_RESUME_H

#include "index/resume_token.h"
#include "index/snapshot.h"
#include "kernels/window.h"
#include "service/retrieval/search_request.h"

/* resume_asked - a token for what a search asks of a collection: all but snapshot, key, rank and
 * query_row. The vector is as it was sent.
 * Fails: RESOURCE_EXHAUSTED */
status resume_asked(const struct resume_key *key, const struct collection *collection,
		    const struct search_request *request, struct arena *arena,
		    struct resume_token *ret);

/* resume_asked_list - the same for a list of chunks. filter  NULL: all */
status resume_asked_list(const struct resume_key *key, const struct collection *collection,
			 const Sluice__V1__Filter *filter, struct resume_token *ret);

/* resume_check - takes over from the token of a client what says how far the walk had come.
 * token  in: what is asked now. Out: also snapshot, key, rank, query_row and guarantee.
 * Fails: INVALID_ARGUMENT (RESUME_TOKEN_INVALID; RESUME_TOKEN_MISMATCH, naming what differs) */
status resume_check(const struct resume_key *key, struct bytes bytes, struct arena *arena,
		    struct resume_token *token);

/* resume_snapshot - the snapshot of the token; where it is gone and on_newest, the newest one.
 * Fails: as snapshot_acquire_at */
status resume_snapshot(struct collection *collection, const struct resume_token *token,
		       bool on_newest, struct arena *arena, struct snapshot **ret);

/* resume_released - what a stream ends with that has to give its snapshot back, for a setting.
 * ABORTED (PIN_RELEASED) */
status resume_released(const struct snapshot *snapshot, const char *setting, struct arena *arena);

/* resume_token_append - an encoded token as a bytes field of that number. */
void resume_token_append(struct buffer *page, uint32_t field,
			 const uint8_t token[RESUME_TOKEN_BYTES]);

/* resume_key_behind - the last key of the token as a key of places in a snapshot, which need not have
 * that row any more. False: there is none, the walk begins at the beginning. */
bool resume_key_behind(const struct snapshot *snapshot, const struct resume_token *token,
		       struct key *ret);

#endif
