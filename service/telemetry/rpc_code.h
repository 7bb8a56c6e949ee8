/* rpc_code - how a call ended, in the words that other gRPC servers use in labels. */
#ifndef SLUICE_SERVICE_TELEMETRY_RPC_CODE_H
#define SLUICE_SERVICE_TELEMETRY_RPC_CODE_H

#include <stddef.h>

/* rpc_code_name - "OK", "Canceled"; "Unknown" for what is no code. */
const char *rpc_code_name(size_t code);

#endif
