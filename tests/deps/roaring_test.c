/* CRoaring - sets of rows, intersected, subtracted, and carried through bytes. */
#include <criterion/criterion.h>
#include <roaring/roaring.h>

#include <stdlib.h>

Test(roaring, intersects_and_subtracts)
{
	roaring_bitmap_t *even = roaring_bitmap_from_range(0, 200000, 2);
	roaring_bitmap_t *third = roaring_bitmap_from_range(0, 200000, 3);
	roaring_bitmap_t *both = roaring_bitmap_and(even, third);
	roaring_bitmap_t *rest = roaring_bitmap_andnot(even, third);

	cr_assert_eq(roaring_bitmap_get_cardinality(both), 33334);
	cr_assert_eq(roaring_bitmap_get_cardinality(rest), 100000 - 33334);
	cr_assert(roaring_bitmap_contains(both, 199998));
	cr_assert_not(roaring_bitmap_contains(rest, 199998));

	roaring_bitmap_free(even);
	roaring_bitmap_free(third);
	roaring_bitmap_free(both);
	roaring_bitmap_free(rest);
}

Test(roaring, comes_back_from_its_bytes)
{
	roaring_bitmap_t *set = roaring_bitmap_from_range(5, 70000, 7), *again;
	size_t size = roaring_bitmap_portable_size_in_bytes(set);
	char *bytes = malloc(size);

	cr_assert_eq(roaring_bitmap_portable_serialize(set, bytes), size);
	again = roaring_bitmap_portable_deserialize_safe(bytes, size);
	cr_assert_not_null(again);
	cr_assert(roaring_bitmap_equals(set, again));
	cr_assert_null(roaring_bitmap_portable_deserialize_safe(bytes, size - 1));

	roaring_bitmap_free(set);
	roaring_bitmap_free(again);
	free(bytes);
}
