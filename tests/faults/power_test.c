/* power - the power goes, whatever a database is doing, and has to leave all that was acknowledged.
 *
 * A round: operations of models run over a database whose every change of files is recorded, LMDB's too;
 * then, for many a prefix of the record, a directory is made of what a disk may have had then, and
 * opened, and held against the models as they were then. The next round begins with one such directory, so that
 * what mends it is recorded as well. POWER_PREFIXES and POWER_SEED say how many prefixes, and which.
 */
#include "tests/faults/disk.h"
#include "tests/faults/look.h"

#include "kernels/base/log.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	PREFIXES = SANITIZED ? 20 : 120,
	ROUND_PREFIXES = SANITIZED ? 20 : 60,
	OPERATIONS = 60,
	IN_FLIGHT = 4,
	GOES_ON_EVERY = 8,
	KEPT_MAX = 2, /* of a collection: each is as much again to write and to look at */
};

TestSuite(power, .timeout = 0);

/* A mark in the record. */
struct note {
	size_t plan;
	bool is_answer, is_kept, is_removed; /* the last two of snapshots */
	struct op op;
};

struct flight {
	struct errand errand; /* first */
	struct note *answer;
	struct disk *disk;
};

struct round {
	struct random random;
	struct scratch scratch;
	char before[300]; /* a directory as it is when the round begins */
	struct house house;
	struct disk *disk;
	struct note notes[4 * OPERATIONS];
	size_t n_notes;
	struct model models[HOUSE_PLANS];   /* as the work goes on */
	struct model replayed[HOUSE_PLANS]; /* at the prefix */
	/* Snapshots that were made, and asked for, by the prefix; and what a loss left of them. */
	size_t kept[HOUSE_PLANS], to_keep[HOUSE_PLANS], n_found[HOUSE_PLANS];
	size_t n_there[HOUSE_PLANS]; /* as the work goes on */
	struct flight flights[HOUSE_PLANS][IN_FLIGHT];
	size_t first[HOUSE_PLANS], n_flights[HOUSE_PLANS];
};

static struct {
	size_t prefixes, rounds, events, syncs, operations, pending, kept, removed, went_on;
} counts;

