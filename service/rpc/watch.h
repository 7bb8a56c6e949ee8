/* watch - a thread that asks a server's own listeners whether they still take connections, and replaces
 * one that does not; and that looks at the memory of the process.
 *
 * A listener of gRPC 1.51 gives up for good when accept fails once, as it does where the process has no
 * descriptor left; its socket stays, so that who connects waits for ever. Each is asked once a second,
 * by a connection as any client makes it. One that is silent gets a successor on the same address
 * as soon as there are descriptors again; what it has accepted goes on. Within service/rpc only.
 */
#ifndef SLUICE_SERVICE_RPC_WATCH_H
#define SLUICE_SERVICE_RPC_WATCH_H

#include "service/rpc/server_parts.h"

/* watch_open - of the server's doors, which nobody else changes until watch_close.
 * Fails: RESOURCE_EXHAUSTED */
status watch_open(struct rpc_server *server, struct watch **ret);

/* watch_close - waits for its thread. NULL is fine. */
void watch_close(struct watch *watch);

/* watch_note_failure - the core has said that a listener gave up, but not which: then a silence says
 * enough. From any thread. */
void watch_note_failure(void);

#endif
