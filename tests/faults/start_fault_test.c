/* start_fault - for every n, the nth call of a kind fails while a server starts over data that is there:
 * it serves, or it says on standard error why not and exits; the data is as it was.
 *
 * Here with a stride; `bazel run //tests/faults -- starts` takes each. FAULT_STRIDE and FAULT_FIRST say
 * which.
 */
#include "tests/e2e/rows.h"
#include "tests/faults/shimmed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIM = 8, ROWS = 150 };

static char said_path[300];

static void make_data(void)
{
	struct rows rows = {.collection = "docs",
			    .metric = SLUICE__V1__METRIC__METRIC_L2,
			    .dim = DIM,
			    .n = ROWS};

	cr_assert(shimmed_start());
	session_open(&world.session, world.server.address);
	rows_create(&rows, 5);
	optimize_now("docs");
	session_close(&world.session);
	cr_assert_eq(server_stop(&world.server, 60), 0);
}

static void begin(void)
{
	scratch_open(&world.scratch);
	snprintf(said_path, sizeof said_path, "%s/said", world.scratch.path);
	shimmed_open(world.scratch.path);
	make_data();
}

static void end(void)
{
	server_kill(&world.server);
	scratch_close(&world.scratch);
}

TestSuite(start_fault, .init = begin, .fini = end, .timeout = 0);

/* What it says goes to a file meanwhile. */
static bool start_and_hear(void)
{
	int before = dup(STDERR_FILENO);
	int said = open(said_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool started;

	cr_assert(before >= 0 && said >= 0);
	fflush(stderr);
	dup2(said, STDERR_FILENO);
	started = shimmed_start();
	dup2(before, STDERR_FILENO);
	close(before);
	close(said);
	return started;
}

static bool has_said_something(void)
{
	struct stat about;

	return stat(said_path, &about) == 0 && about.st_size > 0;
}

/* Whether the collection could be read once nothing failed any more; one whose opening failed stays
 * refused until the next start. */
static bool is_served(const char *where)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	const Sluice__V1__CountChunksResponse *response;
	struct answer answer;

	request.collection = text_of("docs");
	answer = session_call(&world.session, &count_chunks, &request.base);
	/* What was lacking then is asked for anew the second time. */
	if (answer.code == GRPC_STATUS_RESOURCE_EXHAUSTED)
		answer = session_call(&world.session, &count_chunks, &request.base);
	if (answer.code != GRPC_STATUS_OK) {
		cr_assert(answer.code == GRPC_STATUS_INTERNAL ||
				  answer.code == GRPC_STATUS_DATA_LOSS,
			  "%s: %d %s", where, answer.code, answer.detail);
		cr_assert(strstr(answer.detail, "docs"), "%s: %s", where, answer.detail);
		return false;
	}
	response = answer.message;
	cr_assert_eq(response->count, ROWS, "%s", where);
	return true;
}

struct kind {
	const char *name;
	enum shim_kind kind;
	int error;
	long runs; /* where no stride is said */
};

static struct {
	size_t runs, refused, unserved;
} counts;

static void want_whole(const char *where)
{
	shimmed_disarm();
	cr_assert(shimmed_start(), "%s: no start afterwards", where);
	session_open(&world.session, world.server.address);
	cr_assert(is_served(where), "%s: not served afterwards", where);
	session_close(&world.session);
	cr_assert_eq(server_stop(&world.server, 60), 0, "%s", where);
}

static void start_once(const struct kind *kind, long nth)
{
	char where[128];

	snprintf(where, sizeof where, "%s: FAULT_FIRST=%ld", kind->name, nth);
	shimmed_arm(kind->kind, kind->error, nth);
	counts.runs++;
	if (!start_and_hear()) {
		cr_assert(has_said_something(), "%s: it ends and does not say why", where);
		counts.refused++;
		want_whole(where);
		return;
	}
	shimmed_disarm();
	session_open(&world.session, world.server.address);
	counts.unserved += !is_served(where);
	session_close(&world.session);
	cr_assert_eq(server_stop(&world.server, 60), 0, "%s: it did not end well", where);
}

static void fail_each(const struct kind *kind)
{
	long n, stride;

	shimmed_arm(kind->kind, kind->error, -1);
	cr_assert(shimmed_start());
	n = shimmed_calls();
	shimmed_disarm();
	cr_assert_eq(server_stop(&world.server, 60), 0);
	stride = shimmed_number("FAULT_STRIDE", n / kind->runs + 1);
	for (long nth = shimmed_number("FAULT_FIRST", 0); nth < n; nth += stride)
		start_once(kind, nth);
	want_whole(kind->name);
	fprintf(stderr,
		"start_fault: %s: %ld calls, every %ld. failed: %zu starts, %zu refused, %zu "
		"without the collection\n",
		kind->name, n, stride, counts.runs, counts.refused, counts.unserved);
}

#define FAULT(test, ...)                                                                           \
	Test(start_fault, test)                                                                    \
	{                                                                                          \
		fail_each(&(const struct kind){#test, __VA_ARGS__});                               \
	}

FAULT(memory_runs_out, SHIM_MEMORY, ENOMEM, 5)
FAULT(no_thread_is_to_be_had, SHIM_THREAD, EAGAIN, 5)
FAULT(files_fail, SHIM_FILE, EIO, 5)
FAULT(files_have_no_room, SHIM_FILE, ENOSPC, 5)
FAULT(lmdb_has_no_memory, SHIM_LMDB, ENOMEM, 5)
