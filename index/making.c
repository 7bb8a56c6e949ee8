/* making - the work, and then the writer's part. */
#include "index/making.h"

#include "index/build/rotation.h"
#include "index/collection_state.h"
#include "kernels/base/log.h"

#include <assert.h>
#include <sys/random.h>

/* How often somebody is told how far it is. */
#define PARTS_TOLD 64

/* Rows of older segments that stay in this process's memory. */
#define ROWS_KEPT 512

static status make(struct chore *chore);

void making_init(struct making *making, struct collection *collection, struct pool *pool)
{
	*making = (struct making){.horizon = 0};
	chore_init(&making->chore, collection, pool, make);
}

void making_finish(struct making *making)
{
	assert(!making->view.strata);
	chore_finish(&making->chore);
}

/* --- the work --- */

struct source {
	struct making *making;
	struct sealed_source of; /* the intake's */
};

static uint64_t source_row(const void *context, uint32_t i)
{
	const struct source *source = context;

	return source->of.row(source->of.context, i);
}

/* Rows of older segments that were read leave this process's memory: who searches them needs few. */
static void release(const struct making *making)
{
	const struct strata *strata = making->view.strata;

	for (size_t i = making->first; i < making->end; i++) {
		const struct sealed *sealed = strata->items[i]->sealed;

		sealed_release(sealed, 0, sealed_length(sealed));
	}
}

static const float *source_read(const void *context, uint32_t i, float *scratch)
{
	const struct source *source = context;
	struct making *making = source->making;

	if (++making->n_read % ROWS_KEPT == 0)
		release(making);
	return source->of.vector(source->of.context, i, scratch);
}

/* Each is asked for twice, for itself and for its codes. */
static const float *source_vector(const void *context, uint32_t i, float *scratch)
{
	const struct source *source = context;
	struct making *making = source->making;
	uint64_t all = 2 * (uint64_t)source->of.n;

	making->n_told++;
	if (making->tells && making->n_told <= all && making->n_told % (all / PARTS_TOLD + 1) == 0)
		optimizing_tell(making->chore.collection, OPTIMIZE_SEAL,
				(float)making->n_told / (float)all);
	return source_read(context, i, scratch);
}

/* The rotation of a segment that is there, so that one coded query does for all of them. */
static bool coding_of(const struct making *making, struct sealed_coding *ret)
{
	const struct strata *strata = making->view.strata;
	size_t i = making->first < strata->n ? making->first : strata->n - 1;

	if (strata->n == 0 || making->trains)
		return false;
	*ret = sealed_coding_of(strata->items[i]->sealed);
	return ret->rotation;
}

static status write_segment(struct making *making)
{
	SCOPED(rotation) rotation = &(struct rotation){0};
	struct chore *chore = &making->chore;
	struct sealed_file file = collection_file(chore->collection, making->id);
	const struct source own = {making, intake_source(&making->intake)};
	const struct sealed_source source = {own.of.n, source_row, source_vector, &own};
	const struct sealed_source sampled = {own.of.n, source_row, source_read, &own};
	struct sealed_coding coding;

	if (!coding_of(making, &coding)) {
		TRY(rotation_train(&sampled, file.config->dim, &chore->deadline, &chore->scratch,
				   rotation));
		coding = rotation_coding(rotation);
	}
	TRY(sealed_write(&file, &source, &coding, &chore->deadline, &chore->scratch));
	return sealed_open(&file, &chore->scratch, &making->sealed);
}

static status make(struct chore *chore)
{
	struct making *making = (struct making *)chore;
	const struct strata *strata = making->view.strata;
	uint64_t first = strata_begin(strata, making->first);
	uint64_t end = strata_begin(strata, making->end) + making->head_rows;

	TRY(intake_open(&making->view, first, end, making->horizon, &making->intake));
	if (making->intake.n == 0)
		return status_ok();
	/* At random: a collection of the same name may take the directory's place meanwhile. */
	if (getrandom(&making->id, sizeof making->id, 0) != (ssize_t)sizeof making->id)
		return status_make(STATUS_INTERNAL, "no random bytes");
	return write_segment(making);
}

/* --- the writer's part --- */

void making_start(struct making *making)
{
	struct collection *collection = making->chore.collection;

	assert(making->end == collection->published.strata->n || making->head_rows == 0);
	making->view = collection_view(collection, &collection->published);
	strata_reference(making->view.strata);
	making->horizon = collection->published.readable_from;
	making->n_told = making->n_read = making->id = 0;
	making->intake = (struct intake){.n = 0};
	chore_start(&making->chore);
}

