/* neighbors - the chunks around a hit in its document.
 *
 * The store gives rows in order of ordinal, dead ones among them; what a snapshot does not see, or a
 * filter does not pass, is passed over and more are asked for.
 */
#include "service/retrieval/neighbors.h"

#include "kernels/base/deadline.h"

/* Of what the store is asked for at a time: as many again as are wanted, and some. */
#define ROWS_MAX (2 * 16 + 8)

/* Of the rows next to each other in order of nearness; the hit's own row is between. */
struct side {
	struct neighbor items[NEIGHBORS_MAX / 2];
	size_t n, wanted;
	bool forward;
};

static uint64_t distance_between(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

static status consider(const struct neighbors_query *query, struct document_row at,
		       struct arena *arena, struct side *side)
{
	const struct collection_config *config = collection_config(query->reader->collection);
	struct chunk chunk = {0};
	uint64_t place;

	if (!snapshot_find(query->snapshot, at.row, &place))
		return status_ok();
	TRY(collection_reader_fetch(query->reader, at.row, FETCH_RECORD, arena, &chunk));
	if (!bytes_equal(chunk.document_id, query->hit->document_id) ||
	    !filter_passes(query->filter, config, &chunk))
		return status_ok();
	side->items[side->n++] = (struct neighbor){
		.at = at,
		.chunk = chunk,
		.distance = distance_between(at.ordinal, query->hit->ordinal),
	};
	return status_ok();
}

static status find_side(const struct neighbors_query *query, struct arena *arena, struct side *side)
{
	struct document_query rows = {
		.document = query->hit->document_id,
		.from = {query->hit->ordinal, query->row},
		.forward = side->forward,
		.max = 2 * side->wanted + 8,
	};
	size_t n = rows.max;

	while (side->n < side->wanted && n == rows.max) {
		struct document_row found[ROWS_MAX];

		TRY(deadline_check(query->deadline));
		TRY(collection_reader_document_rows(query->reader, &rows, arena, found, &n));
		for (size_t i = 0; i < n && side->n < side->wanted; i++)
			TRY(consider(query, found[i], arena, side));
		if (n > 0)
			rows.from = found[n - 1];
	}
	return status_ok();
}

status neighbors_find(const struct neighbors_query *query, struct arena *arena,
		      struct neighbors *ret)
{
	struct side before = {.wanted = query->before}, after = {.wanted = query->after};

	ret->n = 0;
	if (query->hit->document_id.size == 0)
		return status_ok();
	after.forward = true;
	TRY(find_side(query, arena, &before));
	TRY(find_side(query, arena, &after));
	for (size_t i = before.n; i-- > 0;)
		if (!sent_rows_have(query->sent, before.items[i].at.row))
			ret->items[ret->n++] = before.items[i];
	for (size_t i = 0; i < after.n; i++)
		if (!sent_rows_have(query->sent, after.items[i].at.row))
			ret->items[ret->n++] = after.items[i];
	return status_ok();
}

static bool is_before(struct document_row a, struct document_row b)
{
	return a.ordinal < b.ordinal || (a.ordinal == b.ordinal && a.row < b.row);
}

void neighbors_by_nearness(const struct neighbors *neighbors, struct document_row at,
			   size_t ret[NEIGHBORS_MAX])
{
	size_t after = 0, before;

	while (after < neighbors->n && is_before(neighbors->items[after].at, at))
		after++;
	/* Both sides are in order of nearness, seen from the hit. */
	before = after;
	for (size_t i = 0; i < neighbors->n; i++) {
		bool takes_before = before > 0 && (after == neighbors->n ||
						   neighbors->items[before - 1].distance <=
							   neighbors->items[after].distance);

		ret[i] = takes_before ? --before : after++;
	}
}

void neighbors_cut(struct neighbors *neighbors, struct document_row at, size_t n)
{
	size_t order[NEIGHBORS_MAX], kept = 0;
	bool stays[NEIGHBORS_MAX] = {false};

	neighbors_by_nearness(neighbors, at, order);
	for (size_t i = 0; i < n && i < neighbors->n; i++)
		stays[order[i]] = true;
	for (size_t i = 0; i < neighbors->n; i++)
		if (stays[i])
			neighbors->items[kept++] = neighbors->items[i];
	neighbors->n = kept;
}
