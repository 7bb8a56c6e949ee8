/* violations - what a check finds, as the status that a call ends with. */
#ifndef SLUICE_SERVICE_SCHEMA_VIOLATIONS_H
#define SLUICE_SERVICE_SCHEMA_VIOLATIONS_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "service/schema/schema.h"

/* What a client is told in full; of what is beyond, how many. */
#define VIOLATIONS_MAX 16
#define VIOLATIONS_BYTES_MAX ((size_t)4096)
/* Counted no further: a message of 4 MiB can be wrong a million times. */
#define VIOLATIONS_COUNTED_MAX 1000

/* violations_check - check_message under the server's limits (check_limits_strict).
 * arena  takes the detail and the violations.
 * Fails: INVALID_ARGUMENT (SCHEMA_VIOLATION with every violation: the detail is the first one and how
 * many follow; or MALFORMED_MESSAGE) RESOURCE_EXHAUSTED */
status violations_check(const struct schema_message *message, struct bytes bytes,
			struct arena *arena);

#endif
