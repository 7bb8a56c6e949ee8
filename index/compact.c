/* compact - a new list of segments, of which some are the old ones. */
#include "index/compact.h"

#include "kernels/base/log.h"

#include <stdlib.h>
#include <sys/random.h>

#define SCRATCH_BYTES ((size_t)64 << 20)

/* One segment of the new list, in the making: the old ones first .. end. */
struct run {
	size_t first, end;
	uint64_t kept; /* rows that are not purged */
	bool anew;     /* to be written; else it is the one old segment as it is */
};

struct compaction {
	struct collection *collection;
	struct view view; /* of the old segments */
	struct arena *scratch;
	struct run *runs; /* [n_runs] the scratch's, as are the others */
	size_t n_runs;
	struct sealed **made; /* [n_runs] NULL: not made anew, or nothing is left */
	uint64_t *places;     /* of the run in hand: those that stay */
};

/* Killed before every generation: by the load, where the store has the row no more. */
static bool is_purged(const struct sealed *sealed, uint32_t at)
{
	return !sealed_alive(sealed, at, 0);
}

static uint32_t count_kept(const struct sealed *sealed)
{
	return sealed_count(sealed, sealed_length(sealed), 0);
}

/* Thin or small ones side by side go together, up to what is sealed at once. */
static void plan(struct compaction *compaction)
{
	const struct collection *collection = compaction->collection;
	uint64_t rows = collection->sealing.rows;
	struct run *run = NULL;

	for (size_t i = 0; i < collection->strata.n; i++) {
		uint32_t n = sealed_length(collection->strata.sealed[i]);
		uint32_t kept = count_kept(collection->strata.sealed[i]);
		bool thin = n - kept >= n / COMPACT_SHARE + 1;

		if (run && run->kept + kept <= rows && (thin || n < rows / 2) &&
		    (run->anew || run->kept < rows / 2)) {
			run->end = i + 1;
			run->kept += kept;
			run->anew = true;
			continue;
		}
		run = &compaction->runs[compaction->n_runs++];
		*run = (struct run){i, i + 1, kept, thin};
	}
}

/* The rows of the largest segment that is to be written; false where none is. */
static bool largest_run(const struct compaction *compaction, uint64_t *ret_rows)
{
	bool any = false;

	*ret_rows = 0;
	for (size_t i = 0; i < compaction->n_runs; i++) {
		const struct run *run = &compaction->runs[i];

		any = any || run->anew;
		if (run->anew && run->kept > *ret_rows)
			*ret_rows = run->kept;
	}
	return any;
}

static uint64_t source_row(const void *context, uint32_t place)
{
	const struct compaction *compaction = context;

	return view_row(&compaction->view, compaction->places[place]);
}

static const float *source_vector(const void *context, uint32_t place, float *scratch)
{
	const struct compaction *compaction = context;

	(void)scratch;
	return view_vector(&compaction->view, compaction->places[place]);
}

static void gather(struct compaction *compaction, const struct run *run)
{
	const struct strata *strata = &compaction->collection->strata;
	size_t n = 0;

	for (size_t i = run->first; i < run->end; i++) {
		uint64_t begin = strata_places(strata, i);

		for (uint32_t at = 0; at < sealed_length(strata->sealed[i]); at++) {
			if (!is_purged(strata->sealed[i], at))
				compaction->places[n++] = begin + at;
		}
	}
}

/* The deaths of rows that are not purged go with them. */
static void bring_deaths(const struct compaction *compaction, struct sealed *sealed)
{
	for (uint32_t at = 0; at < sealed_length(sealed); at++) {
		uint32_t old_at = 0;
		const struct sealed *old =
			view_sealed(&compaction->view, compaction->places[at], &old_at);
		uint64_t death = sealed_death(old, old_at);

		if (death != GENERATION_NEVER)
			sealed_kill(sealed, at, death);
	}
}

static struct sealed_file file_of(const struct collection *collection, uint64_t id)
{
	return (struct sealed_file){
		.directory = collection->sealing.directory,
		.config = collection_config(collection),
		.incarnation = collection_incarnation(collection),
		.id = id,
	};
}

