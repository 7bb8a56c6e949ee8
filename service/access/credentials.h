/* credentials - keys and certificate names, and what each may do: two files of one line each.
 *
 *	NAME:SHA256HEX:SCOPES[:COLLECTIONS[:RATE]]
 *	                                        a key; NAME is for people
 *	NAME SCOPES [COLLECTIONS [RATE]]        a certificate: dns:app.example, uri:..., email:..., ip:...,
 *	                                        spiffe://trust.domain/path; a URI that ends in / and * is
 *	                                        all that is below it
 *
 * SCOPES are of read, write and admin, parted by commas; none contains another. COLLECTIONS are names,
 * or what they begin with and *; without them it is all. RATE is calls a second, or calls a second / at
 * once; 0: any number. The grants of several lines for one key or name add up, and the highest rate
 * holds. Empty lines and those that begin with # are passed over.
 *
 * Immutable once it is read: any number of threads may look.
 */
#ifndef SLUICE_SERVICE_ACCESS_CREDENTIALS_H
#define SLUICE_SERVICE_ACCESS_CREDENTIALS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "service/access/methods.h"
#include "service/access/rate.h"
#include "service/access/sha256.h"
#include "service/rpc/guard.h"

struct credential {
	const char *name; /* of a key: for people; of a certificate: what it must hold */
	const char *kind; /* of a certificate: "dns" and so on; NULL: it is a key */
	bool below;       /* name is what the certificate's must begin with */
	uint8_t digest[SHA256_BYTES]; /* of a key */
	unsigned scopes;
	const char *const *collections; /* [n_collections] as in the file; none: all */
	size_t n_collections;
	bool rated; /* it has a rate of its own */
	struct rate_limit rate;
};

struct credentials {
	struct credential *list; /* [n] */
	size_t n, capacity;
	struct arena arena;
};

/* What a credential may do with the scope that a method needs. */
struct grant {
	bool known;      /* there is a credential */
	uint64_t caller; /* whose: for rates_take */
	bool rated;      /* a line has a rate; the highest is: */
	struct rate_limit rate;
	bool scoped;          /* it has the scope */
	bool everything;      /* of every collection; else of: */
	const char **allowed; /* [n] copies in the caller's arena */
	size_t n;
};

/* credentials_init - there is none. credentials_finish - frees them. NULL is fine. */
void credentials_init(struct credentials *credentials);
void credentials_finish(struct credentials *credentials);

SCOPE_DEFINE(credentials, credentials_finish)

/* credentials_read_keys, credentials_read_certificates - a file's lines, added.
 * arena  for details. Fails: INVALID_ARGUMENT (FILE:LINE: what is wrong; or it cannot be read)
 * RESOURCE_EXHAUSTED */
status credentials_read_keys(struct credentials *credentials, const char *file,
			     struct arena *arena);
status credentials_read_certificates(struct credentials *credentials, const char *file,
				     struct arena *arena);

/* credentials_of_key - compares with every key there is, in a time that depends on their number
 * alone. Fails: RESOURCE_EXHAUSTED */
status credentials_of_key(const struct credentials *credentials, struct bytes key, enum scope scope,
			  struct arena *arena, struct grant *ret);
status credentials_of_names(const struct credentials *credentials, const struct rpc_caller *caller,
			    enum scope scope, struct arena *arena, struct grant *ret);

/* grant_allows - whether it covers the collection. */
bool grant_allows(const struct grant *grant, struct bytes collection);

/* credential_line_check - whether a line for a file of keys would be read. */
status credential_line_check(const char *line, struct arena *arena);

#endif
