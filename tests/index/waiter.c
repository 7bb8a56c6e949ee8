/* waiter - see waiter.h. */
#include "tests/index/waiter.h"

#include <criterion/criterion.h>

static void note(struct optimize *optimize)
{
	struct waiter *waiter = (struct waiter *)optimize;

	waiter->n_told++;
	waiter->n_back += optimize->phase < waiter->last;
	waiter->last = optimize->phase;
	waiter->told[optimize->phase] = true;
	if (optimize->phase == OPTIMIZE_DONE)
		sem_post(&waiter->done);
}

void waiter_begin(struct waiter *waiter, struct collection *collection)
{
	*waiter = (struct waiter){.optimize = {.tell = note, .arena = &waiter->arena}};
	arena_init(&waiter->arena, (size_t)1 << 20);
	sem_init(&waiter->done, 0, 0);
	collection_optimize(collection, &waiter->optimize);
}

void waiter_finish(struct waiter *waiter)
{
	sem_destroy(&waiter->done);
	arena_finish(&waiter->arena);
}

static void await(struct waiter *waiter)
{
	while (sem_wait(&waiter->done))
		;
	cr_assert_eq(waiter->n_back, 0);
}

enum status_code waiter_end(struct waiter *waiter)
{
	status result;

	await(waiter);
	result = waiter->optimize.result;
	cr_assert(!status_failed(result) || result.detail);
	waiter_finish(waiter);
	return result.code;
}

void waiter_end_well(struct waiter *waiter)
{
	await(waiter);
	cr_assert_not(status_failed(waiter->optimize.result), "%s", waiter->optimize.result.detail);
	waiter_finish(waiter);
}

void optimize_now(struct collection *collection)
{
	struct waiter waiter;

	waiter_begin(&waiter, collection);
	waiter_end_well(&waiter);
}
