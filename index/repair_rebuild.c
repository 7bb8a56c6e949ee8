/* repair_rebuild - rows of damaged segments, vector by vector, from the file or the store. */
#include "index/repair_parts.h"

#include "kernels/base/error_info.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SCRATCH_BYTES ((size_t)1 << 20)

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to repair a collection");
}

/* --- which rows there should be --- */

static struct repair_segment *damaged_with(struct repairing *repairing, uint64_t row)
{
	for (size_t i = 0; i < repairing->n; i++) {
		struct repair_segment *segment = &repairing->segments[i];

		if (row >= segment->says.first_row && row <= segment->says.last_row)
			return segment->damaged ? segment : NULL;
	}
	return NULL;
}

static status note_row(void *context, uint64_t row, uint64_t died, const float *vector)
{
	struct repair_segment *segment = damaged_with(context, row);

	if (vector || !segment)
		return status_ok();
	if (segment->n == segment->n_max) {
		size_t n_max = segment->n_max ? 2 * segment->n_max : 1024;
		void *rows = reallocarray(segment->rows, n_max, sizeof *segment->rows);

		if (!rows)
			return no_memory();
		segment->rows = rows;
		segment->n_max = n_max;
	}
	segment->rows[segment->n++] = (struct repair_row){row, died, SIZE_MAX};
	return status_ok();
}

static int compare_rows(const void *a, const void *b)
{
	const struct repair_row *left = a, *right = b;

	return left->row < right->row ? -1 : left->row > right->row;
}

static status note_lost(struct repairing *repairing, const struct repair_row *row)
{
	if (row->died != STORE_ROW_LIVES) {
		repairing->lost_dead |= row->died > repairing->readable_from;
		return status_ok();
	}
	if (repairing->n_lost == repairing->n_lost_max) {
		size_t n_max = repairing->n_lost_max ? 2 * repairing->n_lost_max : 1024;
		void *lost = reallocarray(repairing->lost, n_max, sizeof *repairing->lost);

		if (!lost)
			return no_memory();
		repairing->lost = lost;
		repairing->n_lost_max = n_max;
	}
	repairing->lost[repairing->n_lost++] = row->row;
	return status_ok();
}

/* Whether there is a vector for it, in the file or else in the store. */
static status find_vector(struct repairing *repairing, const struct repair_segment *segment,
			  struct repair_row *row, struct arena *scratch, bool *ret)
{
	const struct sealed_salvage *salvage = segment->salvage;
	float *vector;
	status s;

	if (salvage) {
		row->salvaged = sealed_salvage_find(salvage, row->row);
		*ret = row->salvaged < sealed_salvage_length(salvage);
		if (*ret)
			return status_ok();
		row->salvaged = SIZE_MAX;
	}
	s = store_fetch_vector(repairing->store, row->row, scratch, &vector);
	*ret = !status_failed(s);
	arena_reset(scratch);
	return s.code == STATUS_NOT_FOUND || s.code == STATUS_DATA_LOSS ? status_ok() : s;
}

/* Keeps those that have one. */
static status sort_out(struct repairing *repairing, struct repair_segment *segment)
{
	SCOPED(arena) scratch = &(struct arena){0};
	size_t kept = 0;

	arena_init(scratch, SCRATCH_BYTES);
	if (segment->n > 0)
		qsort(segment->rows, segment->n, sizeof *segment->rows, compare_rows);
	for (size_t i = 0; i < segment->n; i++) {
		struct repair_row row = segment->rows[i];
		bool found = false;

		TRY(find_vector(repairing, segment, &row, scratch, &found));
		if (found)
			segment->rows[kept++] = row;
		else
			TRY(note_lost(repairing, &row));
	}
	segment->n = kept;
	return status_ok();
}

/* --- the new file --- */

struct source {
	const struct repairing *repairing;
	const struct repair_segment *segment;
	struct arena *scratch;
	bool *failed; /* a vector that was there is not any more */
};

static uint64_t source_row(const void *context, uint32_t place)
{
	const struct source *source = context;

	return source->segment->rows[place].row;
}

static const float *source_vector(const void *context, uint32_t place, float *scratch)
{
	const struct source *source = context;
	const struct repair_row *row = &source->segment->rows[place];
	size_t bytes = store_config(source->repairing->store)->dim * sizeof *scratch;
	float *vector = NULL;

	if (row->salvaged != SIZE_MAX)
		return sealed_salvage_vector(source->segment->salvage, row->salvaged, scratch);
	if (status_failed(store_fetch_vector(source->repairing->store, row->row, source->scratch,
					     &vector))) {
		*source->failed = true;
		memset(scratch, 0, bytes);
	} else {
		memcpy(scratch, vector, bytes);
	}
	arena_reset(source->scratch);
	return scratch;
}

