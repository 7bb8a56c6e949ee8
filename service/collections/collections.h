/* collections - the methods of CollectionService, one file each, and their codec. */
#ifndef SLUICE_SERVICE_COLLECTIONS_COLLECTIONS_H
#define SLUICE_SERVICE_COLLECTIONS_COLLECTIONS_H

#include "index/collection.h"
#include "service/services.h"
#include "sluice/v1/collection_service.pb-c.h"

extern const struct rpc_method create_collection_method;
extern const struct rpc_method get_collection_method;
extern const struct rpc_method list_collections_method;
extern const struct rpc_method delete_collection_method;
extern const struct rpc_method optimize_collection_method;

/* collection_decode - message  checked (codec/message.h); its strings fit. */
void collection_decode(const Sluice__V1__Collection *message, struct collection_config *ret);

/* collection_to_message - the arena's; strings borrowed from config. Fails: RESOURCE_EXHAUSTED */
status collection_to_message(struct arena *arena, const struct collection_config *config,
			     Sluice__V1__Collection **ret);

/* collection_status_to_message - what it is now; the arena's. Fails: RESOURCE_EXHAUSTED */
status collection_status_to_message(struct arena *arena, struct collection *collection,
				    Sluice__V1__CollectionStatus **ret);

#endif
