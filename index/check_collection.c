/* check_collection - one collection: its store, its segments, and the other files beside them. */
#include "index/check_report.h"

#include "index/ann/ann.h"
#include "index/directory.h"
#include "index/segment/sealed.h"
#include "index/store/inspect.h"
#include "index/store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"

/* A segment that the manifest names. */
struct named {
	struct store_segment says;
	struct sealed *sealed; /* owned; NULL: it is damaged */
};

struct checking {
	int descriptor;
	const char *directory, *name;
	struct arena *arena;
	struct store *store; /* owned */
	struct named *named; /* [n] in the arena */
	size_t n;
	struct check_counts counts;
};

static void checking_finish(struct checking *checking)
{
	for (size_t i = 0; i < checking->n; i++)
		sealed_close(checking->named[i].sealed);
	store_close(checking->store);
}

SCOPE_DEFINE(checking, checking_finish)

/* Damage is told, and gone past; what is none ends the check. */
static status tell(struct checking *checking, const char *file, status s)
{
	if (s.code != STATUS_DATA_LOSS)
		return s;
	check_say(checking->descriptor, CHECK_DAMAGE, file, s.detail);
	return status_ok();
}

static const char *file_name(struct checking *checking, uint64_t id, const char *suffix)
{
	const char *name =
		arena_printf(checking->arena, "%016llx%s", (unsigned long long)id, suffix);

	return name ? name : suffix;
}

static void count_bytes(struct checking *checking, const char *file)
{
	const char *path = arena_printf(checking->arena, "%s/%s", checking->directory, file);
	struct stat about;

	if (path && stat(path, &about) == 0)
		checking->counts.bytes += (uint64_t)about.st_size;
}

/* --- segments --- */

static bool rows_ascend(const struct sealed *sealed)
{
	for (uint32_t i = 1; i < sealed_length(sealed); i++) {
		if (sealed_row(sealed, i - 1) >= sealed_row(sealed, i))
			return false;
	}
	return true;
}

static void check_manifest(struct checking *checking, size_t i, const char *file)
{
	const struct store_segment *says = &checking->named[i].says;
	const struct sealed *sealed = checking->named[i].sealed;

	if (sealed_length(sealed) != says->n || sealed_row(sealed, 0) != says->first_row ||
	    sealed_last_row(sealed) != says->last_row)
		check_say(checking->descriptor, CHECK_DAMAGE, file,
			  "it has other rows than the manifest says");
	if (i > 0 && checking->named[i - 1].says.last_row >= says->first_row)
		check_say(checking->descriptor, CHECK_DAMAGE, file,
			  "it has rows that another segment has");
	if (!rows_ascend(sealed))
		check_say(checking->descriptor, CHECK_DAMAGE, file, "its rows are in no order");
}

static status check_segment(struct checking *checking, size_t i)
{
	const struct sealed_file file = {
		.directory = checking->directory,
		.config = store_config(checking->store),
		.incarnation = store_incarnation(checking->store),
		.id = checking->named[i].says.id,
	};
	const char *name = file_name(checking, file.id, ".segment");
	const char *beside = file_name(checking, file.id, ".ann");
	struct named *named = &checking->named[i];
	SCOPED(ann) ann = NULL;

	check_say(checking->descriptor, CHECK_PART, name, "its blocks");
	TRY(tell(checking, name, sealed_open(&file, checking->arena, &named->sealed)));
	count_bytes(checking, name);
	if (!named->sealed)
		return status_ok();
	checking->counts.segments++;
	check_manifest(checking, i, name);
	check_say(checking->descriptor, CHECK_PART, beside, "its blocks");
	TRY(tell(checking, beside, ann_open(&file, named->sealed, checking->arena, &ann)));
	if (ann) {
		checking->counts.indexes++;
		count_bytes(checking, beside);
	}
	return status_ok();
}

static status check_segments(struct checking *checking)
{
	struct store_segment *segments = NULL;
	size_t n = 0;

	TRY(tell(checking, DATA_FILE,
		 store_read_segments(checking->store, checking->arena, &segments, &n)));
	checking->named = ARENA_ARRAY(checking->arena, struct named, n);
	if (!checking->named)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	for (size_t i = 0; i < n; i++)
		checking->named[i] = (struct named){.says = segments[i]};
	checking->n = n;
	for (size_t i = 0; i < n; i++)
		TRY(check_segment(checking, i));
	return status_ok();
}

