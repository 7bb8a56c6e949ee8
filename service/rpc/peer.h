/* peer - another server, which is told something now and then: one unary call at a time, blocking.
 *
 * For a thread of its own that may wait; calls are never retried here.
 */
#ifndef SLUICE_SERVICE_RPC_PEER_H
#define SLUICE_SERVICE_RPC_PEER_H

#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct peer;

struct peer_header {
	const char *name; /* as HTTP/2 takes it: small letters, digits, - _ . */
	const char *value;
};

/* All strings are copied. */
struct peer_options {
	const char *target; /* as gRPC names it: "dns:///HOST:PORT", "unix:PATH" */
	bool tls;
	/* PEM texts; NULL: the system's CAs, and no certificate of ours. */
	const char *ca, *certificate, *key;
	const struct peer_header
		*headers; /* [n_headers] of each call; those that cannot be are left out */
	size_t n_headers;
	bool gzip; /* compress what is sent */
};

/* peer_open - connects to nothing yet: the first call does.
 * Fails: RESOURCE_EXHAUSTED INVALID_ARGUMENT (what TLS was given cannot be used) */
status peer_open(const struct peer_options *options, struct peer **ret);

/* peer_call - one call. A peer that cannot be reached is UNAVAILABLE as soon as that is known.
 * path     "/package.Service/Method", static
 * request  its memory is taken
 * ret      the answer is appended
 * The detail of a failure is static. Fails: with what the peer says */
status peer_call(struct peer *peer, const char *path, struct buffer *request, int64_t timeout_ns,
		 struct buffer *ret);

/* peer_give_up - from any thread: the call under way ends soon with CANCELLED, and each one that comes
 * later at once. */
void peer_give_up(struct peer *peer);

void peer_close(struct peer *peer); /* no call may be under way; NULL is fine */

SCOPE_DEFINE(peer, peer_close)

#endif
