/* error_details - a failed status as google.rpc.Status: what goes into grpc-status-details-bin.
 *
 * The details are BadRequest (the violations: field, reason = the rule's id, description), ErrorInfo
 * (the reason's name, domain "sluice.v1", the metadata), ResourceInfo and RetryInfo, each where the
 * status's info has it. A status without an info gets the reason that its code stands for.
 */
#ifndef SLUICE_SERVICE_RPC_ERROR_DETAILS_H
#define SLUICE_SERVICE_RPC_ERROR_DETAILS_H

#include "kernels/base/bytes.h"
#include "kernels/base/error_info.h"

#define ERROR_DOMAIN "sluice.v1"

/* What the status's sentence and the details take of a client's 8 KiB of metadata, as they travel:
 * percent-encoded and in base64. The rest is for the other headers. */
#define ERROR_TRAILER_MAX ((size_t)7680)

/* error_details_encode - appends the encoded google.rpc.Status. What does not fit into
 * ERROR_TRAILER_MAX is left out: violations from the last one on, which are counted in
 * metadata["violations_left_out"], then pairs of metadata. Its message is what the client gets as
 * the status's sentence (status_detail), byte for byte: clients compare the two.
 * Appends nothing where there is nothing to tell but code and sentence, and without memory. */
void error_details_encode(status failure, struct buffer *ret);

#endif
