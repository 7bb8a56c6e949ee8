/* fault - for every n, the nth call of a kind fails, somewhere in a script of all that an index does.
 *
 * Here with a stride, so that it takes seconds; `bazel run //tests/faults -- index` takes each.
 * FAULT_STRIDE and FAULT_FIRST say which.
 */
#include "tests/faults/look.h"
#include "tests/faults/script.h"

#include "kernels/base/log.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

/* Of a kind, where no stride is said. */
enum { RUNS = SANITIZED ? 1 : 5 };

static struct scratch scratch;

static void begin(void)
{
	log_set_level(LOG_ERROR);
	scratch_open(&scratch);
}

static void end(void)
{
	scratch_close(&scratch);
}

TestSuite(fault, .init = begin, .fini = end, .timeout = 0);

static long number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 10) : otherwise;
}

struct kind {
	const char *name;
	enum strike_kind kind;
	int error;
};

static long count(const struct kind *kind, struct script_counts *counts)
{
	const struct strike none = {.kind = kind->kind, .nth = -1};

	look_where("%s: none", kind->name);
	return script_run(scratch.path, &none, counts);
}

/* Threads take turns as they like, so the nth is not the same each time; about all are met. */
static void fail_each(const struct kind *kind)
{
	struct script_counts counts = {0};
	long n = count(kind, &counts), first = number_of("FAULT_FIRST", 0);
	long stride = number_of("FAULT_STRIDE", n / RUNS + 1);

	cr_assert_gt(n, 0);
	for (long nth = first; nth < n; nth += stride) {
		const struct strike strike = {kind->kind, nth, kind->error};

		look_where("%s: FAULT_FIRST=%ld", kind->name, nth);
		(void)script_run(scratch.path, &strike, &counts);
	}
	fprintf(stderr,
		"fault: %s: %ld calls, every %ld. failed: %zu runs, %zu struck, %zu operations "
		"failed, %zu starts refused\n",
		kind->name, n, stride, counts.runs - 1, counts.struck, counts.failed_operations,
		counts.refused_starts);
}

#define FAULT(test, ...)                                                                           \
	Test(fault, test)                                                                          \
	{                                                                                          \
		fail_each(&(const struct kind){#test, __VA_ARGS__});                               \
	}

FAULT(memory_runs_out, STRIKE_MEMORY, 0)
FAULT(no_thread_is_to_be_had, STRIKE_THREAD, 0)
FAULT(lmdb_has_no_memory, STRIKE_LMDB, ENOMEM)
FAULT(lmdb_finds_its_map_full, STRIKE_LMDB_WRITE, MDB_MAP_FULL)
FAULT(lmdb_cannot_read_or_write, STRIKE_LMDB, EIO)
FAULT(files_fail, STRIKE_FILE, EIO)
FAULT(files_have_no_room, STRIKE_FILE, ENOSPC)
FAULT(signals_come_between, STRIKE_FILE_WAITS, EINTR)
FAULT(files_are_read_and_written_in_parts, STRIKE_FILE, STRIKE_SHORT)
FAULT(descriptors_run_out, STRIKE_FILE, EMFILE)
