/* http - a small listener that answers GET and HEAD, for operators. libmicrohttpd stands here alone.
 *
 * One thread, plaintext, at most HTTP_CONNECTIONS_MAX at once, ten seconds for each silence. No request
 * has a body, and a path is all that is looked at.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_HTTP_H
#define SLUICE_SERVICE_TELEMETRY_HTTP_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#define HTTP_CONNECTIONS_MAX 64

struct http;

/* What there is at a path. */
struct http_page {
	const char *path;
	const char *type; /* Content-Type */
	/* Appends the body. On the listener's thread. A failure is answered with 503. */
	status (*make)(void *context, struct buffer *body);
};

/* http_open - serves the pages.
 * address  "HOST:PORT", with [] around an IPv6 one, port 0: a free one; or "unix:PATH", a socket with mode
 *          0660 in the place of one that a server left behind, removed at the end.
 * pages    [n], borrowed, as context is
 * arena    of a failure's detail
 * Fails: UNAVAILABLE (it cannot be bound; it is named) INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status http_open(const char *address, const struct http_page *pages, size_t n, void *context,
		 struct arena *arena, struct http **ret);

/* http_address - with its real port. */
const char *http_address(const struct http *http);

/* http_close - waits for the answer in the making. NULL is fine. */
void http_close(struct http *http);

SCOPE_DEFINE(http, http_close)

#endif
