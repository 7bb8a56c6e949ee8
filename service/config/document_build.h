/* document_build - a document's nodes, as they come, to the bytes of a message. Private to document.
 *
 * A stack of frames, one for each mapping and sequence that is open. A message's bytes are made in its
 * own frame and go to the one below when it ends, since its length stands before it. A node that is
 * refused is noted and skipped with all that is in it, so that the rest is still looked at.
 */
#ifndef SLUICE_SERVICE_CONFIG_DOCUMENT_BUILD_H
#define SLUICE_SERVICE_CONFIG_DOCUMENT_BUILD_H

#include "service/config/document.h"
#include "service/config/scalar.h"

enum node { NODE_MAPPING, NODE_SEQUENCE };

struct map_key {
	struct map_key *next;
	struct bytes encoded;
};

struct frame {
	enum { FRAME_MESSAGE, FRAME_LIST, FRAME_MAP } kind;
	/* What comes next, of a message and a map; a list has values only. */
	enum { AWAITS_KEY, AWAITS_VALUE, AWAITS_IGNORED } awaits;
	const struct schema_message *message; /* of a message: its own; of a map: the entry's */
	const struct schema_field *field;     /* whose value it is; NULL: the document itself */
	const char *path;
	struct buffer bytes;                /* of a message: so far; of a map: the entry's key */
	struct place *seen;                 /* of a message: [n_fields] line 0: not yet */
	struct map_key *keys;               /* of a map: those seen */
	const struct schema_field *awaited; /* of AWAITS_VALUE */
	const char *awaited_path;
	uint64_t n; /* of a list: items so far */
};

struct builder {
	struct arena *arena;
	struct problems *problems;
	struct document *document;
	const struct schema_message *message;
	struct frame frames[DOCUMENT_DEPTH_MAX];
	size_t n_frames;
	size_t skipped; /* levels that are open within a node that was refused */
	size_t n_values;
};

void builder_init(struct builder *builder, const struct schema_message *message,
		  struct problems *problems, struct document *document);
void builder_finish(struct builder *builder);

/* Each gives false where reading cannot go on; why is noted. */
bool builder_scalar(struct builder *builder, struct scalar scalar, struct place place);
bool builder_begin(struct builder *builder, enum node node, struct place place);
bool builder_end(struct builder *builder);

/* --- within the builder --- */

/* builder_top - the frame that is open; NULL: none. */
struct frame *builder_top(struct builder *builder);

/* builder_field_key, builder_map_key - a key of the top frame: what is awaited then. */
bool builder_field_key(struct builder *builder, struct scalar key, struct place place);
bool builder_map_key(struct builder *builder, struct scalar key, struct place place);

bool builder_out_of_memory(struct builder *builder, struct place place);

/* builder_stop - notes why reading cannot go on; gives false. */
bool builder_stop(struct builder *builder, struct place place, const char *rule, const char *why);

#endif