/* Without a rotation: the next merge, or sluice optimize, makes one. */
static status write_segment(struct repairing *repairing, const struct repair_segment *segment,
			    uint64_t id)
{
	const struct sealed_file file = repair_file(repairing, repairing->work, id);
	const struct sealed_coding coding = {0};
	SCOPED(arena) scratch = &(struct arena){0};
	bool failed = false;
	const struct source source = {repairing, segment, scratch, &failed};

	arena_init(scratch, SCRATCH_BYTES);
	TRY(sealed_write(&file,
			 &(struct sealed_source){
				 .n = (uint32_t)segment->n,
				 .row = source_row,
				 .vector = source_vector,
				 .context = &source,
			 },
			 &coding, NULL, repairing->arena));
	return failed ? status_as(status_make(STATUS_DATA_LOSS, "a vector cannot be read twice"),
				  REASON_DATA_CORRUPT)
		      : status_ok();
}

/* n becomes 0 where nothing is left of it. */
static status remake(struct repairing *repairing, struct repair_segment *segment)
{
	const char *old = arena_printf(repairing->arena, "%016llx.segment",
				       (unsigned long long)segment->says.id);
	uint64_t id = 0;

	if (!old)
		return no_memory();
	if (segment->n == 0) {
		repair_say(repairing, true, old, "nothing is left of it: it leaves the manifest");
		return status_ok();
	}
	if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
		return status_make(STATUS_INTERNAL, "no random bytes for a segment's id");
	TRY(write_segment(repairing, segment, id));
	repair_say(repairing, true, old, "%zu of its rows are in the new segment %016llx",
		   segment->n, (unsigned long long)id);
	segment->says = (struct store_segment){
		.id = id,
		.n = segment->n,
		.first_row = segment->rows[0].row,
		.last_row = segment->rows[segment->n - 1].row,
	};
	return status_ok();
}

/* --- the store --- */

static status tell_lost(const struct repairing *repairing)
{
	SCOPED(arena) scratch = &(struct arena){0};

	arena_init(scratch, SCRATCH_BYTES);
	for (size_t i = 0; i < repairing->n_lost; i++) {
		struct chunk chunk;

		TRY(store_fetch_record(repairing->store, repairing->lost[i], scratch, &chunk));
		TRY(repairing->listener->lost(repairing->listener->context, repairing->name,
					      &chunk));
		arena_reset(scratch);
	}
	return status_ok();
}

/* Dead rows go too: walks that saw them would have to see the lost ones. */
static status remove_lost(const struct repairing *repairing, struct store_write *write,
			  struct store_state *state)
{
	struct store_purge purge = {
		.rows_max = SIZE_MAX, .rows_wanted = SIZE_MAX, .bytes_wanted = UINT64_MAX};

	state->generation++;
	for (size_t i = 0; i < repairing->n_lost; i++)
		TRY(store_write_delete_row(write, repairing->lost[i], state->generation));
	state->live_rows -= repairing->n_lost;
	TRY(store_write_flush(write));
	purge.generation = state->generation;
	purge.readable_from = state->readable_from;
	TRY(store_write_purge(write, &purge));
	state->readable_from = state->generation;
	return status_ok();
}

struct change {
	struct repairing *repairing;
	struct store_state state;       /* as it is now */
	struct store_segment *segments; /* [n] that there will be */
	size_t n;
};

static status change_store(void *context)
{
	const struct change *change = context;
	const struct repairing *repairing = change->repairing;
	SCOPED(store_write) write = NULL;
	struct store_state state = change->state;

	TRY(store_write_begin(repairing->store, repairing->arena, &write));
	if (repairing->n_lost > 0 || repairing->lost_dead)
		TRY(remove_lost(repairing, write, &state));
	TRY(store_write_segments(write, change->segments, change->n));
	TRY(store_write_state(write, &state));
	return store_write_commit(TAKE(write));
}

status repair_rebuild(struct repairing *repairing)
{
	struct change change = {.repairing = repairing};

	TRY(store_load(repairing->store, repairing->arena, &change.state, note_row, repairing));
	repairing->readable_from = change.state.readable_from;
	change.segments = ARENA_ARRAY(repairing->arena, struct store_segment, repairing->n);
	if (!change.segments)
		return no_memory();
	for (size_t i = 0; i < repairing->n; i++) {
		struct repair_segment *segment = &repairing->segments[i];

		if (segment->damaged) {
			TRY(sort_out(repairing, segment));
			TRY(remake(repairing, segment));
		}
		if (!segment->damaged || segment->n > 0)
			change.segments[change.n++] = segment->says;
	}
	TRY(tell_lost(repairing));
	TRY(store_grow_while_full(repairing->store, repairing->arena, change_store, &change));
	if (repairing->n_lost > 0)
		repair_say(repairing, false, "data.mdb",
			   "the vectors of %zu chunks are lost: they were taken out, and are to be "
			   "imported again",
			   repairing->n_lost);
	return status_ok();
}
