#include "kernels/base/arena.h"

#include "tests/kernels/failing_malloc.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(arena, hands_out_aligned_places_that_do_not_overlap)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4096, 5000, 70000, 3 << 20};
	struct random random = {7};
	struct arena memory;
	SCOPED(arena) arena = &memory;
	unsigned char *places[500];
	size_t lengths[500];

	arena_init(arena, (size_t)1 << 30);
	for (size_t i = 0; i < 500; i++) {
		lengths[i] = sizes[random_below(&random, i % 50 ? 7 : 10)];
		places[i] = arena_alloc(arena, lengths[i]);
		cr_assert_not_null(places[i]);
		cr_assert_eq((uintptr_t)places[i] % 16, 0);
		memset(places[i], (int)(i & 0xFF), lengths[i]);
	}

	for (size_t i = 0; i < 500; i++) {
		for (size_t j = 0; j < lengths[i]; j++)
			cr_assert_eq(places[i][j], i & 0xFF, "place %zu byte %zu", i, j);
	}
}

Test(arena, refuses_what_would_pass_the_cap)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;

	arena_init(arena, 1024);
	cr_assert_not_null(arena_alloc(arena, 1000));
	cr_assert(!arena->exhausted);
	cr_assert_null(arena_alloc(arena, 17));
	cr_assert(arena->exhausted);
	cr_assert_not_null(arena_alloc(arena, 16), "what fits is still given");
	cr_assert_null(arena_alloc(arena, 0), "an empty place takes room too");
	cr_assert_leq(arena->used_bytes, arena->cap_bytes);
}

Test(arena, refuses_sizes_that_overflow)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	/* Out of the compiler's sight, which would warn. */
	volatile size_t most = SIZE_MAX;

	arena_init(arena, SIZE_MAX);
	cr_assert_null(arena_alloc(arena, most));
	cr_assert_null(arena_alloc(arena, most - 15));
	cr_assert_null(arena_calloc(arena, most / 2 + 1, 2));
	cr_assert_null(arena_copy(arena, "", most));
	cr_assert(arena->exhausted);
}

Test(arena, starts_again_after_a_reset)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;

	arena_init(arena, 1 << 20);
	for (int round = 0; round < 3; round++) {
		unsigned char *place;

		while ((place = arena_alloc(arena, 3000)))
			memset(place, 0xEE, 3000);
		cr_assert(arena->exhausted);
		arena_reset(arena);
		cr_assert(!arena->exhausted);
		cr_assert_eq(arena->used_bytes, 0);
		place = arena_calloc(arena, 10, 10);
		for (int i = 0; i < 100; i++)
			cr_assert_eq(place[i], 0);
	}
}

Test(arena, prints_short_and_long_strings)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	char *text;

	arena_init(arena, 1 << 20);
	cr_assert_str_eq(arena_printf(arena, "%d-%s", 12, "ab"), "12-ab");
	for (int width = 250; width < 260; width++) {
		text = arena_printf(arena, "%*d", width, 5);
		cr_assert_eq(strlen(text), (size_t)width);
		cr_assert_eq(text[width - 1], '5');
	}
	text = arena_copy(arena, "abc", 2);
	cr_assert_str_eq(text, "ab");
}

Test(arena, gives_null_where_any_allocation_fails)
{
	for (long nth = 0;; nth++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		size_t given = 0;
		bool struck;

		arena_init(arena, (size_t)1 << 30);
		failing_malloc_set(nth);
		for (size_t i = 0; i < 2000; i++) {
			char *place = arena_alloc(arena, i);

			given += place != NULL;
			if (place)
				memset(place, 1, i);
		}
		struck = failing_malloc_struck();
		failing_malloc_set(-1);

		cr_assert_eq(given, struck ? 1999 : 2000, "allocation %ld", nth);
		cr_assert_eq(arena->exhausted, struck);
		if (!struck)
			break;
	}
}
