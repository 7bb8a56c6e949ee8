/* lists_find - a query: the rows that a walk keeps, with bounds that hold. */
#include "index/ann/lists_state.h"

#include <math.h>
#include <string.h>

/* Where the table has nothing to say all is read, and so much kept for each hit. */
#define KEEP_FACTOR 8

/* Of no segment: they have fewer rows. */
#define NO_PLACE UINT32_MAX

/* As window_init, in the arena. */
static status window_of(struct arena *arena, uint32_t width, struct window *ret)
{
	struct key *keys = arena_alloc(arena, 2 * sizeof *keys * width);

	if (!keys)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	*ret = (struct window){.keys = keys, .width = width};
	return window_clear(ret, width);
}

static void setting_choose(const struct lists *lists, const struct ann_probe *probe,
			   struct lists_setting *ret)
{
	uint64_t all = (uint64_t)probe->depth * KEEP_FACTOR;

	if (!lists_choose(lists->table, probe->depth, (double)probe->recall, probe->share, ret))
		*ret = (struct lists_setting){
			.z = INFINITY,
			.keep = all < UINT32_MAX ? (uint32_t)all : UINT32_MAX,
		};
	if (ret->keep > lists_positions(&lists->shape))
		ret->keep = lists_positions(&lists->shape);
}

/* Other segments may have shown already how good a row has to be. With fewer kept there, it would be asked
 * too much here. */
static void floor_take(const struct ann_probe *probe, struct window *kept)
{
	if (probe->floor_keep >= kept->width)
		kept->threshold = (struct key){probe->floor, UINT64_MAX};
}

static void floor_raise(const struct window *kept, struct ann_probe *probe)
{
	if (kept->n < kept->width ||
	    (probe->floor_keep > 0 && !(kept->threshold.score > probe->floor)))
		return;
	probe->floor = kept->threshold.score;
	probe->floor_keep = (uint32_t)kept->width;
}

/* The places of what was kept, each once: two lists may have given it. A table of twice as many places
 * at least, by what they hash to. ret  [kept->n]. Returns how many they are. */
static uint32_t places_take(const struct lists *lists, const struct window *kept, uint32_t *table,
			    uint32_t bits, uint32_t *ret)
{
	uint32_t mask = (UINT32_C(1) << bits) - 1, n = 0;

	memset(table, 0xFF, sizeof *table << bits);
	for (size_t i = 0; i < kept->n; i++) {
		uint32_t place = lists->places[kept->keys[i].row];
		uint32_t at = place * UINT32_C(0x9E3779B1) >> (32 - bits);

		while (table[at] != NO_PLACE && table[at] != place)
			at = (at + 1) & mask;
		/* Written in any case: no branch to guess wrong. */
		ret[n] = place;
		n += table[at] == NO_PLACE;
		table[at] = place;
	}
	return n;
}

/* Bounds of what the walk kept. */
static status hand_on(const struct lists *lists, const struct lists_query *query,
		      const struct window *kept, struct ann_probe *probe)
{
	uint32_t n = (uint32_t)kept->n, bits = 1;
	uint32_t *places, *table;
	float *upper;

	while (UINT64_C(1) << bits < 2 * (uint64_t)n)
		bits++;
	places = arena_alloc(probe->memory,
			     n * (sizeof *places + sizeof *upper) + (sizeof *table << bits));
	if (!places)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	upper = (float *)(void *)(places + n);
	table = places + 2 * (size_t)n;
	n = places_take(lists, kept, table, bits, places);
	rows8_bounds(rows8_scanner(ROWS8_BEST), &query->rows, lists->rows8, places, n, upper, NULL);
	for (uint32_t i = 0; i < n; i++)
		window_offer(probe->window, (struct key){upper[i], probe->base + places[i]});
	return status_ok();
}

status lists_find(const struct lists *lists, struct ann_probe *probe)
{
	struct lists_setting setting;
	struct lists_query query;
	struct window kept;
	struct lists_walk walk = {
		.query = &query,
		.visible = probe->visible,
		.context = probe->context,
		.window = &kept,
		.deadline = probe->deadline,
	};
	status s;

	TRY(deadline_check(probe->deadline));
	setting_choose(lists, probe, &setting);
	walk.z = setting.z;
	TRY(window_of(probe->memory, setting.keep, &kept));
	floor_take(probe, &kept);
	TRY(lists_query_init(&query, lists, probe->query, probe->memory));
	s = lists_walk_run(lists, &walk);
	/* A row that was read in two lists is one row. */
	probe->scanned += walk.read < lists->shape.n ? walk.read : lists->shape.n;
	TRY(s);
	window_compact(&kept);
	floor_raise(&kept, probe);
	return hand_on(lists, &query, &kept, probe);
}
