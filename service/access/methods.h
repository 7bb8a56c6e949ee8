/* methods - what a caller needs for each method of the contract, and where its requests name a
 * collection. A method that is not in the table needs admin: one that is forgotten lets nobody in.
 */
#ifndef SLUICE_SERVICE_ACCESS_METHODS_H
#define SLUICE_SERVICE_ACCESS_METHODS_H

#include "kernels/base/bytes.h"

#include <stdbool.h>

enum scope {
	SCOPE_READ = 1,
	SCOPE_WRITE = 2,
	SCOPE_ADMIN = 4,
};

#define COLLECTION_DEPTH 2

struct access_method {
	const char *path;
	enum scope scope;
	bool open;          /* to everybody: no scope is needed */
	bool is_reflection; /* open where that is configured */
	/* Field numbers from the request to the name of a collection; 0 ends them. None: it names no
	 * collection, and what it tells of several is for the method to choose (rpc_allows). */
	uint8_t collection[COLLECTION_DEPTH + 1];
};

/* access_method - never NULL. */
const struct access_method *access_method(const char *path);

/* access_method_is_known - whether the table has it. */
bool access_method_is_known(const char *path);

/* access_collections - visits the names in a request, all of them where it has a field several times.
 * False: visit gave false, and nothing more was visited. What is no message is visited up to there. */
bool access_collections(const struct access_method *method, struct bytes message,
			bool (*visit)(void *context, struct bytes collection), void *context);

/* scope_name - "read" and so on. scope_of - 0 where the text is none. */
const char *scope_name(enum scope scope);
unsigned scope_of(struct bytes text);

#endif
