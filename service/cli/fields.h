/* fields - which metadata fields to declare, from the chunks that are about to be imported.
 *
 * A field that is an int here and a double there is a double; one whose values differ otherwise is
 * left undeclared, and its values are stored all the same.
 */
#ifndef SLUICE_SERVICE_CLI_FIELDS_H
#define SLUICE_SERVICE_CLI_FIELDS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "sluice/v1/chunk.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"

/* What a collection can declare. */
#define FIELDS_MAX 64

/* All zero: nothing seen yet. */
struct fields {
	struct field {
		const char *name; /* in the arena given to fields_see */
		Sluice__V1__FieldType type;
		bool mixed;
	} seen[4 * FIELDS_MAX];
	size_t n;
};

/* fields_see - takes the chunk's metadata into account. Names are copied into the arena; past
 * 4 * FIELDS_MAX different names the rest is not looked at. Fails: RESOURCE_EXHAUSTED */
status fields_see(struct fields *fields, struct arena *arena, const Sluice__V1__Chunk *chunk);

/* fields_declare - sets the collection's fields, in the order in which they were seen: at most
 * FIELDS_MAX, and only names that a declaration may have. Fails: RESOURCE_EXHAUSTED */
status fields_declare(const struct fields *fields, struct arena *arena,
		      Sluice__V1__Collection *collection);

#endif
