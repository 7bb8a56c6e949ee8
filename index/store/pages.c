/* pages - LMDB's format as far as a walk needs it (version 1 of its data files).
 *
 *	page   u64 its number, u16, u16 flags, u16 lower and u16 upper bound of the room between offsets
 *	       and nodes; in the first of a run of pages u32 their number in place of the bounds
 *	node   u16 low, u16 high, u16 flags, u16 key size, key, data. low and high are the data's size; in
 *	       a branch they and the flags are the number of a page, and there is no data
 *	tree   u32, u16 flags, u16 depth, u64 branches, leaves, pages in runs, entries, root
 *	meta   in the first two pages, behind their head: u32 magic, u32 version, u64, u64 size of the
 *	       map, tree of free pages (its u32 is the size of a page), tree of tables, u64 last page,
 *	       u64 transaction
 */
#include "index/store/pages.h"

#include "index/file/file_io.h"
#include "kernels/base/bytes.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT32_C(0xBEEFC0DE)
#define VERSION 1
#define HEAD_BYTES 16
#define NODE_BYTES 8
#define META_BYTES 136
#define META_PAGES 2
#define DEPTH_MAX 32
#define NO_PAGE UINT64_MAX
#define PAGE_BYTES_MAX 32768
#define WINDOW_BYTES ((size_t)256 << 10)
#define WINDOWS 32

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_RUN = 4, PAGE_KINDS = 0x6F };
enum { NODE_IN_RUN = 1, NODE_TREE = 2 };

struct tree {
	uint64_t branches, leaves, run_pages, entries, root;
	unsigned depth, flags;
};

#define FREE_FLAGS 8U /* keys are integers */

struct window {
	uint64_t number; /* of its first byte in windows; nothing counts where size is 0 */
	size_t size;
	uint8_t data[WINDOW_BYTES];
};

struct page_walk {
	struct arena *arena;
	int descriptor; /* -1: none */
	size_t page_bytes;
	uint64_t n_pages, n_there; /* by its last page; in the file */
	struct tree free, tables;
	uint8_t *used, *is_free; /* bits; owned */
	struct window *windows;  /* [WINDOWS] owned; NULL: none */
	uint8_t *levels;         /* a page for each level of a tree; owned */
	struct pages_count count;
};

static void page_walk_finish(struct page_walk *walk)
{
	if (walk->descriptor >= 0)
		(void)file_close(walk->descriptor);
	free(walk->used);
	free(walk->is_free);
	free(walk->levels);
	free(walk->windows);
}

SCOPE_DEFINE(page_walk, page_walk_finish)

static unsigned load_u16(const uint8_t *at)
{
	return (unsigned)at[0] | (unsigned)at[1] << 8;
}

static status damaged(const struct page_walk *walk, uint64_t page, const char *how)
{
	return status_as(status_format(walk->arena, STATUS_DATA_LOSS, "page %llu %s",
				       (unsigned long long)page, how),
			 REASON_DATA_CORRUPT);
}

/* Pages that were made together lie together, so a read brings their neighbours too: a system call takes
 * longer than a page. */
static const struct window *window_at(struct page_walk *walk, uint64_t offset)
{
	uint64_t number = offset / WINDOW_BYTES;
	struct window *window = &walk->windows[number % WINDOWS];
	ssize_t n;

	if (window->number == number && window->size > 0)
		return window;
	n = file_read(walk->descriptor, window->data, WINDOW_BYTES, number * WINDOW_BYTES);
	window->number = number;
	window->size = n > 0 ? (size_t)n : 0;
	return window;
}

static bool read_from_window(struct page_walk *walk, void *ret, size_t size, uint64_t offset)
{
	size_t at = (size_t)(offset % WINDOW_BYTES);
	const struct window *window;

	if (!walk->windows || at + size > WINDOW_BYTES)
		return false;
	window = window_at(walk, offset);
	if (at + size > window->size)
		return false;
	memcpy(ret, window->data + at, size);
	return true;
}

