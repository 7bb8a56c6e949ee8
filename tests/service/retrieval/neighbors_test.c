#include "service/retrieval/neighbors.h"

#include <criterion/criterion.h>

/* Ordinals 2, 7, 9, 10 | 10 (the hit, row 50) | 10, 12, 13, 30. */
static struct neighbors around(void)
{
	static const struct document_row rows[] = {{2, 1},   {7, 2},  {9, 3},  {10, 4},
						   {10, 60}, {12, 5}, {13, 6}, {30, 7}};
	struct neighbors neighbors = {.n = sizeof rows / sizeof *rows};

	for (size_t i = 0; i < neighbors.n; i++) {
		uint32_t ordinal = rows[i].ordinal;

		neighbors.items[i].at = rows[i];
		neighbors.items[i].distance = ordinal > 10 ? ordinal - 10 : 10 - ordinal;
	}
	return neighbors;
}

static const struct document_row hit = {10, 50};

Test(neighbors, are_told_by_nearness_and_the_one_before_goes_first)
{
	static const uint64_t wanted[] = {4, 60, 3, 5, 2, 6, 1, 7};
	struct neighbors neighbors = around();
	size_t order[NEIGHBORS_MAX];

	neighbors_by_nearness(&neighbors, hit, order);
	for (size_t i = 0; i < neighbors.n; i++)
		cr_assert_eq(neighbors.items[order[i]].at.row, wanted[i], "%zu", i);
}

Test(neighbors, that_are_cut_are_the_farthest_and_the_rest_stays_in_order)
{
	static const uint64_t nearest[] = {4, 60, 3, 5, 2, 6, 1, 7};

	for (size_t n = 0; n <= 9; n++) {
		struct neighbors neighbors = around();

		neighbors_cut(&neighbors, hit, n);
		cr_assert_eq(neighbors.n, n < 8 ? n : 8);
		for (size_t i = 0; i < neighbors.n; i++) {
			bool is_near = false;

			for (size_t j = 0; j < n && j < 8; j++)
				is_near |= nearest[j] == neighbors.items[i].at.row;
			cr_assert(is_near, "%zu kept, row %lu", n,
				  (unsigned long)neighbors.items[i].at.row);
			if (i > 0)
				cr_assert_leq(neighbors.items[i - 1].at.ordinal,
					      neighbors.items[i].at.ordinal);
		}
	}
}

Test(neighbors, of_one_side_alone_are_told_too)
{
	struct neighbors neighbors = around();
	size_t order[NEIGHBORS_MAX];

	neighbors.n = 4;
	neighbors_by_nearness(&neighbors, hit, order);
	cr_assert_eq(order[0], 3U);
	cr_assert_eq(order[3], 0U);
	neighbors_by_nearness(&neighbors, (struct document_row){0, 0}, order);
	cr_assert_eq(order[0], 0U);
	cr_assert_eq(order[3], 3U);
}
