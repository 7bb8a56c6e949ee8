/* batch - which searches go to the device together, and when. The policy alone: no device, no thread, and
 * what time it is, it is told. Every call is under a lock of whoever has the batcher.
 *
 * It conserves work: an idle device takes a search at once. While it is busy searches wait; when it has
 * become idle the one that came first goes, and with it those behind that are of its kind, as many as go
 * together. If these are a full batch, it goes behind the one that the device is at, so that the device
 * need not wait for its host in between. There are no priorities.
 * A search may leave at any time, and nothing changes for those that it waits or is under way with.
 *
 *	batcher_add(batcher, &ask, clock_ns());
 *	while ((batch = batcher_next(batcher, clock_ns())))
 *		... batch->asks[0] leads it: its thread brings it to the device ...
 */
#ifndef SLUICE_KERNELS_VULKAN_BATCH_H
#define SLUICE_KERNELS_VULKAN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Queries of a batch at most: with more the kernels are not bound by memory any more. */
#define BATCH_QUERIES 8

/* Batches that the device is given at once at most: the one that it is at and one behind. */
#define BATCHES_GIVEN 2

/* Batches that there are at most: given, or with the host, who reads what they brought. */
#define BATCHES 4

/* Searches go together where all of this is the same. */
struct batch_kind {
	const void *codes;
	uint64_t row_base;
	uint32_t first, n;
	uint32_t wanted; /* how much comes back, about */
};

enum ask_state {
	ASK_OUT,     /* not with the batcher */
	ASK_WAITING, /* for the device */
	ASK_UNDER_WAY,
	ASK_LATE, /* waits no longer: its deadline passed. To leave */
};

struct batch;

/* batch_ask - one search, of one or more queries. The caller's memory, from batcher_add until it is out. */
struct batch_ask {
	struct batch_kind kind;
	size_t n;      /* queries, 1 .. BATCH_QUERIES */
	int64_t at_ns; /* its deadline */

	/* The batcher's. */
	enum ask_state state;
	int64_t since_ns;    /* when it came */
	struct batch *batch; /* under way */
	struct batch_ask *next;
};

struct batch {
	struct batch_ask *asks[BATCH_QUERIES]; /* in the order of their coming; the first leads */
	size_t n_asks;                         /* that have not left; 0: nobody wants it any more */
	bool is_taken;                         /* it is one of those that there are */
	bool is_given;                         /* to the device */
};

struct batcher {
	size_t queries_max, given_max;   /* BATCH_QUERIES and BATCHES_GIVEN, but to measure */
	struct batch_ask *first, **last; /* waiting, by their coming */
	size_t given;
	struct batch batches[BATCHES];
};

void batcher_init(struct batcher *batcher);

/* batcher_add - the ask waits. What can go now is batcher_next's to say. */
void batcher_add(struct batcher *batcher, struct batch_ask *ask, int64_t now_ns);

/* batcher_next - a batch that is to go to the device now; NULL: none. Asked after each of the other calls,
 * until there is none. It is given to the device, until batcher_idle or batcher_end. */
struct batch *batcher_next(struct batcher *batcher, int64_t now_ns);

/* batcher_idle - the device is done with the batch, who goes on with it or not. batcher_again - it is
 * given to the device once more, at once. */
void batcher_idle(struct batcher *batcher, struct batch *batch);
void batcher_again(struct batcher *batcher, struct batch *batch);

/* batcher_leave - from wherever the ask is. A batch that it was the last of is still to be ended. */
void batcher_leave(struct batcher *batcher, struct batch_ask *ask);

/* batcher_end - whoever is still in the batch is out. */
void batcher_end(struct batcher *batcher, struct batch *batch);

#endif
