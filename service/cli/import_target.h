/* import_target - the collection that an import goes into: made if it is missing, else compared;
 * and taken back where nothing came of the import. */
#ifndef SLUICE_SERVICE_CLI_IMPORT_TARGET_H
#define SLUICE_SERVICE_CLI_IMPORT_TARGET_H

#include "service/cli/commands.h"
#include "service/cli/npy.h"
#include "sluice/v1/chunk.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"

struct target {
	uint32_t dimension; /* of the collection */
	bool made;          /* by target_find */
};

/* target_find - by the arguments: the collection's name, --create and --metric.
 * npy  the vectors, or NULL where they are in the lines. path  the chunks; its first 1,000 are read
 * where something depends on them, and checked before a collection is made.
 * Fails: NOT_FOUND without --create, FAILED_PRECONDITION where the collection has another dimension
 * or metric, and as reading and creating do */
status target_find(struct cli *cli, const struct npy *npy, const char *path, struct target *ret);

/* target_find_known - the same where there is nothing to look at.
 * metric  what the collection has to have, or is made with. */
status target_find_known(struct cli *cli, uint32_t dimension, Sluice__V1__Metric metric,
			 struct target *ret);

/* target_undo - after an import that failed with nothing acknowledged: drops the collection if it was
 * made for it and holds no chunk. Gives failed, which says so then. */
status target_undo(struct cli *cli, const struct target *target, status failed);

/* target_check_source - that a vector comes from one place, the chunk or npy.
 * Fails: INVALID_ARGUMENT */
status target_check_source(const struct npy *npy, const Sluice__V1__Chunk *chunk);

#endif
