/* strata - counted segments, and counted lists of them. */
#include "index/strata.h"

#include "index/ann/ann.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct stratum *stratum_make(struct sealed *sealed)
{
	struct stratum *stratum = calloc(1, sizeof *stratum);

	if (!stratum)
		return NULL;
	atomic_init(&stratum->references, 1);
	atomic_init(&stratum->ann, NULL);
	stratum->sealed = sealed;
	return stratum;
}

struct stratum *stratum_reference(struct stratum *stratum)
{
	atomic_fetch_add_explicit(&stratum->references, 1, memory_order_relaxed);
	return stratum;
}

void stratum_release(struct stratum *stratum)
{
	if (!stratum ||
	    atomic_fetch_sub_explicit(&stratum->references, 1, memory_order_acq_rel) > 1)
		return;
	ann_close(atomic_load(&stratum->ann));
	sealed_close(stratum->sealed);
	free(stratum);
}

uint64_t stratum_memory_bytes(const struct stratum *stratum)
{
	const struct ann *ann = atomic_load(&stratum->ann);

	return sealed_memory_bytes(stratum->sealed) + (ann ? ann_memory_bytes(ann) : 0);
}

uint64_t stratum_disk_bytes(const struct stratum *stratum)
{
	const struct ann *ann = atomic_load(&stratum->ann);

	return sealed_disk_bytes(stratum->sealed) + (ann ? ann_disk_bytes(ann) : 0);
}

/* Without items; one allocation. */
static struct strata *strata_allocate(size_t n)
{
	struct strata *strata =
		calloc(1, sizeof *strata + n * (sizeof *strata->items + sizeof *strata->ends));

	if (!strata)
		return NULL;
	atomic_init(&strata->references, 1);
	strata->ends = (uint64_t *)(void *)(strata + 1);
	strata->items = (struct stratum **)(void *)(strata->ends + n);
	return strata;
}

static void strata_add(struct strata *strata, struct stratum *stratum)
{
	strata->items[strata->n] = stratum_reference(stratum);
	strata->ends[strata->n] = strata_places(strata) + sealed_length(stratum->sealed);
	strata->n++;
}

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
}

status strata_make(struct stratum *const *items, size_t n, struct strata **ret)
{
	struct strata *strata = strata_allocate(n);

	if (!strata)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		strata_add(strata, items[i]);
	*ret = strata;
	return status_ok();
}

status strata_replace(const struct strata *strata, size_t first, size_t end, struct stratum *with,
		      struct strata **ret)
{
	struct strata *made = strata_allocate(strata->n + 1);

	assert(first <= end && end <= strata->n);
	if (!made)
		return no_memory();
	for (size_t i = 0; i < first; i++)
		strata_add(made, strata->items[i]);
	if (with)
		strata_add(made, with);
	for (size_t i = end; i < strata->n; i++)
		strata_add(made, strata->items[i]);
	*ret = made;
	return status_ok();
}

struct strata *strata_reference(struct strata *strata)
{
	atomic_fetch_add_explicit(&strata->references, 1, memory_order_relaxed);
	return strata;
}

void strata_release(struct strata *strata)
{
	if (!strata || atomic_fetch_sub_explicit(&strata->references, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < strata->n; i++)
		stratum_release(strata->items[i]);
	free(strata);
}

uint64_t strata_last_row(const struct strata *strata)
{
	return sealed_last_row(strata->items[strata->n - 1]->sealed);
}

size_t strata_find(const struct strata *strata, const struct stratum *stratum)
{
	size_t i = 0;

	while (i < strata->n && strata->items[i] != stratum)
		i++;
	return i;
}
