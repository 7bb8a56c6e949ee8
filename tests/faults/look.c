/* look - by snapshots, cursors, filters, ids and documents; and the directory. */
#include "tests/faults/look.h"

#include "index/backup.h"
#include "index/check.h"
#include "index/cursor/exact.h"
#include "index/selection.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Halves have 11 bits. */
#define TOLERANCE 1e-3F

static char where[256] = "";

void look_where(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(where, sizeof where, format, args);
	va_end(args);
}

const char *look_here(void)
{
	return where;
}

#define WANT_TRUE(condition, format, ...) cr_assert(condition, "%s: " format, where, __VA_ARGS__)

#define WANT_OK(expr, what)                                                                        \
	do {                                                                                       \
		status want_ = (expr);                                                             \
		WANT_TRUE(!status_failed(want_), "%s: %s: %s", what, status_code_name(want_.code), \
			  want_.detail);                                                           \
	} while (0)

/* --- chunks --- */

struct looking {
	struct house *house;
	const struct plan *plan;
	struct collection *collection; /* owned */
	struct snapshot *snapshot;     /* owned */
	struct arena *arena;
	struct state *state;
};

static void want_vector(const struct looking *looking, const float *vector, uint32_t id,
			uint32_t version)
{
	float wanted[DIM], sum = 0, scale = 1;

	chunk_vector(id, version, wanted);
	for (size_t i = 0; i < DIM; i++)
		sum += wanted[i] * wanted[i];
	if (looking->plan->metric == SLUICE__V1__METRIC__METRIC_COSINE)
		scale = 1 / sqrtf(sum);
	for (size_t i = 0; i < DIM; i++)
		WANT_TRUE(fabsf(vector[i] - wanted[i] * scale) < TOLERANCE,
			  "%s/c%u of operation %u has the vector of another", looking->plan->name,
			  id, version);
}

static void want_metadata(const struct looking *looking, const struct chunk *chunk, uint32_t id,
			  uint32_t version)
{
	const struct value *language = chunk_find_field(chunk, "lang");
	const struct value *number = chunk_find_field(chunk, "version");
	char text[16];

	snprintf(text, sizeof text, "l%u", chunk_language(id, version));
	WANT_TRUE(language && bytes_equal(language->string, bytes_of_string(text)),
		  "%s/c%u: its language", looking->plan->name, id);
	WANT_TRUE(number && number->integer == version, "%s/c%u: its number", looking->plan->name,
		  id);
}

static void want_found_by_id(const struct looking *looking, struct bytes id, uint64_t row)
{
	bool found = false;
	uint64_t found_row = 0;

	WANT_OK(collection_find(looking->collection, id, looking->arena, &found, &found_row),
		"finding an id");
	WANT_TRUE(found && found_row == row, "%s/%s: its id names another row", looking->plan->name,
		  (const char *)id.data);
}

/* Gives the number of the chunk. */
static uint32_t note_chunk(const struct looking *looking, uint64_t place)
{
	const struct plan *plan = looking->plan;
	uint64_t row = snapshot_row(looking->snapshot, place);
	unsigned id, id_of_text, version;
	struct chunk chunk;
	int size;

	WANT_OK(collection_fetch(looking->collection, row, FETCH_RECORD | FETCH_VECTOR,
				 looking->arena, &chunk),
		"fetching a chunk");
	WANT_TRUE(sscanf((const char *)chunk.id.data, "c%u", &id) == 1 && id < plan->ids,
		  "%s: an id is %s", plan->name, (const char *)chunk.id.data);
	WANT_TRUE(sscanf((const char *)chunk.text.data, "chunk %u as operation %u", &id_of_text,
			 &version) == 2 &&
			  id_of_text == id,
		  "%s/c%u has the text %.60s", plan->name, id, (const char *)chunk.text.data);
	size = snprintf(NULL, 0, "chunk %u as operation %u left it", id, version);
	WANT_TRUE(chunk.text.size == (size_t)size + chunk_padding(id, version),
		  "%s/c%u: its text is not whole", plan->name, id);
	WANT_TRUE(looking->state->versions[id] == 0, "%s/c%u twice", plan->name, id);
	WANT_TRUE(chunk.ordinal == id % DOCUMENT_CHUNKS, "%s/c%u: its ordinal", plan->name, id);
	want_vector(looking, chunk.vector, id, version);
	want_metadata(looking, &chunk, id, version);
	want_found_by_id(looking, chunk.id, row);
	looking->state->versions[id] = version;
	return id;
}