static status make_run(struct compaction *compaction, const struct run *run, struct sealed **ret)
{
	struct collection *collection = compaction->collection;
	const struct sealed_source source = {(uint32_t)run->kept, source_row, source_vector,
					     compaction};
	const struct sealed_coding coding = sealed_coding_of(collection->strata.sealed[run->first]);
	struct sealed_file file = file_of(collection, 0);
	struct sealed *sealed = NULL;

	if (run->kept == 0)
		return status_ok();
	if (getrandom(&file.id, sizeof file.id, 0) != (ssize_t)sizeof file.id)
		return status_make(STATUS_INTERNAL, "no random bytes");
	gather(compaction, run);
	TRY(sealed_write(&file, &source, &coding, NULL, compaction->scratch));
	TRY(sealed_open(&file, compaction->scratch, &sealed));
	bring_deaths(compaction, sealed);
	*ret = sealed;
	return status_ok();
}

/* The new list: made ones, and old ones that stay. Gives how many. */
static size_t list(const struct compaction *compaction, struct sealed **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < compaction->n_runs; i++) {
		const struct run *run = &compaction->runs[i];

		if (!run->anew)
			ret[n++] = compaction->collection->strata.sealed[run->first];
		else if (compaction->made[i])
			ret[n++] = compaction->made[i];
	}
	return n;
}

/* Takes the new list in the place of the old one. Their files are swept at the next start where
 * they cannot be removed now. */
static void replace(struct compaction *compaction, struct sealed **sealed, size_t n)
{
	struct collection *collection = compaction->collection;
	struct strata *strata = &collection->strata;
	struct published *published = &collection->published;
	uint64_t before = strata_places(strata, strata->n);

	for (size_t i = 0; i < compaction->n_runs; i++) {
		const struct run *run = &compaction->runs[i];

		for (size_t old = run->first; run->anew && old < run->end; old++) {
			struct sealed_file file =
				file_of(collection, sealed_id(strata->sealed[old]));

			sealed_close(strata->sealed[old]);
			(void)sealed_remove(&file, compaction->scratch);
		}
	}
	strata->n = 0;
	for (size_t i = 0; i < n; i++)
		strata_add(strata, sealed[i]);
	published->n_strata = n;
	published->length -= before - strata_places(strata, n);
	head_rebase(collection->head, strata_places(strata, n));
	log_write(LOG_INFO, "collection %s: %zu segments are left, with %llu rows fewer",
		  collection_config(collection)->name, n,
		  (unsigned long long)(before - strata_places(strata, n)));
}

static void undo(struct compaction *compaction)
{
	for (size_t i = 0; i < compaction->n_runs; i++) {
		struct sealed_file file;

		if (!compaction->made[i])
			continue;
		file = file_of(compaction->collection, sealed_id(compaction->made[i]));
		sealed_close(TAKE(compaction->made[i]));
		(void)sealed_remove(&file, compaction->scratch);
	}
}

static status compact_now(struct compaction *compaction)
{
	size_t n = compaction->collection->strata.n;
	struct sealed **sealed = ARENA_ARRAY(compaction->scratch, struct sealed *, n);
	uint64_t rows = 0;

	compaction->runs = ARENA_ARRAY(compaction->scratch, struct run, n);
	compaction->made = ARENA_ARRAY(compaction->scratch, struct sealed *, n);
	if (!sealed || !compaction->runs || !compaction->made)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	plan(compaction);
	if (!largest_run(compaction, &rows))
		return status_ok();
	compaction->places = ARENA_ARRAY(compaction->scratch, uint64_t, rows);
	if (!compaction->places)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for places of rows");
	for (size_t i = 0; i < compaction->n_runs; i++) {
		if (compaction->runs[i].anew)
			TRY(make_run(compaction, &compaction->runs[i], &compaction->made[i]));
	}
	n = list(compaction, sealed);
	TRY(sealing_commit(compaction->collection, sealed, n, compaction->scratch));
	replace(compaction, sealed, n);
	return status_ok();
}

void compact(struct collection *collection)
{
	SCOPED(arena) scratch = &(struct arena){0};
	struct compaction compaction = {
		.collection = collection,
		.view = collection_view(collection, &collection->published),
		.scratch = scratch,
	};
	status s;

	if (!collection->sealing.rows || !collection->strata.n)
		return;
	arena_init(scratch, SCRATCH_BYTES + compaction.view.sealed * sizeof(uint64_t));
	s = compact_now(&compaction);
	if (!status_failed(s))
		return;
	undo(&compaction);
	log_write(LOG_WARNING, "collection %s: its segments stay as they are: %s: %s",
		  collection_config(collection)->name, status_code_name(s.code), s.detail);
}
