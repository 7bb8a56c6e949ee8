/* contract - the schema of Sluice's own messages, opened once and shared by the whole process.
 *
 * It is made of the descriptors that the program carries (proto/descriptor_set.h) and never closed.
 * Every message of sluice.* is compiled at the start, so that an annotation that is not understood
 * stops the program there, and so that afterwards any thread may read.
 */
#ifndef SLUICE_SERVICE_SCHEMA_CONTRACT_H
#define SLUICE_SERVICE_SCHEMA_CONTRACT_H

#include "service/schema/schema.h"

/* contract_init - opens and compiles the contract, at the first call; cheap again, with the same
 * answer. Safe from any thread.
 * arena  for the detail of a failure.
 * Fails: as schema_open and schema_compile */
status contract_init(struct arena *arena);

/* contract_schema, contract_message - only after contract_init succeeded. full_name
 * "sluice.v1.SearchRequest"; NULL where there is none. */
const struct schema *contract_schema(void);
const struct schema_message *contract_message(const char *full_name);

#endif