static status read_at(struct page_walk *walk, void *ret, size_t size, uint64_t offset)
{
	ssize_t n;

	if (read_from_window(walk, ret, size, offset))
		return status_ok();
	n = file_read(walk->descriptor, ret, size, offset);
	if (n < 0)
		return status_format(walk->arena, STATUS_DATA_LOSS,
				     "at byte %llu it cannot be read", (unsigned long long)offset);
	if ((size_t)n < size)
		return status_make(STATUS_DATA_LOSS, "it is cut off");
	return status_ok();
}

/* --- which pages are taken --- */

static bool has_bit(const uint8_t *bits, uint64_t i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void set_bit(uint8_t *bits, uint64_t i)
{
	bits[i / 8] |= (uint8_t)(1U << i % 8);
}

static status take(struct page_walk *walk, uint64_t first, uint64_t n)
{
	if (first < META_PAGES || first >= walk->n_pages || n > walk->n_pages - first)
		return damaged(walk, first, "is none of the file's, and is pointed to");
	for (uint64_t page = first; page < first + n; page++) {
		if (has_bit(walk->used, page))
			return damaged(walk, page, "is in two places");
		set_bit(walk->used, page);
	}
	walk->count.used += n;
	return status_ok();
}

/* --- a tree --- */

/* What a walk of one tree does with its entries. */
typedef status entry_visit(struct page_walk *walk, uint64_t page, unsigned flags,
			   struct bytes data);

struct tree_walk {
	struct page_walk *walk;
	entry_visit *visit;
	struct tree found;
	unsigned depth;
	bool integers; /* its keys are numbers of eight bytes, and not strings */
};

static struct tree tree_of(const uint8_t *at)
{
	return (struct tree){
		.flags = load_u16(at + 4),
		.depth = load_u16(at + 6),
		.branches = load_u64(at + 8),
		.leaves = load_u64(at + 16),
		.run_pages = load_u64(at + 24),
		.entries = load_u64(at + 32),
		.root = load_u64(at + 40),
	};
}

/* Reads a page and holds its head against what it has to be. */
static status read_page(struct tree_walk *tree, uint64_t page, unsigned level, uint8_t *at)
{
	struct page_walk *walk = tree->walk;
	unsigned kind = level + 1 < tree->depth ? PAGE_BRANCH : PAGE_LEAF;
	unsigned lower, upper;

	TRY(take(walk, page, 1));
	TRY(read_at(walk, at, walk->page_bytes, page * walk->page_bytes));
	lower = load_u16(at + 12);
	upper = load_u16(at + 14);
	if (load_u64(at) != page)
		return damaged(walk, page, "says that it is another");
	if ((load_u16(at + 10) & PAGE_KINDS) != kind)
		return damaged(walk, page, "is of another kind than its tree has there");
	if (lower < HEAD_BYTES || lower % 2 || lower > upper || upper > walk->page_bytes)
		return damaged(walk, page, "has bounds that cannot be");
	tree->found.branches += kind == PAGE_BRANCH;
	tree->found.leaves += kind == PAGE_LEAF;
	return status_ok();
}

/* A node lies whole behind the offsets. data_bytes  what of it is in the page. */
static status check_node(const struct page_walk *walk, uint64_t page, const uint8_t *at,
			 unsigned offset, size_t data_bytes)
{
	size_t size = NODE_BYTES;

	if (offset < load_u16(at + 14) || offset + size > walk->page_bytes)
		return damaged(walk, page, "has an entry outside of it");
	size += load_u16(at + offset + 6) + data_bytes;
	if (size > walk->page_bytes - offset)
		return damaged(walk, page, "has an entry that is longer than it");
	return status_ok();
}

/* Data in pages of their own: a run, whose number of pages stands in the first. A value that was made
 * smaller within a transaction leaves some of them unused. */
static status take_run(struct tree_walk *tree, uint64_t first, size_t size)
{
	struct page_walk *walk = tree->walk;
	uint64_t least = (HEAD_BYTES + (uint64_t)size + walk->page_bytes - 1) / walk->page_bytes;
	uint8_t head[HEAD_BYTES];

	TRY(take(walk, first, least));
	TRY(read_at(walk, head, sizeof head, first * walk->page_bytes));
	if (load_u64(head) != first || (load_u16(head + 10) & PAGE_KINDS) != PAGE_RUN ||
	    load_u32(head + 12) < least)
		return damaged(walk, first, "should begin a long value, and does not");
	if (load_u32(head + 12) > least)
		TRY(take(walk, first + least, load_u32(head + 12) - least));
	tree->found.run_pages += load_u32(head + 12);
	return status_ok();
}

static status visit_run(struct tree_walk *tree, uint64_t first, size_t size, unsigned flags)
{
	struct page_walk *walk = tree->walk;
	uint8_t *data;
	status s;

	TRY(take_run(tree, first, size));
	if (!tree->visit)
		return status_ok();
	data = malloc(size);
	if (!data)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a long value");
	s = read_at(walk, data, size, first * walk->page_bytes + HEAD_BYTES);
	if (!status_failed(s))
		s = tree->visit(walk, first, flags & ~(unsigned)NODE_IN_RUN, bytes_of(data, size));
	free(data);
	return s;
}

static status visit_entry(struct tree_walk *tree, uint64_t page, const uint8_t *at, unsigned offset)
{
	struct page_walk *walk = tree->walk;
	const uint8_t *node = at + offset, *data;
	unsigned flags;
	size_t size;

	TRY(check_node(walk, page, at, offset, 0));
	size = load_u32(node);
	flags = load_u16(node + 4);
	data = node + NODE_BYTES + load_u16(node + 6);
	if (flags > (NODE_IN_RUN | NODE_TREE) || flags == (NODE_IN_RUN | NODE_TREE))
		return damaged(walk, page, "has an entry of a kind that is not known");
	TRY(check_node(walk, page, at, offset, flags & NODE_IN_RUN ? sizeof(uint64_t) : size));
	tree->found.entries++;
	if (flags & NODE_IN_RUN)
		return visit_run(tree, load_u64(data), size, flags);
	return tree->visit ? tree->visit(walk, page, flags, bytes_of(data, size)) : status_ok();
}

/* What of a node is in its page, rounded up to two bytes. */
static size_t node_bytes(const uint8_t *node, bool is_branch)
{
	size_t size = NODE_BYTES + load_u16(node + 6);

	if (!is_branch)
		size += load_u16(node + 4) & NODE_IN_RUN ? sizeof(uint64_t) : load_u32(node);
	return (size + 1) & ~(size_t)1;
}

/* LMDB leaves no room between nodes: they fill the page from its upper bound to its end. So a size or an
 * offset that is wrong shows, whatever it makes of a key. */
static status check_nodes(const struct tree_walk *tree, uint64_t page, const uint8_t *at)
{
	const struct page_walk *walk = tree->walk;
	unsigned n = (load_u16(at + 12) - HEAD_BYTES) / 2, upper = load_u16(at + 14);
	bool is_branch = load_u16(at + 10) & PAGE_BRANCH;
	uint8_t taken[PAGE_BYTES_MAX / 16] = {0};
	size_t total = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned offset = load_u16(at + HEAD_BYTES + 2 * i);
		size_t size;

		TRY(check_node(walk, page, at, offset, 0));
		size = node_bytes(at + offset, is_branch);
		if (offset % 2 || size > walk->page_bytes - offset)
			return damaged(walk, page, "has an entry that is longer than it");
		for (size_t half = offset / 2; half < (offset + size) / 2; half++) {
			if (has_bit(taken, half))
				return damaged(walk, page, "has entries in the same place");
			set_bit(taken, half);
		}
		total += size;
	}
	return total == walk->page_bytes - upper
		       ? status_ok()
		       : damaged(walk, page, "has entries of other sizes than its own");
}

