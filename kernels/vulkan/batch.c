/* batch - a queue, and what of it goes along. */
#include "kernels/vulkan/batch.h"

#include <assert.h>

void batcher_init(struct batcher *batcher)
{
	*batcher = (struct batcher){.queries_max = BATCH_QUERIES, .given_max = BATCHES_GIVEN};
	batcher->last = &batcher->first;
}

void batcher_add(struct batcher *batcher, struct batch_ask *ask, int64_t now_ns)
{
	assert(ask->n >= 1 && ask->n <= BATCH_QUERIES && ask->state == ASK_OUT);
	ask->state = ASK_WAITING;
	ask->since_ns = now_ns;
	ask->batch = NULL;
	ask->next = NULL;
	*batcher->last = ask;
	batcher->last = &ask->next;
}

/* Takes the ask that a link of the queue names out of it. */
static struct batch_ask *unlink_at(struct batcher *batcher, struct batch_ask **link)
{
	struct batch_ask *ask = *link;

	*link = ask->next;
	if (batcher->last == &ask->next)
		batcher->last = link;
	ask->next = NULL;
	return ask;
}

static void drop_late(struct batcher *batcher, int64_t now_ns)
{
	struct batch_ask **link = &batcher->first;

	while (*link) {
		if ((*link)->at_ns <= now_ns)
			unlink_at(batcher, link)->state = ASK_LATE;
		else
			link = &(*link)->next;
	}
}

static bool kind_is(const struct batch_kind *a, const struct batch_kind *b)
{
	return a->codes == b->codes && a->row_base == b->row_base && a->first == b->first &&
	       a->n == b->n && a->wanted == b->wanted;
}

/* Whether the batch that goes next cannot grow: it has all it may, or somebody finds no room in it. */
static bool is_full(const struct batcher *batcher)
{
	const struct batch_kind *kind = &batcher->first->kind;
	size_t n = 0;

	for (const struct batch_ask *ask = batcher->first; ask; ask = ask->next) {
		if (!kind_is(&ask->kind, kind))
			continue;
		n += ask->n;
		if (n >= batcher->queries_max)
			return true;
	}
	return false;
}

static struct batch *batch_free(struct batcher *batcher)
{
	for (size_t i = 0; i < BATCHES; i++) {
		if (!batcher->batches[i].is_taken)
			return &batcher->batches[i];
	}
	return NULL;
}

/* Those behind that find room go along, even past one that does not: it loses nothing by that. */
static void batch_fill(struct batcher *batcher, struct batch *batch)
{
	struct batch_kind kind = batcher->first->kind;
	struct batch_ask **link = &batcher->first;
	size_t n = 0;

	while (*link && n < batcher->queries_max) {
		bool fits = n == 0 || n + (*link)->n <= batcher->queries_max;

		if (fits && kind_is(&(*link)->kind, &kind)) {
			struct batch_ask *ask = unlink_at(batcher, link);

			n += ask->n;
			ask->state = ASK_UNDER_WAY;
			ask->batch = batch;
			batch->asks[batch->n_asks++] = ask;
		} else {
			link = &(*link)->next;
		}
	}
}

struct batch *batcher_next(struct batcher *batcher, int64_t now_ns)
{
	struct batch *batch;

	drop_late(batcher, now_ns);
	if (!batcher->first || batcher->given >= batcher->given_max ||
	    (batcher->given > 0 && !is_full(batcher)))
		return NULL;
	batch = batch_free(batcher);
	if (!batch)
		return NULL;
	*batch = (struct batch){.is_taken = true};
	batch_fill(batcher, batch);
	batcher_again(batcher, batch);
	return batch;
}

void batcher_idle(struct batcher *batcher, struct batch *batch)
{
	assert(batch->is_given && batcher->given > 0);
	batch->is_given = false;
	batcher->given--;
}

void batcher_again(struct batcher *batcher, struct batch *batch)
{
	assert(batch->is_taken && !batch->is_given);
	batch->is_given = true;
	batcher->given++;
}

static void batch_remove(struct batch *batch, const struct batch_ask *ask)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->n_asks; i++) {
		if (batch->asks[i] != ask)
			batch->asks[n++] = batch->asks[i];
	}
	batch->n_asks = n;
}

void batcher_leave(struct batcher *batcher, struct batch_ask *ask)
{
	struct batch_ask **link = &batcher->first;

	if (ask->state == ASK_WAITING) {
		while (*link != ask)
			link = &(*link)->next;
		unlink_at(batcher, link);
	} else if (ask->state == ASK_UNDER_WAY) {
		batch_remove(ask->batch, ask);
		ask->batch = NULL;
	}
	ask->state = ASK_OUT;
}

void batcher_end(struct batcher *batcher, struct batch *batch)
{
	while (batch->n_asks > 0)
		batcher_leave(batcher, batch->asks[batch->n_asks - 1]);
	if (batch->is_given)
		batcher_idle(batcher, batch);
	batch->is_taken = false;
}
