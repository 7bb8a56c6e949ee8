/* script - the operations, and what has to be behind each that fails. */
#include "tests/faults/script.h"

#include "index/cursor/exact.h"
#include "index/selection.h"
#include "tests/faults/look.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEAL_ROWS = 24, BATCH_ROWS = 16 };

struct script {
	struct house house;
	struct model models[HOUSE_PLANS];
	bool refused[HOUSE_PLANS]; /* until the next start */
	uint32_t version;
	struct script_counts *counts;
};

static void want_clear(status s, const char *what)
{
	cr_assert(s.code == STATUS_RESOURCE_EXHAUSTED || s.code == STATUS_INTERNAL ||
			  s.code == STATUS_DATA_LOSS || s.code == STATUS_PERMISSION_DENIED,
		  "%s (%s): %s ended with %s: %s", look_here(), strike_name(), what,
		  status_code_name(s.code), s.detail);
	cr_assert(s.detail && *s.detail, "%s (%s): %s failed and does not say why", look_here(),
		  strike_name(), what);
}

/* Whether it is OK; else it is clear. */
static bool went_well(struct script *script, status s, const char *what)
{
	if (!status_failed(s))
		return true;
	cr_assert(strike_struck(), "%s: %s failed by itself: %s: %s", look_here(), what,
		  status_code_name(s.code), s.detail);
	want_clear(s, what);
	script->counts->failed_operations++;
	return false;
}

/* --- what changes --- */

/* A failure while it is opened stays until the next start, if it does not pass by itself. */
static bool is_refused(struct script *script, size_t plan)
{
	struct collection *collection = NULL;
	status s;

	for (int attempt = 0; attempt < 2; attempt++) {
		s = database_acquire(script->house.database,
				     bytes_of_string(house_plans[plan].name), &script->house.arena,
				     &collection);
		if (!status_failed(s) || s.code == STATUS_NOT_FOUND)
			break;
		want_clear(s, "acquiring");
	}
	collection_release(collection);
	return status_failed(s) && s.code != STATUS_NOT_FOUND;
}

/* What failed was done whole, or not at all. */
static void settle(struct script *script, size_t plan)
{
	static struct state found;
	char why[512] = "";

	script->refused[plan] = is_refused(script, plan);
	if (script->refused[plan])
		return;
	look_read(&script->house, house_plans + plan, &found);
	cr_assert(model_settle(&script->models[plan], &found, why, sizeof why), "%s (%s): %s",
		  look_here(), strike_name(), why);
}

static void finish(struct script *script, size_t plan, status s, const char *what)
{
	if (went_well(script, s, what))
		model_acknowledge(&script->models[plan]);
	else
		settle(script, plan);
}

static void write_op(struct script *script, size_t plan, struct op *op)
{
	struct errand errand;
	status s;

	if (script->refused[plan] || !script->models[plan].state.exists)
		return;
	op->version = ++script->version;
	errand_make(&errand, op);
	model_send(&script->models[plan], op);
	strike_enter();
	s = errand_send(&errand, &script->house, house_plans + plan);
	if (!status_failed(s))
		s = errand_await(&errand);
	strike_leave();
	finish(script, plan, s, "a write");
	errand_finish(&errand);
}

static void upsert(struct script *script, size_t plan, size_t first)
{
	struct op op = {.kind = OP_UPSERT, .n = BATCH_ROWS};

	for (size_t i = 0; i < op.n; i++)
		op.ids[i] = (uint16_t)((first + i) % house_plans[plan].ids);
	write_op(script, plan, &op);
}

static void delete(struct script *script, size_t plan, size_t first)
{
	struct op op = {.kind = OP_DELETE, .n = 4};

	for (size_t i = 0; i < op.n; i++)
		op.ids[i] = (uint16_t)((first + 3 * i) % house_plans[plan].ids);
	write_op(script, plan, &op);
}

static void delete_language(struct script *script, size_t plan)
{
	struct op op = {.kind = OP_DELETE_LANGUAGE, .language = 2};

	write_op(script, plan, &op);
}

static void create(struct script *script, size_t plan)
{
	const struct op op = {.kind = OP_CREATE, .version = ++script->version};
	status s;

	if (script->refused[plan] || script->models[plan].state.exists)
		return;
	model_send(&script->models[plan], &op);
	strike_enter();
	s = house_create(&script->house, house_plans + plan);
	strike_leave();
	finish(script, plan, s, "a creation");
}