/* Where the keys of a page lie: from the first on, before the other. NULL: there is no such bound. */
struct key_range {
	struct bytes from, end;
};

static struct bytes key_of(const uint8_t *at, unsigned i)
{
	const uint8_t *node = at + load_u16(at + HEAD_BYTES + 2 * i);

	return bytes_of(node + NODE_BYTES, load_u16(node + 6));
}

static bool key_is_before(const struct tree_walk *tree, struct bytes a, struct bytes b)
{
	if (tree->integers)
		return load_u64(a.data) < load_u64(b.data);
	return bytes_compare(a, b) < 0;
}

/* A search that is led by a wrong key finds nothing, where there is something. The first key of a branch
 * is not looked at by anybody. */
static status check_keys(const struct tree_walk *tree, uint64_t page, const uint8_t *at,
			 const struct key_range *range)
{
	unsigned n = (load_u16(at + 12) - HEAD_BYTES) / 2;
	bool is_branch = load_u16(at + 10) & PAGE_BRANCH;

	for (unsigned i = is_branch; i < n; i++) {
		struct bytes key = key_of(at, i);

		if (tree->integers && key.size != sizeof(uint64_t))
			return damaged(tree->walk, page, "has a key of a size that cannot be");
		if ((range->from.data && key_is_before(tree, key, range->from)) ||
		    (range->end.data && !key_is_before(tree, key, range->end)) ||
		    (i > is_branch && !key_is_before(tree, key_of(at, i - 1), key)))
			return damaged(tree->walk, page, "has keys that are not in order");
	}
	return status_ok();
}

