#include "kernels/cpu/codes8_tails.h"

#define CACHE_LINE 64

/* How many rows ahead of the one in hand a tail is asked for. */
#define AHEAD 8

/* The share of the rows that goes first: of so many drawn, the bound that so many reach. */
#define DRAWN 32
#define DRAWN_FIRST 4

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

static void rows_score(struct codes8_scan *scan, const struct codes8_waiting *rows, size_t n)
{
	const struct codes8 *codes = scan->range->codes;
	struct window *window = scan->probe->window;

	for (size_t i = 0; i < n && i < AHEAD; i++)
		tail_prefetch(codes, rows[i].place);
	for (size_t i = 0; i < n; i++) {
		struct codes8_full full = rows[i].full;
		float upper;

		if (i + AHEAD < n)
			tail_prefetch(codes, rows[i + AHEAD].place);
		if (rows[i].upper < window->threshold.score)
			continue;
		codes8_full_end(scan->kernel, scan->probe->query, codes, rows[i].place, &full);
		upper = codes8_upper_least(rows[i].upper, full.middle + full.slack);
		window_offer(window, (struct key){upper, scan->range->row_base + rows[i].place});
		scan->probe->tails_read++;
	}
	window_compact(window);
}

/* A bound that some of the n rows reach, about an eighth of them. */
static float bound_of_the_best(const struct codes8_waiting *rows, size_t n)
{
	float best[DRAWN_FIRST];

	for (size_t i = 0; i < DRAWN_FIRST; i++)
		best[i] = -INFINITY;
	for (size_t i = 0; i < DRAWN; i++) {
		float upper = rows[i * n / DRAWN].upper;
		size_t at = DRAWN_FIRST - 1;

		if (!(upper > best[at]))
			continue;
		for (; at > 0 && upper > best[at - 1]; at--)
			best[at] = best[at - 1];
		best[at] = upper;
	}
	return best[DRAWN_FIRST - 1] > -INFINITY ? best[DRAWN_FIRST - 1] : best[0];
}

void codes8_tails_settle(struct codes8_scan *scan, size_t keep)
{
	struct codes8_waiting first[CODES8_WAITING_MAX];

	while (scan->n > keep) {
		float best = bound_of_the_best(scan->waiting, scan->n);
		float threshold = scan->probe->window->threshold.score;
		size_t n = 0, n_first = 0;

		for (size_t i = 0; i < scan->n; i++) {
			struct codes8_waiting row = scan->waiting[i];

			first[n_first] = row;
			scan->waiting[n] = row;
			n_first += row.upper >= best;
			n += (row.upper < best) & (row.upper >= threshold);
		}
		scan->n = n;
		rows_score(scan, first, n_first);
	}
}