static void drop(struct script *script, size_t plan)
{
	const struct op op = {.kind = OP_DROP, .version = ++script->version};
	status s;

	if (script->refused[plan] || !script->models[plan].state.exists)
		return;
	model_send(&script->models[plan], &op);
	strike_enter();
	s = house_drop(&script->house, house_plans + plan);
	strike_leave();
	finish(script, plan, s, "a drop");
}

static void optimize(struct script *script, size_t plan)
{
	status s;

	if (script->refused[plan] || !script->models[plan].state.exists)
		return;
	strike_enter();
	s = house_optimize(&script->house, house_plans + plan);
	strike_leave();
	if (!went_well(script, s, "an optimization"))
		settle(script, plan);
}

static bool is_there(const char *directory, const char *format, const char *name)
{
	char path[700], file[100];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(file, sizeof file, format, name);
#pragma GCC diagnostic pop
	snprintf(path, sizeof path, "%s/collections/%s", directory, file);
	return access(path, F_OK) == 0;
}

/* A snapshot is restored whole or not at all, and can be where it was not. */
static void restore(struct script *script, size_t plan)
{
	const char *name = house_plans[plan].name;
	char directory[400], command[500];
	status s;

	snprintf(directory, sizeof directory, "%s-restored", script->house.directory);
	strike_enter();
	s = house_restore(&script->house, house_plans + plan, directory);
	strike_leave();
	if (!went_well(script, s, "a restore")) {
		cr_assert_not(is_there(directory, "%s", name) ||
				      is_there(directory, ".%s.new", name),
			      "%s (%s): half of a restore is left", look_here(), strike_name());
		s = house_restore(&script->house, house_plans + plan, directory);
		cr_assert(!status_failed(s), "%s (%s): it cannot be restored: %s", look_here(),
			  strike_name(), s.detail);
	}
	cr_assert(is_there(directory, "%s", name));
	look_check(directory);
	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	cr_assert_eq(system(command), 0);
}

/* A snapshot is made, found, restored and removed. */
static void keep(struct script *script, size_t plan)
{
	const char *last = NULL;
	size_t n = 0;
	status s;

	if (script->refused[plan] || !script->models[plan].state.exists)
		return;
	strike_enter();
	s = house_keep(&script->house, house_plans + plan);
	strike_leave();
	if (!went_well(script, s, "a snapshot"))
		return;
	strike_enter();
	s = house_kept(&script->house, house_plans + plan, &n, &last);
	strike_leave();
	if (went_well(script, s, "a list of snapshots"))
		cr_assert(n == 1 && last, "%s (%s): %zu snapshots", look_here(), strike_name(), n);
	restore(script, plan);
	strike_enter();
	s = house_unkeep(&script->house, house_plans + plan);
	strike_leave();
	(void)went_well(script, s, "the end of a snapshot");
}

/* --- what reads: each may fail, and is right where it does not --- */

struct reading {
	struct script *script;
	const struct plan *plan;
	const struct state *state;
	struct collection *collection; /* owned */
	struct snapshot *snapshot;     /* owned */
	struct arena arena;
};

static void reading_finish(struct reading *reading)
{
	snapshot_release(reading->snapshot);
	collection_release(reading->collection);
	arena_finish(&reading->arena);
}

SCOPE_DEFINE(reading, reading_finish)

#define RIGHT(condition, what)                                                                     \
	cr_assert(condition, "%s (%s): %s: wrong: %s", look_here(), strike_name(),                 \
		  reading->plan->name, what)

static status read_by_id(struct reading *reading, uint32_t id, uint64_t *ret_row)
{
	const char *name = arena_printf(&reading->arena, "c%u", id);
	bool found = false;
	uint64_t row = 0;
	struct chunk chunk;

	if (!name)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a name");
	TRY(collection_find(reading->collection, bytes_of_string(name), &reading->arena, &found,
			    &row));
	RIGHT(found == (reading->state->versions[id] != 0), "an id");
	if (!found)
		return status_ok();
	*ret_row = row;
	TRY(collection_fetch(reading->collection, row, FETCH_RECORD | FETCH_VECTOR, &reading->arena,
			     &chunk));
	RIGHT(bytes_equal(chunk.id, bytes_of_string(name)), "a chunk");
	return status_ok();
}

