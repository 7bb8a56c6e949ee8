/* A server is killed while it writes; what it had answered is there afterwards, and writes are
 * there whole or not at all. */
#include "tests/index/fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(durability, .init = fixture_begin, .fini = fixture_end, .timeout = 40);

#define KILLS 5
#define IN_FLIGHT 6

/* The write of a generation is the same in every process. */
static void change_of(struct change *change, uint64_t generation)
{
	uint64_t random = generation * 0x9e3779b97f4a7c15U + 1;

	change_draw(change, &random, (uint32_t)generation);
}

/* In the child: as many writes at once as there are slots, each answer into the pipe. */
static int answers_out;
static sem_t slot_free;

static void report(struct write *answered)
{
	uint64_t generation = status_failed(answered->result) ? 0 : answered->generation;

	if (write(answers_out, &generation, sizeof generation) != sizeof generation)
		_exit(1);
	sem_post(&slot_free);
}

static _Noreturn void write_for_ever(uint64_t generation)
{
	struct change slots[IN_FLIGHT] = {0};
	struct collection *collection;

	fixture_open(2);
	collection = fixture_collection("docs");
	sem_init(&slot_free, 0, IN_FLIGHT);
	for (size_t i = 0;; i = (i + 1) % IN_FLIGHT) {
		while (sem_wait(&slot_free))
			;
		/* Answers come in order, so the oldest slot is the free one. */
		if (slots[i].write.done)
			change_finish(&slots[i]);
		change_of(&slots[i], ++generation);
		slots[i].write.done = report;
		collection_write(collection, &slots[i].write);
	}
}

/* Kills the child after so many answers; gives the last generation that was answered. */
static uint64_t run_and_kill(uint64_t generation, uint64_t n_answers)
{
	uint64_t last = generation, answer;
	int ends[2];
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		close(ends[0]);
		answers_out = ends[1];
		write_for_ever(generation);
	}
	close(ends[1]);
	while (read(ends[0], &answer, sizeof answer) == sizeof answer) {
		cr_assert_eq(answer, last + 1);
		last = answer;
		if (last == generation + n_answers)
			kill(child, SIGKILL);
	}
	close(ends[0]);
	waitpid(child, NULL, 0);
	cr_assert_geq(last, generation + n_answers);
	return last;
}

static void model_go_to(struct model *model, uint64_t from, uint64_t to)
{
	for (uint64_t generation = from + 1; generation <= to; generation++) {
		struct change change;

		change_of(&change, generation);
		model_apply(model, &change);
		change_finish(&change);
	}
}

Test(durability, what_was_answered_survives_a_kill_whole, .timeout = 50)
{
	uint64_t random = 99, generation = 0;
	struct model model = {0};

	for (int i = 0; i < KILLS; i++) {
		uint64_t answered = run_and_kill(generation, 1 + random_below(&random, 120));
		struct collection_status about;
		struct collection *collection;
		struct snapshot *snapshot = NULL;

		fixture_open(1);
		collection = fixture_collection("docs");
		collection_status(collection, &about);
		cr_assert_geq(about.generation, answered);
		cr_assert_leq(about.generation, answered + IN_FLIGHT);
		model_go_to(&model, generation, about.generation);
		generation = about.generation;
		cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
		model_check(&model, snapshot);
		snapshot_release(snapshot);
		model_check_ids(&model, collection);
		collection_release(collection);
		fixture_close();
	}
}
