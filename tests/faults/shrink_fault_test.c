/* shrink_fault - for every n, the nth call of a kind fails while a data file that is mostly free pages becomes
 * a small one, or while it is written on: what was acknowledged is there, whatever the file's name then is.
 *
 * Here with a stride; `bazel run //tests/faults -- index` takes each. FAULT_STRIDE and FAULT_FIRST say
 * which.
 */
#include "tests/faults/look.h"
#include "tests/faults/sparse.h"
#include "tests/faults/strike.h"

#include "kernels/base/log.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a kind, where no stride is said. */
enum { RUNS = SANITIZED ? 2 : 8 };

static struct scratch scratch;
static struct model filled[HOUSE_PLANS];
static char data[300];
static struct {
	size_t runs, struck, refused, failed;
} counts;

static void shell(const char *format)
{
	char command[800];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof command, format, scratch.path);
#pragma GCC diagnostic pop
	cr_assert_eq(system(command), 0);
}

static void want_ok(status s, const char *what)
{
	cr_assert(!status_failed(s), "%s (%s): %s: %s: %s", look_here(), strike_name(), what,
		  status_code_name(s.code), s.detail);
}

static void begin(void)
{
	struct house house;

	log_set_level(LOG_ERROR);
	scratch_open(&scratch);
	snprintf(data, sizeof data, "%s/data", scratch.path);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		filled[plan].plan = house_plans + plan;
	house_init(&house, data);
	want_ok(house_open(&house), "opening");
	sparse_fill(&house, &filled[0]);
	house_finish(&house);
	shell("mv %1$s/data %1$s/kept");
}

static void end(void)
{
	scratch_close(&scratch);
}

TestSuite(shrink_fault, .init = begin, .fini = end, .timeout = 0);

/* What fails says so, with a code that is for such things. */
static bool went_well(status s, const char *what)
{
	if (!status_failed(s))
		return true;
	cr_assert(strike_struck(), "%s: %s failed by itself: %s: %s", look_here(), what,
		  status_code_name(s.code), s.detail);
	cr_assert(s.code == STATUS_RESOURCE_EXHAUSTED || s.code == STATUS_INTERNAL ||
			  s.code == STATUS_DATA_LOSS,
		  "%s (%s): %s ended with %s: %s", look_here(), strike_name(), what,
		  status_code_name(s.code), s.detail);
	cr_assert(s.detail && *s.detail, "%s (%s): %s does not say why", look_here(), strike_name(),
		  what);
	return false;
}

/* The errand is the test's own, and made before. The model knows no order but that in which they were
 * sent: behind one that failed nothing is. */
static bool write_once(struct house *house, struct model *model, size_t first)
{
	struct errand errand;
	struct op op;
	status s;
	bool well;

	sparse_draw(model, first, &op);
	errand_make(&errand, &op);
	model_send(model, &op);
	strike_enter();
	s = errand_send(&errand, house, house_plans);
	if (!status_failed(s))
		s = errand_await(&errand);
	strike_leave();
	well = went_well(s, "a write");
	errand_finish(&errand);
	if (well)
		model_acknowledge(model);
	else
		counts.failed++;
	return well;
}

/* It is opened, so shrunk, and written twice. */
static void be_struck(struct house *house, struct model *model)
{
	status s;

	strike_enter();
	s = house_open(house);
	strike_leave();
	if (went_well(s, "a start"))
		(void)(write_once(house, model, 3) && write_once(house, model, 40));
	else
		counts.refused++;
	strike_enter();
	house_close(house);
	strike_leave();
}

static void want_all(struct house *house, struct model *models)
{
	want_ok(house_open(house), "a start afterwards");
	look_settle(house, models);
	look_files(house, models);
	(void)write_once(house, &models[0], 20);
	house_close(house);
	want_ok(house_open(house), "a second start");
	look_settle(house, models);
	house_close(house);
	house_rest(house);
	look_check(data);
}

static long run(const struct strike *strike)
{
	static struct model models[HOUSE_PLANS];
	struct house house;
	long n;

	shell("cp -r %1$s/kept %1$s/data");
	memcpy(models, filled, sizeof models);
	house_init(&house, data);
	strike_begin(strike);
	be_struck(&house, &models[0]);
	n = strike_end();
	counts.runs++;
	counts.struck += strike_struck();
	want_all(&house, models);
	house_finish(&house);
	shell("rm -rf %1$s/data");
	return n;
}

static long number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 10) : otherwise;
}

static void fail_each(const char *name, struct strike strike)
{
	long n, stride;

	look_where("%s: none", name);
	strike.nth = -1;
	n = run(&strike);
	cr_assert_gt(n, 0);
	stride = number_of("FAULT_STRIDE", n / RUNS + 1);
	for (long nth = number_of("FAULT_FIRST", 0); nth < n; nth += stride) {
		look_where("%s: FAULT_FIRST=%ld", name, nth);
		strike.nth = nth;
		(void)run(&strike);
	}
	fprintf(stderr,
		"shrink_fault: %s: %ld calls, every %ld. failed: %zu runs, %zu struck, %zu writes "
		"failed, %zu starts refused\n",
		name, n, stride, counts.runs - 1, counts.struck, counts.failed, counts.refused);
}

#define FAULT(test, ...)                                                                           \
	Test(shrink_fault, test)                                                                   \
	{                                                                                          \
		fail_each(#test, (struct strike){__VA_ARGS__});                                    \
	}

FAULT(memory_runs_out, STRIKE_MEMORY, 0, 0)
FAULT(lmdb_has_no_memory, STRIKE_LMDB, 0, ENOMEM)
FAULT(files_fail, STRIKE_FILE, 0, EIO)
FAULT(files_have_no_room, STRIKE_FILE, 0, ENOSPC)
FAULT(descriptors_run_out, STRIKE_FILE, 0, EMFILE)
