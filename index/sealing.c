/* sealing - the three steps, and giving back what is sealed. */
#include "index/sealing.h"

#include "index/build/rotation.h"
#include "index/collection_state.h"
#include "kernels/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#define SCRATCH_BYTES ((size_t)16 << 20)
#define LOW_PRIORITY 10
#define GROW_TRIES 32

status sealing_init(struct sealing *sealing, struct collection *collection,
		    const struct collection_options *options)
{
	*sealing = (struct sealing){
		.collection = collection,
		.pool = options->sealers,
		.rows = options->sealers ? options->seal_rows : 0,
		.directory = strdup(options->directory),
	};
	deadline_init(&sealing->deadline, DEADLINE_NEVER);
	if (!sealing->directory)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	return status_ok();
}

void sealing_finish(struct sealing *sealing)
{
	sealed_close(sealing->sealed);
	free(sealing->directory);
}

static struct sealed_file file_of(const struct sealing *sealing)
{
	return (struct sealed_file){
		.directory = sealing->directory,
		.config = collection_config(sealing->collection),
		.incarnation = collection_incarnation(sealing->collection),
		.id = sealing->id,
	};
}

/* --- the job --- */

/* Rows of the head that are published: neither they nor their blocks change meanwhile. */
static uint64_t source_row(const void *context, uint32_t place)
{
	const struct sealing *sealing = context;

	return head_row(sealing->collection->head, sealing->first + place);
}

static const float *source_vector(const void *context, uint32_t place, float *scratch)
{
	const struct sealing *sealing = context;

	(void)scratch;
	return head_vector(sealing->collection->head, sealing->first + place);
}

/* The rotation of the segment before, so that one coded query does for all of them. */
static bool coding_before(const struct collection *collection, struct sealed_coding *ret)
{
	const struct strata *strata = &collection->strata;

	if (strata->n == 0)
		return false;
	*ret = sealed_coding_of(strata->sealed[strata->n - 1]);
	return ret->rotation;
}

static status make_segment(struct sealing *sealing, struct arena *scratch)
{
	SCOPED(rotation) rotation = &(struct rotation){0};
	const struct sealed_source source = {(uint32_t)sealing->rows, source_row, source_vector,
					     sealing};
	struct sealed_file file = file_of(sealing);
	struct sealed_coding coding;

	if (!coding_before(sealing->collection, &coding)) {
		TRY(rotation_train(&source, file.config->dim, &sealing->deadline, scratch,
				   rotation));
		coding = rotation_coding(rotation);
	}
	TRY(sealed_write(&file, &source, &coding, &sealing->deadline, scratch));
	return sealed_open(&file, scratch, &sealing->sealed);
}

static void sealing_run(struct job *job)
{
	struct sealing *sealing = (struct sealing *)job;
	struct collection *collection = sealing->collection;
	SCOPED(arena) scratch = &(struct arena){0};
	status s;

	/* Of this thread alone; FAISS's inherit it. */
	(void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY);
	arena_init(scratch, SCRATCH_BYTES);
	s = make_segment(sealing, scratch);
	if (status_failed(s) && s.code != STATUS_CANCELLED)
		log_write(LOG_WARNING, "collection %s: no segment was made: %s: %s",
			  collection_config(collection)->name, status_code_name(s.code), s.detail);
	atomic_store(&sealing->state, SEALING_READY);
	writer_wake(&collection->writer);
	collection_release(collection);
}

/* --- the writer's part --- */

static bool is_wanted(const struct collection *collection)
{
	return !collection_is_dropped(collection) &&
	       !status_failed(deadline_check(&collection->sealing.deadline));
}

static uint64_t sealed_places(const struct collection *collection)
{
	return strata_places(&collection->strata, collection->published.n_strata);
}

bool sealing_is_due(const struct collection *collection)
{
	const struct sealing *sealing = &collection->sealing;
	uint64_t length = collection->published.length;

	/* Vectors in halves would need room to be widened in: view_vector. */
	return sealing->rows && length - sealed_places(collection) >= sealing->rows &&
	       length >= sealing->not_before && collection->published.n_strata < STRATA_MAX &&
	       collection_config(collection)->encoding != ENCODING_FLOAT16;
}

static void sealing_start(struct collection *collection)
{
	struct sealing *sealing = &collection->sealing;

	sealing->first = sealed_places(collection);
	/* At random: a collection of the same name may take the directory's place meanwhile. */
	if (getrandom(&sealing->id, sizeof sealing->id, 0) != (ssize_t)sizeof sealing->id)
		return;
	collection_reference(collection);
	atomic_store(&sealing->state, SEALING_RUNS);
	sealing->job.run = sealing_run;
	pool_submit(sealing->pool, &sealing->job);
}

