/* strata - the sealed segments of a collection, in order of row: a list that never changes.
 *
 * What is sealed or merged makes a new list, which the collection then publishes; a snapshot goes on
 * with the one that it was opened over. Lists and segments are counted: a segment is closed with the
 * last list that has it, and its file, which has lost its name by then, gives its room back.
 * Which files the collection has is the manifest's to say, not a list's.
 */
#ifndef SLUICE_INDEX_STRATA_H
#define SLUICE_INDEX_STRATA_H

#include "index/segment/sealed.h"
#include "kernels/base/scope.h"

#include <stdatomic.h>
#include <stddef.h>

/* As many as the manifest's one value should name. */
#define STRATA_MAX 65536

struct ann;

/* stratum - a segment, and its approximate index once there is one. */
struct stratum {
	atomic_size_t references;
	struct sealed *sealed;     /* owned */
	_Atomic(struct ann *) ann; /* owned; NULL, and then set once */
	bool refused;              /* no index can be made of it; the writer's */
};

/* stratum_make - takes the segment; NULL without memory, and then it is still the caller's. */
struct stratum *stratum_make(struct sealed *sealed);
struct stratum *stratum_reference(struct stratum *stratum);
void stratum_release(struct stratum *stratum); /* NULL is fine */

/* stratum_memory_bytes, stratum_disk_bytes - segment and index; what is mapped is not memory. */
uint64_t stratum_memory_bytes(const struct stratum *stratum);
uint64_t stratum_disk_bytes(const struct stratum *stratum);

struct strata {
	atomic_size_t references;
	size_t n;
	struct stratum **items; /* [n] a reference to each */
	uint64_t *ends;         /* [n] the place behind each one */
};

/* strata_make - a list of these, [n]. Fails: RESOURCE_EXHAUSTED */
status strata_make(struct stratum *const *items, size_t n, struct strata **ret);

/* strata_replace - the list with one segment in the place of first .. end of it.
 * with  NULL: nothing comes in their place. Fails: RESOURCE_EXHAUSTED */
status strata_replace(const struct strata *strata, size_t first, size_t end, struct stratum *with,
		      struct strata **ret);

struct strata *strata_reference(struct strata *strata);
void strata_release(struct strata *strata); /* NULL is fine */

/* strata_begin - the place that segment i begins with; for i = n the number of all places. */
static inline uint64_t strata_begin(const struct strata *strata, size_t i)
{
	return i ? strata->ends[i - 1] : 0;
}

static inline uint64_t strata_places(const struct strata *strata)
{
	return strata_begin(strata, strata->n);
}

/* strata_last_row - of all; there is a segment. */
uint64_t strata_last_row(const struct strata *strata);

/* strata_find - which of them it is; n where it is none. */
size_t strata_find(const struct strata *strata, const struct stratum *stratum);

SCOPE_DEFINE(strata, strata_release)
SCOPE_DEFINE(stratum, stratum_release)

#endif
