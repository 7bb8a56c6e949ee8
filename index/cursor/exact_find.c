/* exact_find - rows that approximate indexes propose, in the place of scans.
 *
 * An index answers for its whole segment, so a fill goes on behind it. What it leaves out is left
 * out of the window without a word: exact->partial says so, and such a window never proves the end.
 */
#include "index/ann/ann.h"
#include "index/cursor/exact_state.h"

#define FIND_ARENA_BYTES ((size_t)64 << 20)

/* The deepest that an index is asked for. */
#define DEPTH_MAX 4000

/* The most that an index is asked for. */
#define RECALL_MAX 0.999F

/* What a filter leaves of a segment can be scanned, too: a block of 16 rows costs the same whether one of
 * them is left or all are. Measured, of 384 dimensions, with questions for 10 hits: 94 ns a block, and in the
 * lists 4.5 to 6 ns for each row that is read. */
#define SCAN_ROWS_A_BLOCK 18.0

/* A sealed segment, as the snapshot sees it. */
struct stretch {
	const struct snapshot *snapshot;
	const struct places *places; /* NULL: there is no filter */
	const struct ann *ann;       /* NULL: it has none */
	uint64_t first, end;
	double share;    /* of its rows that may be hits */
	uint64_t blocks; /* with a filter: of 16 rows, that hold such */
};

/* With a filter what it leaves of the segment, since it may well be one of recent rows. Without one the
 * deaths, which are few, as all segments together have them. */
static double share_of(const struct exact *exact, struct stretch *stretch)
{
	const struct snapshot *snapshot = exact->snapshot;

	if (exact->places)
		return (double)places_count_between(exact->places, stretch->first, stretch->end,
						    &stretch->blocks) /
		       (double)(stretch->end - stretch->first);
	return (double)snapshot_count(snapshot) / (double)snapshot_places(snapshot);
}

/* Indexes are calibrated over all their rows, and what a filter leaves lies otherwise: measured, of 100
 * hits among half of the rows .9875 were found where .99 were asked for. So half of the misses are
 * allowed. */
static float recall_of(const struct exact *exact)
{
	float recall = exact->places ? (1 + exact->recall) / 2 : exact->recall;

	return recall < RECALL_MAX ? recall : RECALL_MAX;
}

/* Of all its rows, what an index reads for so many hits: as it was measured at the next depth and recall;
 * 1 where it was not. */
static double read_share(const struct calibration *measured, double depth, double recall)
{
	const struct calibration_curve *curve = NULL;

	for (size_t i = 0; i < CALIBRATION_CURVES_MAX; i++) {
		if (measured->curves[i].n == 0)
			continue;
		curve = &measured->curves[i];
		if (depth <= curve->depth)
			break;
	}
	for (size_t i = 0; curve && i < curve->n; i++)
		if (recall <= (double)curve->points[i].recall)
			return (double)curve->points[i].share;
	return 1;
}

/* Whether a scan of what the filter leaves costs less than asking the index, which reads the more, the less
 * that is. */
static bool scan_is_cheaper(const struct exact *exact, const struct stretch *stretch)
{
	struct calibration measured = {0};
	double rows = (double)(stretch->end - stretch->first), read;

	if (!exact->places)
		return false;
	ann_calibration(stretch->ann, &measured);
	if (measured.candidates)
		return false;
	read = read_share(&measured, exact->depth / stretch->share, (double)recall_of(exact));
	return (double)stretch->blocks * SCAN_ROWS_A_BLOCK < read * rows;
}

/* The sealed segment that a place is in, share apart; false where it is in the head, the last block. */
static bool stretch_at(const struct exact *exact, uint64_t place, struct stretch *ret)
{
	const struct snapshot *snapshot = exact->snapshot;
	const struct sealed *sealed = snapshot_sealed(snapshot, place);
	uint64_t bitmap[1], places = snapshot_places(snapshot);
	struct scan_range range;

	if (!sealed)
		return false;
	snapshot_range(snapshot, place, 1, bitmap, &range);
	*ret = (struct stretch){
		.snapshot = snapshot,
		.places = exact->places,
		.ann = snapshot_ann(snapshot, place),
		.first = range.row_base,
		.end = range.row_base + sealed_length(sealed),
	};
	if (ret->end > places)
		ret->end = places;
	return true;
}

/* Whether its index is to be asked, for the depth and the recall; sets its share. */
static bool stretch_is_covered(const struct exact *exact, struct stretch *stretch)
{
	if (!stretch->ann)
		return false;
	stretch->share = share_of(exact, stretch);
	return stretch->share > 0 &&
	       ann_covers(stretch->ann, exact->depth, recall_of(exact), stretch->share) &&
	       !scan_is_cheaper(exact, stretch);
}

/* Whether an index of some segment is worth asking. */
static bool some_index_covers(const struct exact *exact)
{
	struct stretch stretch;

	for (uint64_t place = 0; exact_seek(exact, &place); place = stretch.end) {
		if (!stretch_at(exact, place, &stretch))
			return false;
		if (stretch_is_covered(exact, &stretch))
			return true;
	}
	return false;
}

