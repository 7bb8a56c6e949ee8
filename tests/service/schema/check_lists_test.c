/* Lists and maps. */
#include "tests/service/schema/checked.h"

#include <criterion/criterion.h>

Test(check_lists, count_their_items_packed_or_not)
{
	static const struct check_case cases[] = {
		{"Lists", "", ""},
		{"Lists", "1:1", "min repeated.min_items"},
		{"Lists", "1:1 1:1", ""},
		{"Lists", "1:[1]", "min repeated.min_items"},
		{"Lists", "1:[1 1]", ""},
		{"Lists", "1:[]", ""},
		{"Lists", "2:1 2:1 2:1", ""},
		{"Lists", "2:[1 1 1 1]", "max repeated.max_items"},
		{"Lists", "2:[1 1] 2:1 2:[1]", "max repeated.max_items"},
		{"Lists", "2:[1] 2:[] 2:[1 1]", ""},
		{"Lists", "5:{1:1} 5:{1:1} 5:{1:1}", "items repeated.max_items"},
		{"AtLeast", "", "numbers repeated.min_items; pairs map.min_pairs"},
		{"AtLeast", "1:[0 0] 2:{}", ""},
	};

	CHECK_CASES(cases);
}

Test(check_lists, look_at_every_item)
{
	static const struct check_case cases[] = {
		{"Lists", "3:[1 2 3]", ""},
		{"Lists", "3:[1 0 3 -1]", "positive[1] int32.gt; positive[3] int32.gt"},
		{"Lists", "3:1 3:[0 1] 3:0", "positive[1] int32.gt; positive[3] int32.gt"},
		{"Lists", "8:1 8:[2 0] 8:-1", "expanded[2] int32.gt; expanded[3] int32.gt"},
		{"Lists", "4:\"ab\" 4:\"\" 4:\"c\"",
		 "names[1] string.min_len; names[2] string.min_len"},
		{"Lists", "5:{} 5:{1:1}", "items[0].id int32.gt"},
		{"Lists", "9:[1 0 3]", "few_positive repeated.max_items; few_positive[1] int32.gt"},
		{"Lists", "10:[0 6 3]", "or_zero[2] int32.gt"},
		{"Lists", "11:[0 6 3]", ""},
	};

	CHECK_CASES(cases);
}

/* Long runs of floats are looked at sixteen at a time. */
Test(check_lists, find_the_float_that_is_not_finite)
{
	static const struct check_case cases[] = {
		{"Lists", "6:[f1 f-1 f0 f-0.0]", ""},
		{"Lists", "6:[fnan]", "finite[0] float.finite"},
		{"Lists", "6:f1 6:finf", "finite[1] float.finite"},
		{"Lists", "6:[f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15]", ""},
		{"Lists", "6:[f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f-inf f3]",
		 "finite[15] float.finite"},
		{"Lists",
		 "6:[f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 fnan f1 fnan]"
		 " 6:[f1 fnan] 6:fnan",
		 "finite[16] float.finite; finite[18] float.finite; finite[20] float.finite; "
		 "finite[21] float.finite"},
		{"Lists", "6:[f3.4028234663852886e38 f-3.4028234663852886e38 f1e-45]", ""},
		{"Lists", "7:[f0 f1 f1.5 fnan]",
		 "in_range[2] float.gte_lte; in_range[3] float.gte_lte"},
		{"Lists", "12:[d1 dnan d2]", "doubles[1] double.finite"},
	};

	CHECK_CASES(cases);
}

Test(check_lists, required_wants_an_item)
{
	static const struct check_case cases[] = {
		{"Required", "", "numbers required"},
		{"Required", "1:[]", "numbers required"},
		{"Required", "1:[0]", "numbers repeated.min_items"},
		{"Required", "1:[0 0]", ""},
	};

	CHECK_CASES(cases);
}