static size_t number_of(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

static void remove_all(const char *path)
{
	char command[600];

	snprintf(command, sizeof command, "rm -rf '%s'", path);
	cr_assert_eq(system(command), 0);
}

/* --- the work that is recorded --- */

static struct note *take_note(struct round *round, size_t plan, bool is_answer)
{
	struct note *note = &round->notes[round->n_notes++];

	cr_assert_leq(round->n_notes, sizeof round->notes / sizeof *round->notes);
	*note = (struct note){.plan = plan, .is_answer = is_answer};
	return note;
}

static void send(struct round *round, size_t plan, const struct op *op)
{
	struct note *note = take_note(round, plan, false);

	note->op = *op;
	model_send(&round->models[plan], op);
	disk_mark(round->disk, note);
	counts.operations++;
}

static void told(struct errand *errand)
{
	const struct flight *flight = (const struct flight *)errand;

	if (!status_failed(errand->write.result))
		disk_mark(flight->disk, flight->answer);
}

static void want_ok(status s)
{
	cr_assert(!status_failed(s), "%s: %s: %s", look_here(), status_code_name(s.code), s.detail);
}

static void land(struct round *round, size_t plan)
{
	struct flight *flight = &round->flights[plan][round->first[plan]];

	want_ok(errand_await(&flight->errand));
	errand_finish(&flight->errand);
	model_acknowledge(&round->models[plan]);
	round->first[plan] = (round->first[plan] + 1) % IN_FLIGHT;
	round->n_flights[plan]--;
}

static void land_all(struct round *round, size_t plan)
{
	while (round->n_flights[plan])
		land(round, plan);
}

static void fly(struct round *round, size_t plan, const struct op *op)
{
	struct flight *flight;

	if (round->n_flights[plan] == IN_FLIGHT)
		land(round, plan);
	flight = &round->flights[plan][(round->first[plan] + round->n_flights[plan]) % IN_FLIGHT];
	errand_make(&flight->errand, op);
	flight->errand.told = told;
	flight->answer = take_note(round, plan, true);
	flight->disk = round->disk;
	send(round, plan, op);
	want_ok(errand_send(&flight->errand, &round->house, house_plans + plan));
	round->n_flights[plan]++;
}

static void make_or_drop(struct round *round, size_t plan, const struct op *op)
{
	land_all(round, plan);
	send(round, plan, op);
	want_ok(op->kind == OP_CREATE ? house_create(&round->house, house_plans + plan)
				      : house_drop(&round->house, house_plans + plan));
	disk_mark(round->disk, take_note(round, plan, true));
	model_acknowledge(&round->models[plan]);
}

static void restart(struct round *round)
{
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		land_all(round, plan);
	house_close(&round->house);
	want_ok(house_open(&round->house));
}

/* Two marks: it is asked for, and it is there. */
static void keep(struct round *round, size_t plan)
{
	struct note *asked = take_note(round, plan, false), *made = take_note(round, plan, true);

	land_all(round, plan);
	asked->is_kept = made->is_kept = true;
	disk_mark(round->disk, asked);
	want_ok(house_keep(&round->house, house_plans + plan));
	disk_mark(round->disk, made);
	round->n_there[plan]++;
	counts.kept++;
}

/* Between the two marks it may be there or not. */
static void unkeep(struct round *round, size_t plan)
{
	struct note *asked = take_note(round, plan, false), *gone = take_note(round, plan, true);

	asked->is_removed = gone->is_removed = true;
	disk_mark(round->disk, asked);
	want_ok(house_unkeep(&round->house, house_plans + plan));
	disk_mark(round->disk, gone);
	round->n_there[plan]--;
	counts.removed++;
}

static void do_one(struct round *round)
{
	size_t plan = random_below(&round->random, HOUSE_PLANS);
	size_t choice = random_below(&round->random, 40);
	struct op op;

	house_rest(&round->house);
	if (choice == 0)
		restart(round);
	if (choice == 3 && round->n_there[plan] == KEPT_MAX)
		unkeep(round, plan);
	else if (choice == 3 && round->models[plan].sent.exists)
		keep(round, plan);
	if (choice == 4 && round->n_there[plan] > 0)
		unkeep(round, plan);
	if (choice <= 2 && round->models[plan].sent.exists) {
		land_all(round, plan);
		want_ok(house_optimize(&round->house, house_plans + plan));
	}
	model_draw(&round->models[plan], &round->random, &op);
	if (op.kind == OP_CREATE || op.kind == OP_DROP)
		make_or_drop(round, plan, &op);
	else
		fly(round, plan, &op);
}

static void record(struct round *round)
{
	round->house.directory = arena_printf(&round->house.arena, "%s/data", round->before);
	round->house.seal_rows = 20 + 20 * random_below(&round->random, 3);
	round->house.retention_ns = random_below(&round->random, 2) ? 0 : INT64_C(600000000000);
	memcpy(round->n_there, round->kept, sizeof round->n_there);
	round->disk = disk_open(round->before);
	/* house_rest is for details; the path is needed until the end. */
	round->house.directory = strdup(round->house.directory);
	want_ok(house_open(&round->house));
	for (int i = 0; i < OPERATIONS; i++)
		do_one(round);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		land_all(round, plan);
	house_close(&round->house);
	disk_stop(round->disk);
	free((void *)(uintptr_t)round->house.directory);
	counts.events += disk_length(round->disk);
	counts.syncs += disk_syncs(round->disk);
}

/* --- what is left when the power goes --- */

static void replay_mark(void *context, const void *what)
{
	struct round *round = context;
	const struct note *note = what;

	if (note->is_removed)
		--*(note->is_answer ? &round->to_keep[note->plan] : &round->kept[note->plan]);
	else if (note->is_kept)
		++*(note->is_answer ? &round->kept[note->plan] : &round->to_keep[note->plan]);
	else if (note->is_answer)
		model_acknowledge(&round->replayed[note->plan]);
	else
		model_send(&round->replayed[note->plan], &note->op);
}

static void want_all(const struct round *round, struct house *house, struct model *models,
		     const char *restore)
{
	want_ok(house_open(house));
	look_settle(house, models);
	look_files(house, models);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		look_kept(house, house_plans + plan, round->kept[plan], round->to_keep[plan],
			  restore);
	house_close(house);
	house_rest(house);
	look_check(house->directory);
}

/* It is not only whole, it can be written. */
static void go_on(struct round *round, struct house *house, struct model *models)
{
	char restore[300];

	house->seal_rows = 20;
	want_ok(house_open(house));
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++) {
		struct errand errand;
		struct op op;

		model_draw(&models[plan], &round->random, &op);
		model_send(&models[plan], &op);
		if (op.kind == OP_CREATE || op.kind == OP_DROP) {
			want_ok(op.kind == OP_CREATE ? house_create(house, house_plans + plan)
						     : house_drop(house, house_plans + plan));
		} else {
			errand_make(&errand, &op);
			want_ok(errand_send(&errand, house, house_plans + plan));
			want_ok(errand_await(&errand));
			errand_finish(&errand);
		}
		model_acknowledge(&models[plan]);
	}
	house_close(house);
	house->seal_rows = 0;
	snprintf(restore, sizeof restore, "%s/restored", round->scratch.path);
	want_all(round, house, models, restore);
	remove_all(restore);
	counts.went_on++;
}