/* Of one that is damaged it is not known. */
static bool has_row(void *context, uint64_t row)
{
	const struct checking *checking = context;
	size_t low = 0, high = checking->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (checking->named[middle].says.last_row < row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == checking->n || checking->named[low].says.first_row > row)
		return false;
	const struct sealed *sealed = checking->named[low].sealed;

	if (!sealed)
		return true;
	uint32_t place = sealed_seek(sealed, row);

	return place < sealed_length(sealed) && sealed_row(sealed, place) == row;
}

/* --- the store --- */

static void tell_table(void *context, const char *what)
{
	const struct checking *checking = context;

	check_say(checking->descriptor, CHECK_DAMAGE, DATA_FILE, what);
}

static void enter_table(void *context, const char *part)
{
	const struct checking *checking = context;

	check_say(checking->descriptor, CHECK_PART, DATA_FILE, part);
}

static status check_tables(struct checking *checking)
{
	struct inspect inspect = {
		.damaged = tell_table,
		.enters = enter_table,
		.has_row = has_row,
		.context = checking,
	};

	TRY(inspect_tables(checking->store, &inspect, checking->arena));
	checking->counts.chunks = inspect.live_rows;
	checking->counts.dead_rows = inspect.dead_rows;
	checking->counts.values = inspect.values;
	return status_ok();
}

/* --- the directory --- */

static bool is_named(const struct checking *checking, const char *file)
{
	if (strcmp(file, DATA_FILE) == 0 || strcmp(file, LOCK_FILE) == 0)
		return true;
	for (size_t i = 0; i < checking->n; i++) {
		char *rest;
		uint64_t id = strtoull(file, &rest, 16);

		if (rest == file + 16 && id == checking->named[i].says.id &&
		    (strcmp(rest, ".segment") == 0 || strcmp(rest, ".ann") == 0))
			return true;
	}
	return false;
}

static status look_at_file(void *context, const char *file)
{
	const struct checking *checking = context;

	if (!is_named(checking, file))
		check_say(checking->descriptor, CHECK_NOTE, file,
			  "left over: no part of the collection, and removed at the next start "
			  "if a server made it");
	return status_ok();
}

/* --- all together --- */

static status check_name(const struct checking *checking)
{
	const char *says = store_config(checking->store)->name;

	if (strcmp(says, checking->name) == 0)
		return status_ok();
	return status_format(checking->arena, STATUS_DATA_LOSS, "it is of the collection \"%s\"",
			     says);
}

static status check(struct checking *checking)
{
	bool pages_are_whole;
	status s;

	check_say(checking->descriptor, CHECK_PART, DATA_FILE, "its pages");
	s = inspect_pages(checking->directory, checking->arena);
	pages_are_whole = !status_failed(s);
	TRY(tell(checking, DATA_FILE, s));
	count_bytes(checking, DATA_FILE);
	check_say(checking->descriptor, CHECK_PART, DATA_FILE, "its configuration");
	s = inspect_open(checking->directory, checking->arena, &checking->store);
	if (s.code == STATUS_FAILED_PRECONDITION) {
		check_say(checking->descriptor, CHECK_NOTE, DATA_FILE, s.detail);
		return status_ok();
	}
	/* A page that is damaged has been told already. */
	if (status_failed(s) && !pages_are_whole)
		return status_ok();
	TRY(tell(checking, DATA_FILE, s));
	if (status_failed(s))
		return status_ok();
	TRY(tell(checking, DATA_FILE, check_name(checking)));
	TRY(check_segments(checking));
	TRY(directory_each(checking->directory, checking->arena, look_at_file, checking));
	/* Where pages lead astray a table has no end. */
	return pages_are_whole ? check_tables(checking) : status_ok();
}

void check_collection_run(int descriptor, const char *directory, const char *name,
			  struct arena *arena)
{
	SCOPED(checking) checking = &(struct checking){
		.descriptor = descriptor,
		.directory = directory,
		.name = name,
		.arena = arena,
	};
	status s = check(checking);

	if (status_failed(s))
		check_say(descriptor, CHECK_FAILED, "", s.detail ? s.detail : "no detail");
	check_say_counts(descriptor, &checking->counts);
}
