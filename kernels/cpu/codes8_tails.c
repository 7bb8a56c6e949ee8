#include "kernels/cpu/codes8_tails.h"

#include "kernels/codes8_round.h"

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

struct codes8_full codes8_full_bound(const struct codes8_kernel *kernel,
				     const struct codes8_query *query, const struct codes8 *codes,
				     uint32_t place, int32_t dot)
{
	const unsigned char *block = codes8_block_at(codes, place);
	const struct codes8_sides *sides = (const struct codes8_sides *)(const void *)block;
	size_t row = place % CODES8_ROWS;
	float scale = codes8_half_float(sides->scale[row]), side[2];
	struct codes8_full full = {.middle = ((float)dot * scale) * query->head.scale};

	full.slack = (query->on_residual * codes8_half_float(sides->residual[row]) +
		      query->on_norm * codes8_half_float(sides->norm[row])) +
		     query->on_rest_full * codes8_half_float(sides->rest[row]);
	if (codes->shape.tail) {
		const unsigned char *tail = tail_at(codes, place);

		memcpy(side, tail, sizeof side);
		dot = kernel->tail(query, tail + sizeof side);
		full.middle += ((float)dot * side[0]) * query->tail.scale;
		full.slack += query->on_tail_residual * side[1];
	}
	if (codes->shape.metric == METRIC_L2) {
		float square = ((const float *)(const void *)(sides + 1))[row];

		full.middle -= query->qq + square;
		full.slack += query->on_square * square;
	}
	full.slack += query->absolute;
	return full;
}

/* The sides are fetched anew as well: the block may have left the cache. */
static void tail_prefetch(const struct codes8 *codes, uint32_t place)
{
	const unsigned char *tail = tail_at(codes, place), *block = codes8_block_at(codes, place);

	__builtin_prefetch(block);
	__builtin_prefetch(block + sizeof(struct codes8_sides) - 1);
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
		struct codes8_full full;
		float upper;

		if (i + AHEAD < n)
			tail_prefetch(codes, rows[i + AHEAD].place);
		if (rows[i].upper < window->threshold.score)
			continue;
		full = codes8_full_bound(scan->kernel, scan->probe->query, codes, rows[i].place,
					 rows[i].dot);
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
