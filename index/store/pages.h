/* pages - the pages of a data file, walked from its root without LMDB.
 *
 * LMDB has no checksums over its pages and trusts what stands in them: a damaged one makes it read
 * somewhere else, assert, or hand out a page that is in use. Here every page is read by number into a
 * buffer, and each size and offset in it is held against the page. In the end each page of the file is
 * in exactly one place of one tree, or on the list of free ones, the trees have as many pages and
 * entries as they say, and every key is where a search looks for it. What values say is under checksums
 * of their own (value.h).
 *
 * Nobody writes the file meanwhile. Private to this folder and its tests.
 */
#ifndef SLUICE_INDEX_STORE_PAGES_H
#define SLUICE_INDEX_STORE_PAGES_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stdint.h>

struct pages_count {
	uint64_t used, free;
	uint64_t lost; /* neither: room that is never used again, and no harm */
};

/* pages_walk - of the newest state that the file holds. Heap: two bits a page, and 8 MiB.
 * Fails: DATA_LOSS (the first damage, with the page's number) RESOURCE_EXHAUSTED INTERNAL */
status pages_walk(const char *path, struct arena *arena, struct pages_count *ret);

#endif