static struct store_segment describe(const struct sealed *sealed)
{
	uint32_t n = sealed_length(sealed);

	return (struct store_segment){sealed_id(sealed), n, sealed_row(sealed, 0),
				      sealed_row(sealed, n - 1)};
}

static status write_manifest(struct collection *collection, const struct store_segment *segments,
			     size_t n, struct arena *scratch)
{
	SCOPED(store_write) transaction = NULL;

	TRY(store_write_begin(collection->store, scratch, &transaction));
	TRY(store_write_segments(transaction, segments, n));
	return store_write_commit(TAKE(transaction));
}

status sealing_commit(struct collection *collection, struct sealed *const *sealed, size_t n,
		      struct arena *scratch)
{
	struct store_segment *segments = ARENA_ARRAY(scratch, struct store_segment, n);
	status s;

	if (!segments)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	for (size_t i = 0; i < n; i++)
		segments[i] = describe(sealed[i]);
	s = write_manifest(collection, segments, n, scratch);
	for (int i = 0; s.code == STATUS_ABORTED && i < GROW_TRIES; i++) {
		TRY(store_grow(collection->store, scratch));
		s = write_manifest(collection, segments, n, scratch);
	}
	return s;
}

static status commit_with(struct collection *collection, struct sealed *last, struct arena *scratch)
{
	size_t n = collection->strata.n;
	struct sealed **sealed = ARENA_ARRAY(scratch, struct sealed *, n + 1);

	if (!sealed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	for (size_t i = 0; i < n; i++)
		sealed[i] = collection->strata.sealed[i];
	sealed[n] = last;
	return sealing_commit(collection, sealed, n + 1, scratch);
}

static void publish(struct collection *collection, struct sealed *sealed)
{
	uint64_t first = collection->sealing.first;

	/* Those that died while it was made, and before. */
	for (uint32_t at = 0; at < sealed_length(sealed); at++) {
		uint64_t death = head_death(collection->head, first + at);

		if (death != GENERATION_NEVER)
			sealed_kill(sealed, at, death);
	}
	pthread_mutex_lock(&collection->lock);
	strata_add(&collection->strata, sealed);
	collection->published.n_strata = collection->strata.n;
	pthread_mutex_unlock(&collection->lock);
	log_write(LOG_INFO, "collection %s: %u rows are sealed, %llu in all",
		  collection_config(collection)->name, sealed_length(sealed),
		  (unsigned long long)sealed_places(collection));
}

static void sealing_end(struct collection *collection)
{
	struct sealing *sealing = &collection->sealing;
	SCOPED(sealed) sealed = TAKE(sealing->sealed);
	struct sealed_file file = file_of(sealing);
	SCOPED(arena) scratch = &(struct arena){0};
	status s = status_ok();

	arena_init(scratch, SCRATCH_BYTES);
	if (sealed && is_wanted(collection)) {
		s = commit_with(collection, sealed, scratch);
		if (status_failed(s))
			log_write(LOG_WARNING, "collection %s: a segment was not taken: %s: %s",
				  file.config->name, status_code_name(s.code), s.detail);
		else
			publish(collection, TAKE(sealed));
	}
	/* What is left is not wanted, or failed. */
	if (sealed) {
		(void)sealed_remove(&file, scratch);
		sealing->not_before = collection->published.length + sealing->rows / 4;
	} else if (sealed_places(collection) == sealing->first) {
		sealing->not_before = collection->published.length + sealing->rows / 4;
	}
	atomic_store(&sealing->state, SEALING_IDLE);
}

/* The place before which nobody asks the head any more. */
static uint64_t least_place(struct collection *collection)
{
	uint64_t least;

	pthread_mutex_lock(&collection->lock);
	least = sealed_places(collection);
	for (struct pin *pin = collection->pins.next; pin != &collection->pins; pin = pin->next)
		least = pin->sealed < least ? pin->sealed : least;
	pthread_mutex_unlock(&collection->lock);
	return least;
}

void sealing_attend(struct collection *collection)
{
	struct sealing *sealing = &collection->sealing;

	if (!sealing->rows)
		return;
	if (atomic_load(&sealing->state) == SEALING_READY)
		sealing_end(collection);
	if (atomic_load(&sealing->state) == SEALING_IDLE && is_wanted(collection) &&
	    sealing_is_due(collection))
		sealing_start(collection);
	if (collection->published.n_strata)
		head_release(collection->head, least_place(collection));
}
