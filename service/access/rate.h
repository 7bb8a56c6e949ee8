/* rate - how many calls a caller may begin: a bucket of tokens for each, of which a call takes one and
 * time gives back so many a second.
 *
 * A bucket is one number, the time at which it would be full again; one that is full need not be kept. So
 * the table is of one size for ever. Where more callers than it has room for are busy at once, one of
 * them begins anew, to its favour. Safe from any thread.
 */
#ifndef SLUICE_SERVICE_ACCESS_RATE_H
#define SLUICE_SERVICE_ACCESS_RATE_H

#include "kernels/base/bytes.h"
#include "kernels/base/scope.h"

#include <stdbool.h>
#include <stdint.h>

#define RATE_PER_SECOND_MAX 1000000

struct rate_limit {
	uint32_t per_second; /* 0: no bound */
	uint32_t burst;      /* at once; 0: per_second */
};

struct rates;

/* rates_open - NULL without memory. */
struct rates *rates_open(void);
void rates_close(struct rates *rates); /* NULL is fine */

SCOPE_DEFINE(rates, rates_close)

/* rates_take - caller  who: any number that is as good as random. now_ns  on clock_ns.
 * Gives 0 where the call may begin; else how long it would have to wait, and nothing is taken. */
int64_t rates_take(struct rates *rates, uint64_t caller, struct rate_limit limit, int64_t now_ns);

/* rate_read - "50" or "50/200": so many a second, and at once. False: it is none. */
bool rate_read(const char *text, struct rate_limit *ret);

/* rate_is_above - whether it lets more through. */
bool rate_is_above(struct rate_limit a, struct rate_limit b);

#endif