static status read_all(struct reading *reading)
{
	size_t n = 0;

	for (uint64_t place = 0; place < snapshot_places(reading->snapshot); place++) {
		struct chunk chunk;
		unsigned id = 0, version = 0;

		if (!snapshot_visible(reading->snapshot, place))
			continue;
		TRY(collection_fetch(reading->collection, snapshot_row(reading->snapshot, place),
				     FETCH_RECORD, &reading->arena, &chunk));
		RIGHT(sscanf((const char *)chunk.text.data, "chunk %u as operation %u", &id,
			     &version) == 2 &&
			      reading->state->versions[id] == version,
		      "a listed chunk");
		n++;
	}
	RIGHT(n == state_count(reading->state), "the number of listed chunks");
	return status_ok();
}

/* The nearest of a row's own vector is that row. */
static status search(struct reading *reading, uint64_t row, float recall)
{
	struct deadline deadline;
	struct walk walk = {.deadline = &deadline, .arena = &reading->arena};
	float scratch[DIM];
	struct exact_options options = {
		.snapshot = reading->snapshot,
		.scanner = reading->script->house.scanner,
		.scanner_cpu = reading->script->house.scanner,
		.batch = 4,
		.recall_target = recall,
		.walk = &walk,
	};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch hits = {0};
	uint64_t place = 0;
	enum step step;

	if (!snapshot_find(reading->snapshot, row, &place))
		return status_ok();
	deadline_init(&deadline, DEADLINE_NEVER);
	options.query = snapshot_vector(reading->snapshot, place, scratch);
	TRY(exact_open(&options, &cursor));
	step = cursor_next(cursor, &hits);
	if (step == STEP_FAIL)
		return cursor->status;
	RIGHT(step == STEP_BATCH, "a search without an answer");
	RIGHT(recall > 0 || hits.hits[0].place == place, "the nearest");
	while ((step = cursor_next(cursor, &hits)) == STEP_BATCH)
		;
	return step == STEP_FAIL ? cursor->status : status_ok();
}

static status filter(struct reading *reading)
{
	SCOPED(places) places = NULL;
	const struct value value = {.kind = VALUE_STRING, .string = bytes_of_string("l1")};
	const struct condition condition = {
		.test = CONDITION_ANY_OF_VALUES, .values = &value, .n_values = 1};
	const struct condition exists = {.field = 1, .test = CONDITION_EXISTS, .absent = true};
	const struct filter wanted = {
		.all_of = &condition, .n_all_of = 1, .none_of = &exists, .n_none_of = 1};
	size_t n = 0;

	TRY(selection_make(reading->snapshot, &wanted, NULL, &reading->arena, &places));
	for (uint32_t id = 0; id < reading->plan->ids; id++)
		n += reading->state->versions[id] &&
		     chunk_language(id, reading->state->versions[id]) == 1;
	RIGHT(places_count(places) == n, "a filter's places");
	return status_ok();
}

static status read_document(struct reading *reading)
{
	const struct document_query query = {
		.document = bytes_of_string("d1"), .forward = true, .max = 20};
	struct collection_reader own = collection_reader_of(reading->collection);
	SCOPED(collection_reader) reader = &own;
	struct document_row rows[20];
	size_t n = 0, live = 0;

	TRY(collection_reader_document_rows(reader, &query, &reading->arena, rows, &n));
	for (size_t i = 0; i < n; i++) {
		uint64_t place;

		live += snapshot_find(reading->snapshot, rows[i].row, &place) &&
			snapshot_visible(reading->snapshot, place);
	}
	for (size_t i = 0; i < DOCUMENT_CHUNKS; i++)
		live -= reading->state->versions[DOCUMENT_CHUNKS + i] != 0;
	/* Dead rows may take the places of some; there are few. */
	RIGHT(n == 20 || live == 0, "a document's rows");
	return status_ok();
}

static status resume(struct reading *reading)
{
	SCOPED(snapshot) again = NULL;

	TRY(snapshot_acquire_at(reading->collection, snapshot_generation(reading->snapshot),
				snapshot_row_limit(reading->snapshot), &reading->arena, &again));
	RIGHT(snapshot_count(again) == snapshot_count(reading->snapshot), "a snapshot again");
	return status_ok();
}

static status read_some(struct reading *reading)
{
	struct house *house = &reading->script->house;
	uint64_t row = UINT64_MAX;

	TRY(database_acquire(house->database, bytes_of_string(reading->plan->name), &reading->arena,
			     &reading->collection));
	TRY(snapshot_acquire(reading->collection, &reading->snapshot));
	for (uint32_t id = 5; id < 40; id += 7)
		TRY(read_by_id(reading, id, &row));
	TRY(read_all(reading));
	if (row != UINT64_MAX) {
		TRY(search(reading, row, 0));
		TRY(search(reading, row, 0.9F));
	}
	TRY(filter(reading));
	TRY(read_document(reading));
	return resume(reading);
}