static status visit_page(struct tree_walk *tree, uint64_t page, unsigned level,
			 const struct key_range *range)
{
	struct page_walk *walk = tree->walk;
	uint8_t *at = walk->levels + level * walk->page_bytes;
	unsigned n;

	TRY(read_page(tree, page, level, at));
	n = (load_u16(at + 12) - HEAD_BYTES) / 2;
	TRY(check_nodes(tree, page, at));
	TRY(check_keys(tree, page, at, range));
	for (unsigned i = 0; i < n; i++) {
		unsigned offset = load_u16(at + HEAD_BYTES + 2 * i);
		const struct key_range own = {
			.from = i > 0 ? key_of(at, i) : range->from,
			.end = i + 1 < n ? key_of(at, i + 1) : range->end,
		};

		if (level + 1 == tree->depth)
			TRY(visit_entry(tree, page, at, offset));
		else
			TRY(visit_page(tree,
				       load_u32(at + offset) | (uint64_t)load_u16(at + offset + 4)
								       << 32,
				       level + 1, &own));
	}
	return status_ok();
}

static entry_visit visit_free;

/* A tree within another is walked meanwhile, in other pages of `levels`. */
static status walk_tree(struct page_walk *walk, const struct tree *tree, unsigned at_level,
			entry_visit *visit)
{
	struct tree_walk own = {.walk = walk,
				.visit = visit,
				.depth = tree->depth,
				.integers = visit == visit_free};
	const struct key_range all = {0};
	uint8_t *levels = walk->levels;
	status s;

	if (tree->depth > DEPTH_MAX || (tree->root == NO_PAGE) != (tree->depth == 0))
		return status_make(STATUS_DATA_LOSS, "a tree has a depth that cannot be");
	if (tree->flags != (visit == visit_free ? FREE_FLAGS : 0U))
		return status_make(STATUS_DATA_LOSS, "a tree is of a kind that is not known");
	if (tree->root == NO_PAGE)
		return status_ok();
	walk->levels += at_level * walk->page_bytes;
	s = visit_page(&own, tree->root, 0, &all);
	walk->levels = levels;
	TRY(s);
	if (own.found.branches != tree->branches || own.found.leaves != tree->leaves ||
	    own.found.run_pages != tree->run_pages || own.found.entries != tree->entries)
		return damaged(walk, tree->root,
			       "is the root of a tree that has other numbers of pages and entries "
			       "than it says");
	return status_ok();
}

/* --- the two trees --- */

static status visit_table(struct page_walk *walk, uint64_t page, unsigned flags, struct bytes data)
{
	struct tree table;

	if (!(flags & NODE_TREE) || data.size != 48)
		return damaged(walk, page, "has an entry that is no table");
	table = tree_of(data.data);
	return walk_tree(walk, &table, DEPTH_MAX, NULL);
}

/* Their number, and then they. */
static status visit_free(struct page_walk *walk, uint64_t page, unsigned flags, struct bytes data)
{
	uint64_t n = data.size >= 8 ? load_u64(data.data) : 0;

	if (flags || data.size < 8 || n > data.size / 8 - 1)
		return damaged(walk, page, "has a list of free pages that cannot be");
	for (uint64_t i = 1; i <= n; i++) {
		uint64_t free_page = load_u64(data.data + 8 * i);

		if (free_page < META_PAGES || free_page >= walk->n_pages)
			return damaged(walk, free_page,
				       "is none of the file's, and listed as free");
		if (has_bit(walk->is_free, free_page))
			return damaged(walk, free_page, "is listed as free twice");
		set_bit(walk->is_free, free_page);
	}
	walk->count.free += n;
	return status_ok();
}