/* The depth of the next fill, after so many hits; 0: there is none. By fours, so that all fills together
 * cost not much more than the last; and none ends where readers stop who count in tens. */
static uint32_t deeper_than(uint64_t depth)
{
	static const uint32_t depths[] = {30, 120, 480, 1920, DEPTH_MAX};

	for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
		if (depths[i] > depth)
			return depths[i];
	return 0;
}

void exact_find_begin(struct exact *exact, const struct exact_options *options)
{
	exact->recall = options->after ? 0 : options->recall_target;
	exact->depth = options->depth;
	exact->expected = options->depth <= WINDOW_EXPECTED_MAX ? options->depth : 0;
	if (exact->depth == 0)
		exact->depth = options->batch < DEPTH_MAX ? (uint32_t)options->batch : DEPTH_MAX;
}

bool exact_finds_next(struct exact *exact)
{
	if (!(exact->recall > 0))
		return false;
	/* A window that was dropped is made again; one that is used up was not deep enough. */
	if (exact->fill != FILL_NONE || exact->given >= exact->depth)
		exact->depth =
			deeper_than(exact->given > exact->depth ? exact->given : exact->depth);
	if (exact->gathers || exact->depth == 0 || !some_index_covers(exact))
		exact->recall = 0;
	exact->floor_keep = 0;
	return exact->recall > 0;
}

/* A set of places holds visible ones alone. */
static bool may_be_hit(const void *context, uint32_t place)
{
	const struct stretch *stretch = context;
	uint64_t at = stretch->first + place;

	if (stretch->places)
		return places_have(stretch->places, at);
	return at < stretch->end && snapshot_visible(stretch->snapshot, at);
}

/* Whether every row of a segment may be a hit: then the index need not ask for each. */
static bool all_may_be_hits(const struct exact *exact, const struct stretch *stretch)
{
	return !exact->places &&
	       snapshot_count(exact->snapshot) == snapshot_places(exact->snapshot) &&
	       stretch->end - stretch->first ==
		       sealed_length(snapshot_sealed(exact->snapshot, stretch->first));
}

status exact_find(struct exact *exact, uint64_t *place, uint64_t *ret_end)
{
	struct walk *walk = exact->base.walk;
	SCOPED(arena) memory = &(struct arena){0};
	struct stretch stretch;
	struct ann_probe probe = {
		.query = exact->query.values,
		.depth = exact->depth,
		.recall = recall_of(exact),
		.window = &exact->window,
		.floor = exact->floor,
		.floor_keep = exact->floor_keep,
		.memory = memory,
		.deadline = walk->deadline,
	};

	if (!stretch_at(exact, *place, &stretch)) {
		*ret_end = snapshot_places(exact->snapshot);
		return status_ok();
	}
	*ret_end = stretch.end;
	if (!stretch_is_covered(exact, &stretch))
		return status_ok();
	arena_init(memory, FIND_ARENA_BYTES);
	probe.share = stretch.share;
	probe.base = stretch.first;
	probe.visible = all_may_be_hits(exact, &stretch) ? NULL : may_be_hit;
	probe.context = &stretch;
	TRY(ann_find(stretch.ann, &probe));
	exact->floor = probe.floor;
	exact->floor_keep = probe.floor_keep;
	walk->scanned += probe.scanned;
	walk->approximate = true;
	if (!walk->ann)
		walk->ann = ann_name(stretch.ann);
	exact->partial = true;
	*place = stretch.end;
	return status_ok();
}

/* Of a sealed segment. */
static uint64_t stretch_bytes(const struct exact *exact, struct stretch *stretch)
{
	const struct codes8 *codes = sealed_codes(snapshot_sealed(exact->snapshot, stretch->first));
	uint64_t rows = stretch->end - stretch->first;
	struct calibration measured = {0};
	double read;

	if (!(exact->recall > 0) || !stretch_is_covered(exact, stretch)) {
		if (exact->places)
			places_count_between(exact->places, stretch->first, stretch->end,
					     &stretch->blocks);
		return exact->places ? stretch->blocks * codes->shape.block_bytes
				     : codes8_heads_bytes(&codes->shape, rows);
	}
	ann_calibration(stretch->ann, &measured);
	read = read_share(&measured, exact->depth / stretch->share, (double)recall_of(exact)) *
	       (double)rows;
	/* Half a byte for four dimensions; or candidates, to which a graph leads past as many others. */
	return (uint64_t)(read * exact->query.dim / 8 * (measured.candidates ? 64 : 1));
}

uint64_t exact_find_bytes(const struct exact *exact)
{
	uint64_t bytes = 0, left, row_bytes = exact->query.stride * sizeof(float);
	struct stretch stretch;

	for (uint64_t place = 0; exact_seek(exact, &place); place = stretch.end) {
		if (!stretch_at(exact, place, &stretch)) {
			left = exact->places ? exact->places->count
					     : snapshot_places(exact->snapshot) - place;
			return bytes + left * row_bytes;
		}
		bytes += stretch_bytes(exact, &stretch);
	}
	return bytes;
}
