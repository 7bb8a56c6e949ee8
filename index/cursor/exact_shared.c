/* exact_shared - the first fills of several walks, in one pass over what they have in common.
 *
 * Each walk goes through its snapshot by ranges, as alone. The ranges of sealed segments in hand that are
 * the same, codes and rows that are visible, are scanned at once: a block of codes is then fetched from
 * memory, which is what a scan waits for, once for all. Snapshots of different moments have most segments
 * in common, and walks with the same filter all that it leaves.
 */
#include "index/cursor/exact_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are scanned before it is looked who is not wanted any more. */
#define RANGE_ROWS 16384

/* What is done for all of them. */
struct pass {
	int64_t start_ns;
	size_t n;
	void (*done)(void *context, size_t place); /* NULL: nobody waits */
	void *context;
};

/* A walk on its way through its snapshot. */
struct part {
	const struct pass *pass;
	size_t number;
	struct exact *exact; /* not ours any more once the range is empty */
	uint64_t place;
	struct scan_range range; /* the next one, from place on; n 0: it is at its end */
	uint64_t n_seen;         /* rows of it that are left to look at */
	uint64_t bitmap[RANGE_ROWS / 64];
};

static struct exact *source_of(const struct cursor *chain)
{
	while (chain->upstream)
		chain = chain->upstream;
	return exact_is_source(chain) ? (struct exact *)(uintptr_t)chain : NULL;
}

bool exact_waits_for_scan(struct cursor *chain)
{
	struct exact *exact;

	for (struct cursor *stage = chain; stage; stage = stage->upstream)
		if (stage->ended || status_failed(stage->status))
			return false;
	exact = source_of(chain);
	return exact && exact_begins_with_scan(exact);
}

static bool are_the_same_places(const struct places *one, const struct places *other)
{
	if (!one || !other)
		return one == other;
	return one->count == other->count && one->n == other->n &&
	       memcmp(one->words, other->words, places_words(one->n) * sizeof one->words[0]) == 0;
}

bool exact_scans_alike(const struct cursor *one, const struct cursor *other)
{
	const struct exact *a = source_of(one), *b = source_of(other);

	/* Of the oldest rows: merging aside, newer segments are smaller. */
	return snapshot_sealed(a->snapshot, 0) == snapshot_sealed(b->snapshot, 0) &&
	       are_the_same_places(a->places, b->places);
}

/* It is not ours any more. */
static void part_end(struct part *part)
{
	const struct pass *pass = part->pass;
	struct exact *exact = part->exact;

	if (exact->fill != FILL_NONE)
		window_seal(&exact->window);
	/* What it cost, of what all of them took. */
	exact->base.walk->scan_ns += (clock_ns() - pass->start_ns) / (int64_t)pass->n;
	if (pass->done)
		pass->done(pass->context, part->number);
}

/* The range from its place on, if it goes on. One that is not wanted any more, or fails, is left as it was before,
 * and will say so itself: what a failure takes belongs to its call. */
static void part_seek(struct part *part, status so_far)
{
	struct exact *exact = part->exact;

	part->range.n = 0;
	if (!status_failed(so_far))
		so_far = deadline_check(exact->base.walk->deadline);
	if (status_failed(so_far) || collection_is_dropped(snapshot_collection(exact->snapshot)))
		exact->fill = FILL_NONE;
	if (exact->fill == FILL_NONE || !exact_seek(exact, &part->place)) {
		part_end(part);
		return;
	}
	snapshot_range(exact->snapshot, part->place, RANGE_ROWS, part->bitmap, &part->range);
	part->n_seen = exact_narrow(exact, part->place, part->bitmap, &part->range);
}

static void part_begin(struct part *part, const struct pass *pass, size_t number,
		       struct exact *exact)
{
	part->pass = pass;
	part->number = number;
	part->exact = exact;
	part->place = 0;
	part_seek(part, exact_fill_begin(exact));
}

/* Behind its range, which was scanned, or not. */
static void part_go_on(struct part *part, status scanned)
{
	if (!status_failed(scanned))
		exact_note_scan(part->exact, &part->range, part->n_seen);
	part->place += part->range.n;
	part_seek(part, scanned);
}

static bool have_the_same_range(const struct part *a, const struct part *b)
{
	const struct scan_range *x = &a->range, *y = &b->range;

	if (x->block || y->block || x->n != y->n || x->first != y->first ||
	    x->row_base != y->row_base || !x->visible != !y->visible)
		return false;
	if (snapshot_sealed(a->exact->snapshot, a->place) !=
	    snapshot_sealed(b->exact->snapshot, b->place))
		return false;
	return !x->visible || memcmp(a->bitmap, b->bitmap, (x->n + 63) / 64 * 8) == 0;
}

/* The part that is the least far; NULL: all are at their end. */
static struct part *hindmost(struct part *parts, size_t n)
{
	struct part *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (parts[i].range.n > 0 && (!found || parts[i].place < found->place))
			found = &parts[i];
	return found;
}

/* Scans the range of one part, for all that have the same, and brings them behind it. */
static void scan_for_all(struct part *parts, size_t n, struct part *first)
{
	struct part *same[EXACT_TOGETHER_MAX];
	struct exact *walks[EXACT_TOGETHER_MAX];
	status scanned[EXACT_TOGETHER_MAX];
	size_t n_same = 0;

	for (size_t i = 0; i < n; i++) {
		if (&parts[i] != first &&
		    (parts[i].range.n == 0 || !have_the_same_range(first, &parts[i])))
			continue;
		same[n_same] = &parts[i];
		walks[n_same++] = parts[i].exact;
	}
	if (n_same > 1)
		exact_codes_propose_together(walks, n_same, &first->range, scanned);
	else
		scanned[0] = exact_fill_range(first->exact, &first->range);
	for (size_t i = 0; i < n_same; i++)
		part_go_on(same[i], scanned[i]);
}

void exact_scan_together(struct cursor *const *chains, size_t n,
			 void (*done)(void *context, size_t place), void *context)
{
	const struct pass pass = {clock_ns(), n, done, context};
	struct part *parts = malloc(n * sizeof *parts), *first;

	assert(n >= 1 && n <= EXACT_TOGETHER_MAX);
	/* Without room each does its own. */
	for (size_t i = 0; i < n && !parts && done; i++)
		done(context, i);
	if (!parts)
		return;
	for (size_t i = 0; i < n; i++)
		part_begin(&parts[i], &pass, i, source_of(chains[i]));
	while ((first = hindmost(parts, n)))
		scan_for_all(parts, n, first);
	free(parts);
}
