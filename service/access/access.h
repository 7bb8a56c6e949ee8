/* access - the guard of a server: who may call what, from files that may change while it runs.
 *
 * A caller shows a key (`authorization: Bearer KEY`) or the names of a client certificate; where it
 * shows a key, the key alone counts. What a call may do is settled when it begins: taking a key out
 * of the file keeps new calls away, within a second, and lets those go on that are under way.
 */
#ifndef SLUICE_SERVICE_ACCESS_ACCESS_H
#define SLUICE_SERVICE_ACCESS_ACCESS_H

#include "kernels/base/arena.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"
#include "service/access/rate.h"
#include "service/rpc/guard.h"

struct access;

struct access_options {
	const char *keys_file, *certificates_file; /* borrowed; NULL: there is none */
	bool open_reflection;   /* the contract may be read without a credential */
	struct rate_limit rate; /* of each caller whose line has none */
};

/* access_open - arena  for details. Fails: INVALID_ARGUMENT (a file cannot be read, or a line of it
 * is wrong; both are named) RESOURCE_EXHAUSTED */
status access_open(const struct access_options *options, struct arena *arena, struct access **ret);

/* access_close - after the server that it guards. NULL is fine. */
void access_close(struct access *access);

SCOPE_DEFINE(access, access_close)

/* access_guard - lives as long as the access. */
const struct rpc_guard *access_guard(const struct access *access);

/* access_set_rate - of each caller whose line has none, from now on. */
void access_set_rate(struct access *access, struct rate_limit rate);

/* access_reload - reads the files now. A failure leaves all as it was. Fails: as access_open */
status access_reload(struct access *access, struct arena *arena);

#endif