/* LMDB does not write a page that it took and gave back in one transaction, so that the last ones may
 * not be there. */
static status check_all(struct page_walk *walk)
{
	for (uint64_t page = META_PAGES; page < walk->n_pages; page++) {
		bool is_free = has_bit(walk->is_free, page), used = has_bit(walk->used, page);

		if (is_free && used)
			return damaged(walk, page, "is in use and listed as free");
		if (page >= walk->n_there && !is_free)
			return damaged(walk, page, "is missing: the file is cut off");
		walk->count.lost += !is_free && !used;
	}
	return status_ok();
}

/* --- the file --- */

struct meta {
	uint64_t transaction, last_page;
	uint32_t page_bytes;
	struct tree free, tables;
};

/* False: it cannot be one. */
static bool meta_parse(const uint8_t *page, struct meta *ret)
{
	const uint8_t *at = page + HEAD_BYTES;

	*ret = (struct meta){
		.page_bytes = load_u32(at + 24),
		.free = tree_of(at + 24),
		.tables = tree_of(at + 72),
		.last_page = load_u64(at + 120),
		.transaction = load_u64(at + 128),
	};
	return load_u32(at) == MAGIC && (load_u32(at + 4) & 0xFFFF) == VERSION &&
	       ret->page_bytes >= 512 && ret->page_bytes <= PAGE_BYTES_MAX &&
	       (ret->page_bytes & (ret->page_bytes - 1)) == 0;
}

/* The newer one holds; that the other can be none is damage too, for it may be needed. */
static status read_metas(struct page_walk *walk, struct meta *ret)
{
	uint8_t page[HEAD_BYTES + META_BYTES];
	struct meta first, second;

	TRY(read_at(walk, page, sizeof page, 0));
	if (!meta_parse(page, &first))
		return damaged(walk, 0, "is not the head of a data file");
	TRY(read_at(walk, page, sizeof page, first.page_bytes));
	if (!meta_parse(page, &second) || second.page_bytes != first.page_bytes)
		return damaged(walk, 1, "is not the head of a data file");
	*ret = first.transaction >= second.transaction ? first : second;
	return status_ok();
}

static status begin(struct page_walk *walk, const char *path)
{
	struct meta meta = {0};
	struct stat about;

	walk->descriptor = file_open(path, O_RDONLY);
	if (walk->descriptor < 0 || fstat(walk->descriptor, &about))
		return status_make(STATUS_DATA_LOSS, "it cannot be opened");
	(void)posix_fadvise(walk->descriptor, 0, 0, POSIX_FADV_RANDOM);
	TRY(read_metas(walk, &meta));
	walk->page_bytes = meta.page_bytes;
	walk->n_there = (uint64_t)about.st_size / meta.page_bytes;
	walk->n_pages = meta.last_page + 1;
	walk->free = meta.free;
	walk->tables = meta.tables;
	/* A transaction takes 2^17 pages at most that it does not write. */
	if (walk->n_pages < META_PAGES || walk->n_pages > walk->n_there + (1 << 17))
		return status_make(STATUS_DATA_LOSS, "it is cut off");
	walk->used = calloc(walk->n_pages / 8 + 1, 1);
	walk->is_free = calloc(walk->n_pages / 8 + 1, 1);
	walk->levels = malloc((2 * DEPTH_MAX + 1) * walk->page_bytes);
	walk->windows = calloc(WINDOWS, sizeof *walk->windows);
	if (!walk->used || !walk->is_free || !walk->levels || !walk->windows)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to walk a data file");
	return status_ok();
}

status pages_walk(const char *path, struct arena *arena, struct pages_count *ret)
{
	SCOPED(page_walk) walk = &(struct page_walk){.arena = arena, .descriptor = -1};

	TRY(begin(walk, path));
	TRY(walk_tree(walk, &walk->free, 0, visit_free));
	TRY(walk_tree(walk, &walk->tables, 0, visit_table));
	TRY(check_all(walk));
	*ret = walk->count;
	return status_ok();
}
