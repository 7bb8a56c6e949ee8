/* contract - one schema for the process. */
#include "service/schema/contract.h"

#include <criterion/criterion.h>

#include <pthread.h>

#define THREADS 8

Test(contract, is_opened_once_and_compiled)
{
	const struct schema_message *message;
	const struct schema *schema;

	cr_assert_not(status_failed(contract_init(NULL)));
	schema = contract_schema();
	message = contract_message("sluice.v1.SearchRequest");
	cr_assert_not(status_failed(contract_init(NULL)));

	cr_assert_eq(contract_schema(), schema);
	cr_assert_not_null(message);
	cr_assert(message->compiled);
	cr_assert_null(contract_message("sluice.v1.Nonsense"));
}

static void *init(void *arg)
{
	(void)arg;
	return status_failed(contract_init(NULL)) ? NULL : (void *)(uintptr_t)contract_schema();
}

Test(contract, is_the_same_to_threads_that_ask_at_once)
{
	pthread_t threads[THREADS];
	void *seen[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, init, NULL), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], &seen[i]);

	cr_assert_not_null(seen[0]);
	for (size_t i = 1; i < THREADS; i++)
		cr_assert_eq(seen[i], seen[0]);
}