static struct model left[HOUSE_PLANS];

static void look_at(struct round *round, const char *directory)
{
	struct house house;
	char data[320];

	snprintf(data, sizeof data, "%s/data", directory);
	house_init(&house, data);
	memcpy(left, round->replayed, sizeof left);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		counts.pending += left[plan].n_pending;
	want_all(round, &house, left, NULL);
	want_ok(house_open(&house));
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		want_ok(house_kept(&house, house_plans + plan, &round->n_found[plan], NULL));
	house_finish(&house);
}

static void lose(struct round *round, size_t prefix, uint64_t seed, const char *directory)
{
	struct random random = {seed};

	(void)prefix;
	disk_lose_power(round->disk, &random, directory);
}

static int compare(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* The directory that a loss at one of the prefixes leaves becomes the next round's. */
static void replay(struct round *round, size_t seed)
{
	size_t prefixes[ROUND_PREFIXES], next = random_below(&round->random, ROUND_PREFIXES);
	char directory[280], kept[280];
	static struct model models[HOUSE_PLANS];
	size_t n_kept[HOUSE_PLANS] = {0};

	snprintf(directory, sizeof directory, "%s/lost", round->scratch.path);
	snprintf(kept, sizeof kept, "%s/%zu", round->scratch.path, counts.rounds + 1);
	for (size_t i = 0; i < ROUND_PREFIXES; i++)
		prefixes[i] = random_below(&round->random, disk_length(round->disk) + 1);
	qsort(prefixes, ROUND_PREFIXES, sizeof *prefixes, compare);
	for (size_t i = 0; i < ROUND_PREFIXES; i++) {
		uint64_t how = random_bits(&round->random);

		look_where("POWER_SEED=%zu, round %zu, prefix %zu of %zu", seed, counts.rounds,
			   prefixes[i], disk_length(round->disk));
		disk_advance(round->disk, prefixes[i], replay_mark, round);
		lose(round, prefixes[i], how, directory);
		look_at(round, directory);
		if (i == next) {
			lose(round, prefixes[i], how, kept);
			memcpy(models, left, sizeof models);
			memcpy(n_kept, round->n_found, sizeof n_kept);
		}
		if (i % GOES_ON_EVERY == 0) {
			struct house house;
			char data[320];

			snprintf(data, sizeof data, "%s/data", directory);
			house_init(&house, data);
			go_on(round, &house, left);
			house_finish(&house);
		}
		remove_all(directory);
		counts.prefixes++;
	}
	memcpy(round->models, models, sizeof models);
	memcpy(round->kept, n_kept, sizeof n_kept);
	memcpy(round->to_keep, n_kept, sizeof n_kept);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		if (round->models[plan].last_version < 1000000)
			round->models[plan].last_version += 1000;
	remove_all(round->before);
	snprintf(round->before, sizeof round->before, "%s", kept);
}

static void report(size_t seed)
{
	fprintf(stderr,
		"power: seed %zu: %zu prefixes of %zu changes with %zu syncs in %zu rounds, %zu "
		"operations, %zu pending at a loss, %zu snapshots made and %zu removed, written on "
		"after %zu\n",
		seed, counts.prefixes, counts.events, counts.syncs, counts.rounds,
		counts.operations, counts.pending, counts.kept, counts.removed, counts.went_on);
}

Test(power, that_goes_takes_nothing_that_was_acknowledged)
{
	static struct round round;
	size_t wanted = number_of("POWER_PREFIXES", PREFIXES), seed = number_of("POWER_SEED", 1);

	log_set_level(LOG_ERROR);
	round.random.state = seed;
	scratch_open(&round.scratch);
	snprintf(round.before, sizeof round.before, "%s/0", round.scratch.path);
	cr_assert_eq(mkdir(round.before, 0700), 0);
	for (size_t plan = 0; plan < HOUSE_PLANS; plan++)
		round.models[plan].plan = house_plans + plan;
	while (counts.prefixes < wanted) {
		round.n_notes = 0;
		memcpy(round.replayed, round.models, sizeof round.replayed);
		house_init(&round.house, "");
		record(&round);
		house_finish(&round.house);
		replay(&round, seed);
		disk_close(TAKE(round.disk));
		counts.rounds++;
		if (counts.rounds % 10 == 0)
			report(seed);
	}
	report(seed);
	scratch_close(&round.scratch);
}
