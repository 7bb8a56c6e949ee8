/* access_log - a line for a call that is over: method, code, how long, how much, who.
 *
 * Never what was asked or answered, nor what was shown as a credential: a path that is no method's is
 * "unknown", since it is the client's to choose.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_ACCESS_LOG_H
#define SLUICE_SERVICE_TELEMETRY_ACCESS_LOG_H

#include "service/rpc/rpc.h"

/* access_log_set - of so many calls one has its line; 0, as from the start: none. */
void access_log_set(uint64_t one_in);

/* access_log_handled - a call is over. */
void access_log_handled(const struct rpc_handled *handled);

#endif