static struct store_segment describe(const struct sealed *sealed)
{
	return (struct store_segment){sealed_id(sealed), sealed_length(sealed),
				      sealed_row(sealed, 0), sealed_last_row(sealed)};
}

struct manifest {
	struct store *store;
	struct arena *scratch;
	struct store_segment *segments;
	size_t n;
};

static status write_manifest(void *context)
{
	const struct manifest *manifest = context;
	SCOPED(store_write) transaction = NULL;

	TRY(store_write_begin(manifest->store, manifest->scratch, &transaction));
	TRY(store_write_segments(transaction, manifest->segments, manifest->n));
	return store_write_commit(TAKE(transaction));
}

static status commit(struct collection *collection, const struct strata *strata,
		     struct arena *scratch)
{
	struct manifest manifest = {
		.store = collection->store,
		.scratch = scratch,
		.segments = ARENA_ARRAY(scratch, struct store_segment, strata->n),
		.n = strata->n,
	};

	if (!manifest.segments)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	for (size_t i = 0; i < strata->n; i++)
		manifest.segments[i] = describe(strata->items[i]->sealed);
	return store_grow_while_full(collection->store, scratch, write_manifest, &manifest);
}

/* Of rows that stay: those that died while the segment was made, and before. */
static void bring_deaths(const struct making *making, struct sealed *sealed)
{
	const struct intake *intake = &making->intake;

	for (uint32_t i = 0; i < intake->n; i++) {
		uint64_t death = view_death(&intake->view, intake_place(intake, i));

		if (death != GENERATION_NEVER)
			sealed_kill(sealed, i, death);
	}
}

static void publish(const struct making *making, struct strata *strata)
{
	struct collection *collection = making->chore.collection;
	struct published *published = &collection->published;
	struct strata *before = published->strata;

	pthread_mutex_lock(&collection->lock);
	published->strata = strata;
	published->n_lists++;
	published->head_first += making->head_rows;
	published->length -= making->intake.n_places - making->intake.n;
	pthread_mutex_unlock(&collection->lock);
	strata_release(before);
}

/* The names of what went; who still reads it has it open. */
static void remove_replaced(struct making *making)
{
	const struct strata *strata = making->view.strata;

	for (size_t i = making->first; i < making->end; i++) {
		uint64_t id = sealed_id(strata->items[i]->sealed);
		struct sealed_file file = collection_file(making->chore.collection, id);

		(void)sealed_remove(&file, &making->chore.scratch);
	}
}

/* Takes the segment, if that goes well. */
static status replace(struct making *making)
{
	struct collection *collection = making->chore.collection;
	const struct strata *now = collection->published.strata;
	SCOPED(stratum) stratum = NULL;
	SCOPED(strata) strata = NULL;
	size_t first = now->n;

	if (making->sealed) {
		stratum = stratum_make(making->sealed);
		if (!stratum)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a segment");
		making->sealed = NULL;
		bring_deaths(making, stratum->sealed);
	}
	/* What is behind may have grown, and what is before may have been merged. */
	if (making->first < making->end)
		first = strata_find(now, making->view.strata->items[making->first]);
	TRY(strata_replace(now, first, first + (making->end - making->first), stratum, &strata));
	TRY(commit(collection, strata, &making->chore.scratch));
	publish(making, TAKE(strata));
	remove_replaced(making);
	log_write(LOG_INFO, "collection %s: %u rows are sealed anew, %llu in %zu segments in all",
		  collection_config(collection)->name, making->intake.n,
		  (unsigned long long)strata_places(collection->published.strata),
		  collection->published.strata->n);
	return status_ok();
}

bool making_end(struct making *making)
{
	struct chore *chore = &making->chore;

	if (!chore_take(chore))
		return false;
	if (!status_failed(chore->result))
		chore->result = collection_is_stopping(chore->collection)
					? status_make(STATUS_CANCELLED, "it is not wanted any more")
					: replace(making);
	chore_warn(chore, "no segment was made");
	if (status_failed(chore->result) && making->id) {
		struct sealed_file file = collection_file(chore->collection, making->id);

		(void)sealed_remove(&file, &chore->scratch);
	}
	sealed_close(TAKE(making->sealed));
	intake_finish(&making->intake);
	strata_release(TAKE(making->view.strata));
	return true;
}
