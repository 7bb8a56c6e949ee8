/* document - a YAML document to the bytes of a message, by descriptor, and all that is wrong with it.
 *
 * Keys are the names of fields as the .proto has them. A message or a map is a mapping, a repeated
 * field a sequence, all else a scalar as scalar.h reads it; null, or nothing, stands for an empty
 * mapping or sequence. Messages of google.protobuf but Duration, and groups, cannot be written.
 * What is read passes check_message under check_limits_strict; what that finds is given the place in
 * the document that the field's path has.
 *
 * YAML's own machinery is refused: anchors, aliases, tags, a second document. Bounds: 1 MiB, 10,000
 * values, 32 levels.
 */
#ifndef SLUICE_SERVICE_CONFIG_DOCUMENT_H
#define SLUICE_SERVICE_CONFIG_DOCUMENT_H

#include "service/config/problem.h"
#include "service/schema/schema.h"

#define DOCUMENT_BYTES_MAX ((size_t)1 << 20)
#define DOCUMENT_VALUES_MAX 10000
#define DOCUMENT_DEPTH_MAX 32

/* What a path is the place of. */
struct spot {
	struct spot *next;
	const char *path;
	struct place place;
};

struct document {
	struct buffer message; /* owned: the encoding of what could be read */
	struct spot *spots;    /* where values begin, newest first; in the problems' arena */
};

/* document_read - text  a file's bytes, borrowed.
 * message   compiled; borrowed.
 * problems  takes what is wrong, in the order of the document.
 * ret       all zero; to be finished whatever the outcome.
 * Gives whether nothing is wrong. */
bool document_read(struct bytes text, const struct schema_message *message,
		   struct problems *problems, struct document *ret);

void document_finish(struct document *document);

/* document_place - of a path, or of the nearest one that it is within: 1:1 at last. */
struct place document_place(const struct document *document, const char *path);

SCOPE_DEFINE(document, document_finish)

#endif
