/* import_target - the collection that an import goes into: made if it is missing, else compared. */
#ifndef SLUICE_SERVICE_CLI_IMPORT_TARGET_H
#define SLUICE_SERVICE_CLI_IMPORT_TARGET_H

#include "service/cli/commands.h"
#include "service/cli/npy.h"

/* import_target - by the arguments: the collection's name, --create and --metric.
 * npy  the vectors, or NULL where they are in the lines. path  the chunks; its first 1,000 are read
 * where something depends on them.
 * ret_dimension  of the collection.
 * Fails: NOT_FOUND without --create, FAILED_PRECONDITION where the collection has another dimension
 * or metric, and as reading and creating do */
status import_target(struct cli *cli, const struct npy *npy, const char *path,
		     uint32_t *ret_dimension);

#endif
