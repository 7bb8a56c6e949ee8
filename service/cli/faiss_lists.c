/* faiss_lists - the inverted lists of an IVF: sizes, then for each list codes and ids.
 *
 * Sizes are "full", one for each list, or "sprs", pairs of a list and its size. Either way the lists
 * with something in them follow in ascending order, which is all that is needed of their numbers.
 */
#include "kernels/base/bytes.h"
#include "service/cli/faiss_walk.h"

#include <stdlib.h>

#define IDS_AT_ONCE 1024

/* The list's entries behind the n that are there. */
static status take_list(struct faiss_walk *walk, uint64_t size, uint64_t n,
			struct faiss_layout *layout)
{
	struct faiss_entry *to = layout->entries + n;
	uint64_t at = walk->at;
	int64_t ids[IDS_AT_ONCE];

	if (size > layout->shape.rows - n)
		return walk_damaged(walk, "its lists hold more vectors than it has");
	TRY(walk_skip(walk, size, layout->code_bytes));
	for (uint64_t done = 0; done < size;) {
		uint64_t part = size - done < IDS_AT_ONCE ? size - done : IDS_AT_ONCE;

		TRY(walk_bytes(walk, ids, part * sizeof *ids));
		for (uint64_t i = 0; i < part; i++)
			to[done + i] =
				(struct faiss_entry){ids[i], at + (done + i) * layout->code_bytes};
		done += part;
	}
	return status_ok();
}

/* numbers  of one item of the sizes, 1 or 2; the size is the last of them. */
static status take_lists(struct faiss_walk *walk, uint64_t n_lists, size_t numbers,
			 struct faiss_layout *layout)
{
	uint64_t n_numbers, sizes_at, n = 0, next_list = 0;

	TRY(walk_vector(walk, sizeof(uint64_t), &n_numbers, &sizes_at));
	if (numbers == 1 ? n_numbers != n_lists : n_numbers / 2 > n_lists || n_numbers % 2)
		return walk_damaged(walk, "it has another number of lists than it says");
	for (uint64_t i = 0; i < n_numbers; i += numbers) {
		uint64_t item[2], size;

		TRY(faiss_source_read(walk->source, sizes_at + i * sizeof *item, item,
				      numbers * sizeof *item));
		size = item[numbers - 1];
		if (numbers == 2 && (item[0] >= n_lists || item[0] < next_list))
			return walk_damaged(walk, "its lists are out of order");
		next_list = item[0] + 1;
		TRY(take_list(walk, size, n, layout));
		n += size;
	}
	if (n != layout->shape.rows)
		return walk_damaged(walk, "its lists hold fewer vectors than it has");
	return status_ok();
}

static int compare_entries(const void *a, const void *b)
{
	const struct faiss_entry *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	/* One id twice: in the order of the file, on every machine. */
	return x->at < y->at ? -1 : x->at > y->at;
}

status walk_lists(struct faiss_walk *walk, uint64_t n_lists, struct faiss_layout *layout)
{
	uint64_t rows = layout->shape.rows, sizes[2];
	char kind[4], form[4];

	TRY(walk_bytes(walk, kind, sizeof kind));
	if (memcmp(kind, "il00", 4) == 0 && rows == 0)
		return status_ok();
	if (memcmp(kind, "ilar", 4) != 0)
		return walk_damaged(walk, "its lists are not in the file, or of no known kind");
	TRY(walk_bytes(walk, sizes, sizeof sizes));
	TRY(walk_bytes(walk, form, sizeof form));
	if (sizes[0] != n_lists || sizes[1] != layout->code_bytes)
		return walk_damaged(walk, "its lists are those of another index");
	/* Before memory is taken by that number: each has a code and an id in the file. */
	if (rows > walk->source->size / (layout->code_bytes + sizeof(int64_t)))
		return walk_damaged(walk, "it is too short for its vectors");
	layout->entries = malloc((rows ? rows : 1) * sizeof *layout->entries);
	if (!layout->entries)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for the ids of an IVF");
	if (memcmp(form, "full", 4) == 0)
		TRY(take_lists(walk, n_lists, 1, layout));
	else if (memcmp(form, "sprs", 4) == 0)
		TRY(take_lists(walk, n_lists, 2, layout));
	else
		return walk_damaged(walk, "the sizes of its lists are of no known form");
	qsort(layout->entries, rows, sizeof *layout->entries, compare_entries);
	return status_ok();
}
