/* ingest - the methods of IngestService, one file each. */
#ifndef SLUICE_SERVICE_INGEST_INGEST_H
#define SLUICE_SERVICE_INGEST_INGEST_H

#include "service/services.h"

extern const struct rpc_method upsert_chunks_method;
extern const struct rpc_method delete_chunks_method;

#endif