static void find_itself(const struct looking *looking, uint64_t place, uint32_t id)
{
	struct deadline deadline;
	struct walk walk = {.deadline = &deadline, .arena = looking->arena};
	float scratch[DIM];
	const struct exact_options options = {
		.snapshot = looking->snapshot,
		.scanner = looking->house->scanner,
		.scanner_cpu = looking->house->scanner,
		.query = snapshot_vector(looking->snapshot, place, scratch),
		.batch = 1,
		.walk = &walk,
	};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch hits = {0};

	deadline_init(&deadline, DEADLINE_NEVER);
	WANT_OK(exact_open(&options, &cursor), "opening a search");
	WANT_TRUE(cursor_next(cursor, &hits) == STEP_BATCH, "%s/c%u finds nothing: %s",
		  looking->plan->name, id, cursor->status.detail);
	WANT_TRUE(hits.hits[0].place == place, "%s/c%u finds another", looking->plan->name, id);
}

/* --- what lies beside them --- */

static uint64_t count_by(const struct looking *looking, const struct filter *filter)
{
	SCOPED(places) places = NULL;

	WANT_OK(selection_make(looking->snapshot, filter, NULL, looking->arena, &places),
		"filtering");
	return places_count(places);
}

static void want_languages(const struct looking *looking)
{
	for (uint32_t language = 0; language < LANGUAGES; language++) {
		char text[16];
		struct value value = {.kind = VALUE_STRING};
		const struct condition condition = {
			.test = CONDITION_ANY_OF_VALUES, .values = &value, .n_values = 1};
		const struct filter filter = {.all_of = &condition, .n_all_of = 1};
		size_t n = 0;

		snprintf(text, sizeof text, "l%u", language);
		value.string = bytes_of_string(text);
		for (uint32_t id = 0; id < looking->plan->ids; id++) {
			uint32_t version = looking->state->versions[id];

			n += version && chunk_language(id, version) == language;
		}
		WANT_TRUE(count_by(looking, &filter) == n, "%s: chunks of language %u",
			  looking->plan->name, language);
	}
}

static void want_numbers(const struct looking *looking)
{
	const struct condition condition = {.field = 1, .test = CONDITION_EXISTS};
	const struct filter filter = {.all_of = &condition, .n_all_of = 1};

	WANT_TRUE(count_by(looking, &filter) == state_count(looking->state),
		  "%s: chunks with a number", looking->plan->name);
}

static void want_documents(const struct looking *looking)
{
	for (size_t document = 0; document * DOCUMENT_CHUNKS < looking->plan->ids; document++) {
		char name[16];
		struct bytes id;
		const struct filter filter = {.document_ids = &id, .n_document_ids = 1};
		size_t n = 0;

		snprintf(name, sizeof name, "d%zu", document);
		id = bytes_of_string(name);
		for (size_t i = 0; i < DOCUMENT_CHUNKS; i++)
			n += looking->state->versions[document * DOCUMENT_CHUNKS + i] != 0;
		WANT_TRUE(count_by(looking, &filter) == n, "%s: chunks of document %zu",
			  looking->plan->name, document);
	}
}

static void want_absent(const struct looking *looking)
{
	for (uint32_t id = 0; id < looking->plan->ids; id++) {
		bool found = false;
		uint64_t row;
		char name[16];

		if (looking->state->versions[id])
			continue;
		snprintf(name, sizeof name, "c%u", id);
		WANT_OK(collection_find(looking->collection, bytes_of_string(name), looking->arena,
					&found, &row),
			"finding an id");
		WANT_TRUE(!found, "%s/%s has an id and no chunk", looking->plan->name, name);
	}
}

static void looking_finish(struct looking *looking)
{
	snapshot_release(looking->snapshot);
	collection_release(looking->collection);
}

SCOPE_DEFINE(looking, looking_finish)

void look_read(struct house *house, const struct plan *plan, struct state *ret)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(looking) looking =
		&(struct looking){.house = house, .plan = plan, .arena = arena, .state = ret};
	status s;

	arena_init(arena, (size_t)32 << 20);
	memset(ret, 0, sizeof *ret);
	s = database_acquire(house->database, bytes_of_string(plan->name), arena,
			     &looking->collection);
	if (s.code == STATUS_NOT_FOUND)
		return;
	WANT_OK(s, "acquiring a collection");
	ret->exists = true;
	WANT_OK(snapshot_acquire(looking->collection, &looking->snapshot), "pinning a snapshot");
	for (uint64_t place = 0; place < snapshot_places(looking->snapshot); place++)
		if (snapshot_visible(looking->snapshot, place))
			find_itself(looking, place, note_chunk(looking, place));
	WANT_TRUE(snapshot_count(looking->snapshot) == state_count(ret), "%s: the count",
		  plan->name);
	want_languages(looking);
	want_numbers(looking);
	want_documents(looking);
	want_absent(looking);
}

