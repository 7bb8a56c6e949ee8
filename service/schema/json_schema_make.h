/* json_schema_make - a schema as a tree, for what is put around it: tools.c. */
#ifndef SLUICE_SERVICE_SCHEMA_JSON_SCHEMA_MAKE_H
#define SLUICE_SERVICE_SCHEMA_JSON_SCHEMA_MAKE_H

#include "service/schema/json_schema_maker.h"

/* json_schema_make - the schema as a tree. description  stands in place of the message's own; NULL: its
 * own. ret  the caller's. */
struct json_options {
	enum json_dialect dialect;
	struct json_selection selection;
	bool with_draft;         /* "$schema" */
	const char *title;       /* NULL: none */
	const char *description; /* NULL: the message's comment */
};
status json_schema_make(const struct schema_message *message, const struct json_options *options,
			struct arena *arena, json_t **ret);

static inline void json_tree_release(json_t *tree)
{
	json_decref(tree);
}

SCOPE_DEFINE(json_t, json_tree_release)

#endif
