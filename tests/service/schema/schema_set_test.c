/* The set that the server carries: every message of it compiles. */
#include "proto/descriptor_set.h"
#include "service/schema/rules.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

static void must(status s)
{
	cr_assert_not(status_failed(s), "%s: %s", status_code_name(s.code),
		      s.detail ? s.detail : "");
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Opens the set and compiles all of it; gives the milliseconds that took. */
static double compile_all(size_t *ret_n, size_t *ret_bytes)
{
	struct arena arena;
	struct schema_message **messages;
	SCOPED(schema) schema = NULL;
	double start = now_ms(), took;

	arena_init(&arena, 1 << 20);
	must(schema_open(bytes_of(sluice_descriptor_set, sluice_descriptor_set_size), &arena,
			 &schema));
	messages = schema_messages(schema, ret_n);
	for (size_t i = 0; i < *ret_n; i++)
		must(schema_compile(schema, messages[i], &arena));
	took = now_ms() - start;
	*ret_bytes = schema_arena(schema)->used_bytes;
	arena_finish(&arena);
	return took;
}

Test(schema_set, compiles_every_message_of_the_server)
{
	double best = compile_all(&(size_t){0}, &(size_t){0});
	size_t n, bytes;

	for (int i = 0; i < 9; i++) {
		double took = compile_all(&n, &bytes);

		best = took < best ? took : best;
	}
	printf("%zu messages in %.2f ms (the best of 10), %zu bytes\n", n, best, bytes);
	cr_assert_gt(n, 50);
}

/* The comments are there for whoever prints the contract. */
Test(schema_set, keeps_comments)
{
	struct arena arena;
	SCOPED(schema) schema = NULL;

	arena_init(&arena, 1 << 20);
	must(schema_open(bytes_of(sluice_descriptor_set, sluice_descriptor_set_size), &arena,
			 &schema));
	cr_expect_not_null(schema_message(schema, "sluice.v1.Chunk")->comment);
	arena_finish(&arena);
}
