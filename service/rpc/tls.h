/* tls - certificates from files, looked at again at every handshake.
 *
 * Whether a file has changed is seen by what stat says of what its path leads to: a file that is
 * written again, one that is renamed over it, and a symbolic link that is turned, as Kubernetes does
 * with a whole folder of secrets. What connections use that are there already stays as it is. A pair
 * that cannot be used leaves the one before in place.
 */
#ifndef SLUICE_SERVICE_RPC_TLS_H
#define SLUICE_SERVICE_RPC_TLS_H

#include "kernels/base/arena.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"
#include "service/rpc/rpc.h"

#include <grpc/grpc_security.h>

struct tls;

/* tls_open - of one address: each has to be told of a change by itself.
 * files  borrowed as long as it lives. arena  for details.
 * Fails: INVALID_ARGUMENT (a file is no PEM, or cannot be read; it is named) RESOURCE_EXHAUSTED */
status tls_open(const struct rpc_tls *files, struct arena *arena, struct tls **ret);

/* tls_close - after every server that has its credentials. NULL is fine. */
void tls_close(struct tls *tls);

SCOPE_DEFINE(tls, tls_close)

/* tls_credentials - TLS 1.2 and 1.3; to be released. */
grpc_server_credentials *tls_credentials(struct tls *tls);

#endif
