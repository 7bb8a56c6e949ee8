/* power_shrink - the power goes while a data file that is mostly free pages becomes a small one, and while
 * the small one is written on: all that was acknowledged is there.
 *
 * The opening that shrinks and some writes behind it are recorded; then prefixes of the record are
 * replayed as in power_test and held against the model: every third once, or each POWER_REPEATS times.
 */
#include "tests/faults/disk.h"
#include "tests/faults/look.h"
#include "tests/faults/sparse.h"

#include "kernels/base/log.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	WRITES = 3,
	STEP = SANITIZED ? 12 : 3,
};

static struct {
	struct scratch scratch;
	char before[300];
	struct house house;
	struct disk *disk;
	struct model models[HOUSE_PLANS];   /* as the work goes on */
	struct model replayed[HOUSE_PLANS]; /* at the prefix */
	struct op ops[WRITES];
} power;

static void begin(void)
{
	log_set_level(LOG_ERROR);
	scratch_open(&power.scratch);
	snprintf(power.before, sizeof power.before, "%s/0", power.scratch.path);
	cr_assert_eq(mkdir(power.before, 0700), 0);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		power.models[plan].plan = house_plans + plan;
}

static void end(void)
{
	disk_close(power.disk);
	scratch_close(&power.scratch);
}

TestSuite(power_shrink, .init = begin, .fini = end, .timeout = 0);

static void want_ok(status s)
{
	cr_assert(!status_failed(s), "%s: %s: %s", look_here(), status_code_name(s.code), s.detail);
}

/* --- the record --- */

struct note {
	bool is_answer;
	const struct op *op;
};

static struct note notes[2 * WRITES];

/* Opened, so shrunk, and written; each write is sent before its mark's answer. */
static void record(struct model *model)
{
	off_t large = sparse_bytes(&power.house);

	power.disk = disk_open(power.before);
	want_ok(house_open(&power.house));
	for (size_t i = 0; i < WRITES; i++) {
		struct op *op = &power.ops[i];

		sparse_draw(model, 7 * i, op);
		notes[2 * i] = (struct note){false, op};
		notes[2 * i + 1] = (struct note){true, op};
		disk_mark(power.disk, &notes[2 * i]);
		want_ok(sparse_send(&power.house, op));
		disk_mark(power.disk, &notes[2 * i + 1]);
	}
	house_close(&power.house);
	disk_stop(power.disk);
	cr_assert_lt(sparse_bytes(&power.house), large / 4, "it did not shrink");
}

static void replay_mark(void *context, const void *what)
{
	const struct note *note = what;
	struct model *model = context;

	if (note->is_answer)
		model_acknowledge(model);
	else
		model_send(model, note->op);
}

/* --- what is left --- */

static void want_all(struct house *house, struct model *models)
{
	want_ok(house_open(house));
	look_settle(house, models);
	look_files(house, models);
	house_close(house);
	house_rest(house);
	look_check(house->directory);
}

/* And what is written then is there when it is opened once more. */
static void look_at(const char *directory)
{
	static struct model left[HOUSE_PLANS];
	struct house house;
	struct op op;
	char data[320], command[400];

	snprintf(data, sizeof data, "%s/data", directory);
	house_init(&house, data);
	memcpy(left, power.replayed, sizeof left);
	want_all(&house, left);
	want_ok(house_open(&house));
	sparse_draw(&left[0], 50, &op);
	want_ok(sparse_send(&house, &op));
	model_send(&left[0], &op);
	model_acknowledge(&left[0]);
	house_close(&house);
	want_all(&house, left);
	house_finish(&house);
	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	cr_assert_eq(system(command), 0);
}

/* Gives how many losses there were. */
static size_t replay(void)
{
	const char *text = getenv("POWER_REPEATS");
	size_t repeats = text && *text ? strtoul(text, NULL, 10) : 0;
	size_t step = repeats ? 1 : STEP, n = 0;
	struct random random = {1};
	char directory[300];

	repeats += repeats == 0;

	snprintf(directory, sizeof directory, "%s/lost", power.scratch.path);
	for (size_t prefix = 0; prefix <= disk_length(power.disk); prefix += step) {
		disk_advance(power.disk, prefix, replay_mark, &power.replayed[0]);
		for (size_t i = 0; i < repeats; i++, n++) {
			look_where("prefix %zu of %zu, %zu", prefix, disk_length(power.disk), i);
			disk_lose_power(power.disk, &random, directory);
			look_at(directory);
		}
	}
	return n;
}

Test(power_shrink, that_goes_takes_nothing_that_was_acknowledged)
{
	char data[320];
	size_t n;

	snprintf(data, sizeof data, "%s/data", power.before);
	house_init(&power.house, data);
	want_ok(house_open(&power.house));
	sparse_fill(&power.house, &power.models[0]);
	house_close(&power.house);
	memcpy(power.replayed, power.models, sizeof power.replayed);
	record(&power.models[0]);
	house_finish(&power.house);
	n = replay();
	fprintf(stderr, "power_shrink: %zu losses in %zu changes with %zu syncs\n", n,
		disk_length(power.disk), disk_syncs(power.disk));
}
