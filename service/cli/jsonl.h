/* jsonl - a chunk as one line of JSON, and back.
 *
 *	{"id": "a#1", "document_id": "a", "ordinal": 1, "text": "...", "token_count": 12,
 *	 "metadata": {"title": "A", "pages": 3, "weight": 0.5, "draft": false, "tags": ["x"]},
 *	 "vector": [0.1, 0.2]}
 *
 * Only id is required. A number with a point or an exponent is a double, any other an int; doubles
 * are written with a point or an exponent, and every number reads back as the same value.
 */
#ifndef SLUICE_SERVICE_CLI_JSONL_H
#define SLUICE_SERVICE_CLI_JSONL_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "sluice/v1/chunk.pb-c.h"

/* jsonl_read - line  UTF-8; may be anything. arena  owns what ret points at, and details.
 * Fails: INVALID_ARGUMENT, with a detail that names the field but not the line;
 * RESOURCE_EXHAUSTED where the arena is full */
status jsonl_read(struct arena *arena, struct bytes line, Sluice__V1__Chunk *ret);

/* jsonl_read_vector - an array of numbers, such as [0.1, 0.2].
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status jsonl_read_vector(struct arena *arena, struct bytes text, Sluice__V1__Vector **ret);

/* jsonl_write - appends the chunk's line without its end. Fields that are empty are left out; the
 * vector is written where the chunk has one. Without memory the buffer has failed. */
void jsonl_write(struct buffer *buffer, const Sluice__V1__Chunk *chunk);

/* jsonl_write_members - the same without the braces around, to be among other members; false if
 * nothing was written. */
bool jsonl_write_members(struct buffer *buffer, const Sluice__V1__Chunk *chunk);

/* json_write_string, json_write_double, json_write_float - append one JSON value. */
void json_write_string(struct buffer *buffer, const char *text);
void json_write_double(struct buffer *buffer, double value);
void json_write_float(struct buffer *buffer, float value);
/* json_write_member - appends ", " unless first, then "name": */
void json_write_member(struct buffer *buffer, bool *first, const char *name);

#endif