Test(check_lists, unique_items_differ)
{
	static const struct check_case cases[] = {
		{"Unique", "1:[1 2 3]", ""},
		{"Unique", "1:[1 2 1]", "ints repeated.unique"},
		{"Unique", "1:1 1:[2] 1:1", "ints repeated.unique"},
		{"Unique", "1:[1 1 2 2 1]", "ints repeated.unique"},
		/* The same number after it is cut to 32 bits. */
		{"Unique", "1:[5 4294967301]", "ints repeated.unique"},
		{"Unique", "2:\"a\" 2:\"b\" 2:\"\"", ""},
		{"Unique", "2:\"\" 2:\"b\" 2:\"\"", "strings repeated.unique"},
		{"Unique", "2:\"a\" 2:\"ab\" 2:\"aa\"", ""},
		{"Unique", "3:[d0 d-0.0]", "doubles repeated.unique"},
		{"Unique", "3:[dnan dnan]", ""},
		/* Those that compare to nothing must not part those that do. */
		{"Unique", "3:[d1 dnan d1]", "doubles repeated.unique"},
		{"Unique", "3:[d3 dnan d1 dnan d2 dnan d0 dnan d3]", "doubles repeated.unique"},
		{"Unique", "4:\"\\xff\" 4:\"\\xfe\"", ""},
		{"Unique", "4:\"\\xff\" 4:\"\\xff\"", "blobs repeated.unique"},
		{"Unique", "5:[0 1]", ""},
		{"Unique", "5:[1 2]", "bools repeated.unique"},
		{"Unique", "6:[18446744073709551615 1 0]", ""},
		{"Unique", "6:[18446744073709551615 1 -1]", "longs repeated.unique"},
		{"Unique", "7:\"a\" 7:\"b\" 7:\"c\" 7:\"a\"",
		 "few repeated.max_items; few repeated.unique"},
	};

	CHECK_CASES(cases);
}

Test(check_lists, unique_holds_for_long_lists_too)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	for (uint32_t i = 0; i < 5000; i++) {
		buffer_append_varint(bytes, 1 << 3);
		buffer_append_varint(bytes, i * 7919 % 5003);
	}
	cr_assert_str_eq(
		checked(&check_limits_strict, "Unique", bytes_of(bytes->data, bytes->size)), "");

	buffer_append_varint(bytes, 1 << 3);
	buffer_append_varint(bytes, 2500 * 7919 % 5003);
	cr_assert_str_eq(
		checked(&check_limits_strict, "Unique", bytes_of(bytes->data, bytes->size)),
		"ints repeated.unique");
}

Test(check_lists, maps_have_pairs_keys_and_values)
{
	static const struct check_case cases[] = {
		{"Maps", "", ""},
		{"Maps", "1:{1:\"a\"} 1:{1:\"b\"}", ""},
		{"Maps", "1:{1:\"a\"} 1:{1:\"b\"} 1:{1:\"c\"}", "pairs map.max_pairs"},
		{"Maps", "2:{1:\"ab\" 2:1}", ""},
		{"Maps", "2:{1:\"a\" 2:1}", "keys[\"a\"] string.min_len (key)"},
		/* A key that is left out is the empty one. */
		{"Maps", "2:{2:1}", "keys[\"\"] string.min_len (key)"},
		{"Maps", "3:{1:\"a\" 2:1}", ""},
		{"Maps", "3:{1:\"a\"}", "values[\"a\"] int32.gt"},
		{"Maps", "3:{2:0 1:\"a\"}", "values[\"a\"] int32.gt"},
		{"Maps", "4:{1:5 2:-1}", "both[5] int32.gt; both[5] int64.lt (key)"},
		{"Maps", "4:{1:-5 2:1}", ""},
		{"Maps", "5:{1:1 2:{}} 5:{2:{1:1}}", "items[true].id int32.gt"},
		{"Maps", "5:{1:1}", "items[true].id int32.gt"},
		{"Maps", "6:{1:5}", "unsigned[5] uint32.gt (key)"},
		{"Maps", "6:{1:6}", ""},
		{"Maps", "7:{1:\"a\" 2:0} 7:{1:\"b\" 2:3}", "or_zero[\"b\"] int32.gt"},
		{"Maps", "2:{1:\"\\\"\"}", "keys[\"\\\"\"] string.min_len (key)"},
	};

	CHECK_CASES(cases);
}

Test(check_lists, of_a_key_that_comes_twice_the_last_counts)
{
	static const struct check_case cases[] = {
		{"Maps", "1:{1:\"a\"} 1:{1:\"b\"} 1:{1:\"a\"}", ""},
		{"Maps", "3:{1:\"a\" 2:0} 3:{1:\"a\" 2:1}", ""},
		{"Maps", "3:{1:\"a\" 2:1} 3:{1:\"a\" 2:0}", "values[\"a\"] int32.gt"},
		/* The same twice within an entry. */
		{"Maps", "3:{1:\"b\" 1:\"a\" 2:0 2:1}", ""},
		{"Maps", "3:{1:\"b\" 1:\"a\" 2:1 2:0}", "values[\"a\"] int32.gt"},
		/* An entry that is replaced is unpacked all the same: it has to be sound. */
		{"Maps", "5:{1:1 2:{=0f}} 5:{1:1 2:{1:1}}", "! items[true]: a wire type is 6 or 7"},
	};

	CHECK_CASES(cases);
}
