/* codes8_tails - who waits is put into order by counting: as near as the order is worth. */
#include "kernels/cpu/codes8_tails.h"

#define CACHE_LINE 64

/* How many rows ahead of the one in hand a tail is asked for. */
#define AHEAD 8

/* From the best bound that waits down to what is of use. */
#define BUCKETS 64

/* Keys beyond its width after which a window of the least width is cut back, so that its threshold rises. */
#define COMPACT_KEYS 16

/* Rows that wait by their head bounds, the best bucket first; by arrival in a bucket. */
struct order {
	float top, per_score; /* the best bound, and buckets to a score */
	uint16_t ends[BUCKETS];
	uint16_t rows[CODES8_WAITING_MAX];
	uint8_t buckets[CODES8_WAITING_MAX];
};

static inline const unsigned char *tail_at(const struct codes8 *codes, uint32_t place)
{
	return codes->tails + place * codes->shape.tail_bytes;
}

void codes8_full_end(const struct codes8_kernel *kernel, const struct codes8_query *query,
		     const struct codes8 *codes, uint32_t place, struct codes8_full *full)
{
	const unsigned char *tail = tail_at(codes, place);
	float sides[2];
	int32_t dot;

	memcpy(sides, tail, sizeof sides);
	dot = kernel->tail(query, tail + sizeof sides);
	full->middle += ((float)dot * sides[0]) * query->tail.scale;
	full->slack += query->on_tail_residual * sides[1];
}

static void tail_prefetch(const struct codes8 *codes, uint32_t place)
{
	const unsigned char *tail = tail_at(codes, place);

	for (size_t i = 0; i < codes->shape.tail_bytes; i += CACHE_LINE)
		__builtin_prefetch(tail + i);
	__builtin_prefetch(tail + codes->shape.tail_bytes - 1);
}

/* Never less for a lower bound: what is behind the bucket of a threshold does not reach it. Infinite bounds make
 * what is not a number, and all go to the first. */
static inline uint32_t bucket_of(const struct order *order, float upper)
{
	float at = (order->top - upper) * order->per_score;

	if (!(at > 0))
		return 0;
	return at < BUCKETS - 1 ? (uint32_t)at : BUCKETS - 1;
}

static void order_measure(struct order *order, const struct codes8_scan *scan)
{
	float threshold = scan->probe->window->threshold.score, least = INFINITY;

	order->top = -INFINITY;
	for (size_t i = 0; i < scan->n; i++) {
		float upper = scan->waiting[i].upper;

		order->top = upper > order->top ? upper : order->top;
		least = upper < least ? upper : least;
	}
	least = threshold > least ? threshold : least;
	order->per_score = order->top > least ? (BUCKETS - 1) / (order->top - least) : 0;
}

static void order_make(struct order *order, const struct codes8_scan *scan)
{
	uint16_t n = 0;

	order_measure(order, scan);
	memset(order->ends, 0, sizeof order->ends);
	for (size_t i = 0; i < scan->n; i++) {
		order->buckets[i] = (uint8_t)bucket_of(order, scan->waiting[i].upper);
		order->ends[order->buckets[i]]++;
	}
	/* Where each begins; that moves to where it ends. */
	for (size_t i = 0; i < BUCKETS; i++) {
		uint16_t begin = n;

		n = (uint16_t)(n + order->ends[i]);
		order->ends[i] = begin;
	}
	for (size_t i = 0; i < scan->n; i++)
		order->rows[order->ends[order->buckets[i]]++] = (uint16_t)i;
}

static void row_score(struct codes8_scan *scan, const struct codes8_waiting *row)
{
	struct window *window = scan->probe->window;
	struct codes8_full full = row->full;
	float upper;

	if (row->upper < window->threshold.score)
		return;
	codes8_full_end(scan->kernel, scan->probe->query, scan->range->codes, row->place, &full);
	upper = codes8_upper_least(row->upper, full.middle + full.slack);
	window_offer(window, (struct key){upper, scan->range->row_base + row->place});
	window_assure(window, full.middle - full.slack);
	scan->probe->tails_read++;
}

/* The rows of the order from begin to end. */
static void rows_score(struct codes8_scan *scan, const struct order *order, size_t begin,
		       size_t end)
{
	struct window *window = scan->probe->window;

	for (size_t i = begin; i < end; i++) {
		if (i + AHEAD < scan->n)
			tail_prefetch(scan->range->codes,
				      scan->waiting[order->rows[i + AHEAD]].place);
		row_score(scan, &scan->waiting[order->rows[i]]);
	}
	if (window->n >= window->width + window->width / 8 + COMPACT_KEYS)
		window_compact(window);
}

/* Leaves those that are in no bucket before `bucket` and may be of use. */
static void rows_drop(struct codes8_scan *scan, const struct order *order, size_t bucket)
{
	float threshold = scan->probe->window->threshold.score;
	size_t n = 0;

	for (size_t i = 0; i < scan->n; i++) {
		struct codes8_waiting row = scan->waiting[i];

		scan->waiting[n] = row;
		n += (order->buckets[i] >= bucket) & (row.upper >= threshold);
	}
	scan->n = n;
}

void codes8_tails_settle(struct codes8_scan *scan, size_t keep)
{
	const struct window *window = scan->probe->window;
	struct order order;
	size_t done = 0, bucket = 0;

	if (scan->n <= keep)
		return;
	order_make(&order, scan);
	for (size_t i = 0; i < scan->n && i < AHEAD; i++)
		tail_prefetch(scan->range->codes, scan->waiting[order.rows[i]].place);
	/* Up to the bucket of the threshold rows may be of use. */
	while (bucket < BUCKETS) {
		uint32_t last = bucket_of(&order, window->threshold.score);

		if (bucket > last || order.ends[last] <= done + keep)
			break;
		rows_score(scan, &order, done, order.ends[bucket]);
		done = order.ends[bucket++];
	}
	window_compact(scan->probe->window);
	if (keep > 0)
		rows_drop(scan, &order, bucket);
	else
		scan->n = 0;
}
