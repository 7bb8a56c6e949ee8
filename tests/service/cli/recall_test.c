/* recall - counting what was found, ties and all. */
#include "service/cli/recall.h"

#include "service/cli/row_map.h"

#include <criterion/criterion.h>

#include <stdio.h>

static const int32_t true_rows[] = {10, 20, 30, 40, 50};
static const float true_scores[] = {0.9F, 0.8F, 0.8F, 0.8F, 0.1F};

static const struct {
	uint32_t rows[3];
	size_t n_rows;
	bool scores;
	size_t found; /* of the true first 3 */
	bool in_order;
} cases[] = {
	{{10, 20, 30}, 3, false, 3, true},       {{10, 20, 30}, 3, true, 3, true},
	{{10, 30, 20}, 3, false, 3, false},      {{10, 30, 20}, 3, true, 3, true},
	{{20, 10, 30}, 3, true, 3, false},       {{10, 20, 40}, 3, false, 2, false},
	{{10, 20, 40}, 3, true, 3, true},        {{10, 20, 50}, 3, true, 2, false},
	{{10, 10, 10}, 3, true, 1, false},       {{10, 20}, 2, true, 2, false},
	{{10, 20, ROW_NONE}, 3, true, 2, false},
};

Test(recall, counts_what_is_among_the_first_and_lets_ties_swap)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct truth truth = {true_rows, cases[i].scores ? true_scores : NULL, 5};

		cr_assert_eq(recall_found(&truth, 3, cases[i].rows, cases[i].n_rows),
			     cases[i].found, "case %zu", i);
		cr_assert_eq(recall_in_order(&truth, 3, cases[i].rows, cases[i].n_rows),
			     cases[i].in_order, "case %zu", i);
	}
}

Test(row_map, finds_the_row_of_each_id)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct row_map rows = {0};
	SCOPED(row_map) map = &rows;
	char id[16];

	arena_init(arena, 1 << 20);
	cr_assert_eq(row_map_find(map, "0"), ROW_NONE);
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "%d", i);
		cr_assert(!status_failed(row_map_add(map, arena, id)));
	}
	cr_assert(!status_failed(row_map_add(map, arena, "17")));
	cr_assert(!status_failed(row_map_add(map, arena, "last")));

	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "%d", i);
		cr_assert_eq(row_map_find(map, id), (uint32_t)i);
	}
	cr_assert_eq(row_map_find(map, "last"), 5001);
	cr_assert_eq(row_map_find(map, "none"), ROW_NONE);
}