static void read_plan(struct script *script, size_t plan)
{
	SCOPED(reading) reading = &(struct reading){
		.script = script,
		.plan = house_plans + plan,
		.state = &script->models[plan].state,
	};
	status s;

	if (script->refused[plan] || !script->models[plan].state.exists)
		return;
	arena_init(&reading->arena, (size_t)16 << 20);
	strike_enter();
	s = read_some(reading);
	strike_leave();
	if (!went_well(script, s, "a reading"))
		script->refused[plan] = is_refused(script, plan);
}

static void list(struct script *script)
{
	struct bytes *names;
	struct collection **open;
	size_t n = 0, n_open = 0, known = 0, expected = 0;
	status s;

	strike_enter();
	s = database_list(script->house.database, bytes_of_string(""), 10, &script->house.arena,
			  &names, &n);
	strike_leave();
	if (went_well(script, s, "a list")) {
		for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
			expected += script->models[plan].state.exists && !script->refused[plan];
		cr_assert_geq(n, expected, "%s (%s)", look_here(), strike_name());
	}
	strike_enter();
	s = database_open_collections(script->house.database, 10, &script->house.arena, &open, &n,
				      &known, &n_open);
	strike_leave();
	if (!went_well(script, s, "what is open"))
		return;
	for (size_t i = 0; i < n; i++)
		collection_release(open[i]);
}

/* --- start and end --- */

/* A start that fails is tried again: it has harmed nothing. */
static void start(struct script *script)
{
	status s;

	strike_enter();
	s = house_open(&script->house);
	strike_leave();
	memset(script->refused, 0, sizeof script->refused);
	if (went_well(script, s, "a start"))
		return;
	script->counts->refused_starts++;
	house_close(&script->house);
	strike_enter();
	s = house_open(&script->house);
	strike_leave();
	cr_assert(!status_failed(s), "%s (%s): no second start: %s", look_here(), strike_name(),
		  s.detail);
}

static void end(struct script *script)
{
	strike_enter();
	house_close(&script->house);
	strike_leave();
	house_rest(&script->house);
}

static void do_all(struct script *script)
{
	start(script);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		create(script, plan);
	for (size_t i = 0; i < 3; i++)
		for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
			upsert(script, plan, i * (BATCH_ROWS - 4));
	read_plan(script, 0);
	delete (script, 0, 3);
	delete_language(script, 0);
	for (size_t i = 3; i < 20; i++)
		upsert(script, 1, i * BATCH_ROWS);
	optimize(script, 0);
	optimize(script, 1);
	delete (script, 1, 100);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		read_plan(script, plan);
	list(script);
	keep(script, 0);
	drop(script, 2);
	end(script);
	start(script);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		read_plan(script, plan);
	create(script, 2);
	upsert(script, 2, 0);
	upsert(script, 0, 30);
}

/* --- without failures --- */

/* It serves on as it is: what was refused is not, but a collection whose opening was refused. */
static void want_served(struct script *script)
{
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++) {
		if (is_refused(script, plan))
			continue;
		script->refused[plan] = false;
		settle(script, plan);
		if (!script->models[plan].state.exists)
			create(script, plan);
		upsert(script, plan, 7);
		settle(script, plan);
		cr_assert_not(script->refused[plan], "%s (%s): %s is not served any more",
			      look_here(), strike_name(), house_plans[plan].name);
	}
}

long script_run(const char *directory, const struct strike *strike, struct script_counts *counts)
{
	static struct script script;
	char data[300], command[400];
	size_t failed;
	long n;

	snprintf(data, sizeof data, "%s/data", directory);
	script = (struct script){.counts = counts};
	house_init(&script.house, data);
	script.house.seal_rows = SEAL_ROWS;
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		script.models[plan].plan = house_plans + plan;
	strike_begin(strike);
	do_all(&script);
	n = strike_end();
	counts->runs++;
	counts->struck += strike_struck();
	failed = counts->failed_operations;
	want_served(&script);
	end(&script);
	script.house.seal_rows = 0;
	start(&script);
	look_settle(&script.house, script.models);
	look_files(&script.house, script.models);
	look_kept(&script.house, house_plans, 0, 1, NULL);
	end(&script);
	look_check(data);
	cr_assert_eq(counts->failed_operations, failed, "%s: fails when nothing does any more",
		     look_here());
	house_finish(&script.house);
	snprintf(command, sizeof command, "rm -rf '%s'", data);
	cr_assert_eq(system(command), 0);
	return n;
}
