/* telemetry - what operators see of a running server: /metrics for Prometheus, / for people,
 * /debug for who looks for what hangs.
 *
 * The figures themselves are counted where they arise (kernels/base/meter.h, service/rpc); here they are
 * read when somebody asks. The listener is plaintext and asks nobody who he is: names of collections
 * and addresses of clients are seen there, so an address beyond this machine has to be meant.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_TELEMETRY_H
#define SLUICE_SERVICE_TELEMETRY_TELEMETRY_H

#include "service/services.h"
#include "service/telemetry/tracing.h"

struct telemetry;

/* telemetry_handled - for rpc_server_options.handled: the log's line of a call, and its spans.
 * context  a struct tracing */
void telemetry_handled(void *context, const struct rpc_handled *handled);

/* telemetry_open - services, server  borrowed, and open as long as it is. address, arena  as http_open.
 * Fails: UNAVAILABLE INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status telemetry_open(const char *address, const struct services *services,
		      struct rpc_server *server, struct arena *arena, struct telemetry **ret);

/* telemetry_address - with its real port. */
const char *telemetry_address(const struct telemetry *telemetry);

void telemetry_close(struct telemetry *telemetry); /* NULL is fine */

SCOPE_DEFINE(telemetry, telemetry_close)

#endif
