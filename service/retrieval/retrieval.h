/* retrieval - the methods of RetrievalService, one file each. */
#ifndef SLUICE_SERVICE_RETRIEVAL_RETRIEVAL_H
#define SLUICE_SERVICE_RETRIEVAL_RETRIEVAL_H

#include "service/services.h"

/* A page of a stream ends once it has this size, whatever the client asked for: what a slow reader
 * costs the server. One chunk more, of 96 KiB and a vector of 32, stays far below
 * RPC_MESSAGE_OUT_MAX. */
#define PAGE_BYTES ((size_t)1 << 20)

extern const struct rpc_method search_method;
extern const struct rpc_method iterate_method;
extern const struct rpc_method get_chunks_method;
extern const struct rpc_method list_chunks_method;
extern const struct rpc_method count_chunks_method;

#endif
