/* checks - the limits of the contract that hold for a request by itself.
 *
 * Each function looks at one unpacked message, whose strings are sound (wire_strings.h), and gives INVALID_ARGUMENT with the path of the
 * field, what was found and what is allowed, or UNIMPLEMENTED naming a field that is not served.
 * What depends on a collection (its dimension, its fields) is checked where the collection is
 * known.
 */
#ifndef SLUICE_SERVICE_SCHEMA_CHECKS_H
#define SLUICE_SERVICE_SCHEMA_CHECKS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

status check_name(struct arena *arena, const char *field, const char *name);
status check_collection(struct arena *arena, const Sluice__V1__Collection *collection);
status check_list_collections(struct arena *arena,
			      const Sluice__V1__ListCollectionsRequest *request);
status check_upsert(struct arena *arena, const Sluice__V1__UpsertChunksRequest *request);
status check_delete(struct arena *arena, const Sluice__V1__DeleteChunksRequest *request);
status check_search(struct arena *arena, const Sluice__V1__SearchRequest *request);
status check_get(struct arena *arena, const Sluice__V1__GetChunksRequest *request);
status check_list(struct arena *arena, const Sluice__V1__ListChunksRequest *request);
status check_count(struct arena *arena, const Sluice__V1__CountChunksRequest *request);

#endif