void look_settle(struct house *house, struct model *models)
{
	static struct state found; /* too large for a stack */
	char why[512] = "";

	for (size_t i = 0; i < HOUSE_PLANS; i++) {
		look_read(house, models[i].plan, &found);
		WANT_TRUE(model_settle(&models[i], &found, why, sizeof why), "%s", why);
	}
}

/* --- files --- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && strcmp(name + n - m, suffix) == 0;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Gives the number of files of segments. */
static size_t want_files(const char *directory)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	size_t n = 0;

	WANT_TRUE(stream, "%s cannot be read", directory);
	while ((entry = readdir(stream))) {
		const char *name = entry->d_name;
		char segment[600];

		if (is_dots(name) || strcmp(name, "data.mdb") == 0 || strcmp(name, "lock.mdb") == 0)
			continue;
		n += ends_with(name, ".segment");
		snprintf(segment, sizeof segment, "%s/%.*s.segment", directory, 16, name);
		WANT_TRUE(ends_with(name, ".segment") ||
				  (ends_with(name, ".ann") && access(segment, F_OK) == 0),
			  "%s/%s is left over", directory, name);
	}
	closedir(stream);
	return n;
}

static void want_collection_files(struct house *house, const struct plan *plan)
{
	SCOPED(collection) collection = NULL;
	struct collection_status about;
	char path[512];

	snprintf(path, sizeof path, "%s/collections/%s", house->directory, plan->name);
	WANT_OK(database_acquire(house->database, bytes_of_string(plan->name), &house->arena,
				 &collection),
		"acquiring a collection");
	collection_status(collection, &about);
	WANT_TRUE(want_files(path) == about.segment_count, "%s: files of segments", plan->name);
}

/* In whole or not at all: those that are half made or half removed have a dot. */
static void want_whole_snapshots(const struct house *house)
{
	char path[512];
	struct dirent *entry;
	DIR *stream;

	snprintf(path, sizeof path, "%s/snapshots", house->directory);
	stream = opendir(path);
	while (stream && (entry = readdir(stream)))
		WANT_TRUE(entry->d_name[0] != '.' || is_dots(entry->d_name), "%s/%s is left over",
			  path, entry->d_name);
	if (stream)
		closedir(stream);
}

void look_kept(struct house *house, const struct plan *plan, size_t least, size_t most,
	       const char *restore)
{
	struct backup_restored restored;
	const char *last = NULL;
	size_t n = 0;

	WANT_OK(house_kept(house, plan, &n, &last), "listing snapshots");
	WANT_TRUE(n >= least && n <= most, "%s has %zu snapshots and not %zu to %zu", plan->name, n,
		  least, most);
	if (last && restore)
		WANT_OK(backup_restore(last, restore, &house->arena, &restored),
			"restoring a snapshot");
}

void look_files(struct house *house, const struct model *models)
{
	char path[512];
	struct dirent *entry;
	DIR *stream;

	snprintf(path, sizeof path, "%s/collections", house->directory);
	stream = opendir(path);
	WANT_TRUE(stream, "%s cannot be read", path);
	while ((entry = readdir(stream))) {
		bool known = is_dots(entry->d_name);

		for (size_t i = 0; i < HOUSE_PLANS; i++)
			known = known || (models[i].state.exists &&
					  strcmp(entry->d_name, models[i].plan->name) == 0);
		WANT_TRUE(known, "%s/%s is left over", path, entry->d_name);
	}
	closedir(stream);
	want_whole_snapshots(house);
	for (size_t i = 0; i < HOUSE_PLANS; i++)
		if (models[i].state.exists)
			want_collection_files(house, models[i].plan);
}

static void hear_finding(void *context, const struct check_finding *finding)
{
	(void)context;
	cr_assert_fail("%s: check: %s %s: %s", where,
		       finding->collection ? finding->collection : "", finding->file,
		       finding->what);
}

static void hear_collection(void *context, const struct check_collection *collection)
{
	size_t *n = context;

	*n += collection->n_damages == 0;
}

void look_check(const char *directory)
{
	SCOPED(arena) arena = &(struct arena){0};
	size_t n = 0;
	const struct check_listener listener = {hear_finding, hear_collection, &n};

	arena_init(arena, (size_t)32 << 20);
	WANT_OK(check_directory(directory, &listener, arena), "checking");
}
