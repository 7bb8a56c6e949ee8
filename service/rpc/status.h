/* status - our codes as gRPC's, the one place where they meet. */
#ifndef SLUICE_SERVICE_RPC_STATUS_H
#define SLUICE_SERVICE_RPC_STATUS_H

#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <grpc/status.h>

/* What a client gets of a detail at most: it travels in the trailer twice, as itself and in
 * error_details.h's, and all of it has to fit into a client's limit on metadata (8 KiB by default).
 */
#define STATUS_DETAIL_MAX ((size_t)1024)

/* status_to_grpc - UNKNOWN for what is no code. */
grpc_status_code status_to_grpc(enum status_code code);

/* status_from_grpc - the other way round. */
enum status_code status_from_grpc(grpc_status_code code);

/* status_detail - the detail, cut at STATUS_DETAIL_MAX bytes between two characters; borrowed. */
struct bytes status_detail(status failure);

#endif
