/* The walk over the wire: what is no message, and what is one that nobody should have to read. */
#include "tests/service/schema/checked.h"
#include "tests/service/schema/encode.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define LENIENT(cases)                                                                             \
	check_cases_under(&check_limits_lenient, (cases), sizeof(cases) / sizeof *(cases))

Test(check_wire, bytes_that_are_no_message)
{
	static const struct check_case cases[] = {
		{"Tree", "=80", "! a varint is cut off, at byte 1"},
		{"Tree", "=08", "! a varint is cut off, at byte 1"},
		{"Tree", "=0880", "! a varint is cut off"},
		{"Tree", "=08ffffffffffffffffffff01", "! a varint has more than 64 bits"},
		{"Tree", "=08ffffffffffffffffff02", "! a varint has more than 64 bits"},
		{"Tree", "=08ffffffffffffffffff01", "size int32.gte"},
		{"Tree", "=0888808080808080808000 2:{}", ""},
		/* Tags. */
		{"Tree", "=00", "! a field has number 0"},
		{"Tree", "=0000", "! a field has number 0"},
		{"Tree", "=07", "! a field has number 0"},
		{"Tree", "=0e00", "! a wire type is 6 or 7"},
		{"Tree", "=0f00", "! a wire type is 6 or 7"},
		{"Tree", "=f8ffffff0f05", ""}, /* field 2^29 - 1 */
		{"Tree", "=f8ffffff1f05", "! a tag "},
		/* A tag has at most five bytes, whatever it says. */
		{"Tree", "=888080808000 =05", "! a tag "},
		/* Lengths. */
		{"Tree", "=2a05", "! a value is longer than what is left"},
		{"Tree", "=2a0561626364", "! a value is longer than what is left"},
		{"Tree", "=2a056162636465", ""},
		{"Tree", "=2affffffffffffffffff01", "! a length has more than 32 bits"},
		{"Tree", "=2affffffff0f", "! a value is longer than what is left"},
		{"Tree", "=2a8180808000 =61", ""},
		/* Other readers stop at five bytes here too. */
		{"Tree", "=2a818080808000 =61", "! a length has more than 32 bits"},
		{"Tree", "2:{=2a05}", "! left: a value is longer than what is left"},
		{"Tree", "3:{} 3:{=08}", "! children[1]: a varint is cut off, at byte 5"},
		/* Fixed ones. */
		{"Tree", "=4d000000", "! a value is longer than what is left"},
		{"Tree", "=4900000000000000", "! a value is longer than what is left"},
		/* Packed runs. */
		{"Lists", "=0a0180", "! a varint is cut off"},
		{"Lists", "=32020000", "! a value is longer than what is left"},
		{"Lists", "=620700000000000000", "! a value is longer than what is left"},
		{"Lists", "=0a0b0101ffffffffffffffffff7f", "! a v"},
	};

	CHECK_CASES(cases);
}

Test(check_wire, strings_are_utf8_without_nul)
{
	static const struct check_case cases[] = {
		{"Tree", "5:\"plain\"", ""},
		{"Tree", "5:\"\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\"", ""},
		{"Tree", "5:\"\\xf4\\x8f\\xbf\\xbf\"", ""},
		{"Tree", "5:\"\\x80\"", "name wire.utf8"},
		{"Tree", "5:\"\\xc3\"", "name wire.utf8"},
		{"Tree", "5:\"\\xc3\\x28\"", "name wire.utf8"},
		{"Tree", "5:\"\\xe2\\x82\"", "name wire.utf8"},
		{"Tree", "5:\"\\xc0\\xaf\"", "name wire.utf8"},           /* overlong / */
		{"Tree", "5:\"\\xe0\\x80\\xaf\"", "name wire.utf8"},      /* overlong / */
		{"Tree", "5:\"\\xf0\\x80\\x80\\xaf\"", "name wire.utf8"}, /* overlong / */
		{"Tree", "5:\"\\xc0\\x80\"", "name wire.utf8"},           /* overlong NUL */
		{"Tree", "5:\"\\xed\\xa0\\x80\"", "name wire.utf8"},      /* a surrogate */
		{"Tree", "5:\"\\xf4\\x90\\x80\\x80\"", "name wire.utf8"}, /* above 10FFFF */
		{"Tree", "5:\"\\xff\"", "name wire.utf8"},
		{"Tree", "5:\"\\x00\"", "name wire.nul"},
		{"Tree", "5:\"a\\x00b\"", "name wire.nul"},
		/* One that is replaced is read all the same; where it ends, nobody asks. */
		{"Tree", "5:\"\\xff\" 5:\"b\"", "name wire.utf8"},
		{"Tree", "5:\"a\\x00\" 5:\"b\"", ""},
		{"Tree", "4:{1:\"\\xff\" 1:\"b\"}", "named wire.utf8"},
		{"Tree", "4:{1:\"k\" 2:{5:\"\\xff\"}} 4:{1:\"k\"}", "named[\"k\"].name wire.utf8"},
		{"Tree", "4:{1:\"\\xff\"}", "named[\"\\xff\"] wire.utf8 (key)"},
		{"Tree", "4:{1:\"\\x00\"}", "named[\"\\x00\"] wire.nul (key)"},
		{"Tree", "3:{5:\"\\xff\"} 2:{5:\"\\x00\"}",
		 "children[0].name wire.utf8; left.name wire.nul"},
		/* Bytes may be anything, and so may what nobody knows. */
		{"Tree", "6:\"\\xff\\x00\" 99:\"\\xff\\x00\"", ""},
		/* A string that is none is not held against its rules. */
		{"Strings", "1:\"\\xff\" 3:\"\\x00\"", "equal wire.utf8; min_len wire.nul"},
	};

	CHECK_CASES(cases);
}

Test(check_wire, nul_may_stand_in_strings_under_lenient_limits)
{
	static const struct check_case cases[] = {
		{"Tree", "5:\"a\\x00b\"", ""},
		{"Tree", "5:\"\\xff\"", "name wire.utf8"},
		{"Strings", "2:\"a\\x00b\"", ""},
	};

	LENIENT(cases);
}

Test(check_wire, wire_types_are_those_of_the_field)
{
	static const struct check_case cases[] = {
		{"Tree", "1:f0", "! size: has the wire type of another kind of field"},
		{"Tree", "1:l5", "! size: has the wire type of another kind of field"},
		{"Tree", "1:{}", "! size: has the wire type of another kind of field"},
		{"Tree", "1:[1]", "! size: has the wire type of another kind of field"},
		{"Tree", "2:1", "! left: has the wire type of another kind of field"},
		{"Tree", "5:1", "! name: has the wire type of another kind of field"},
		{"Tree", "4:1", "! named: has the wire type of another kind of field"},
		{"Tree", "4:{1:1}", "! named: has the wire type of another kind of field"},
		{"Lists", "6:1", "! finite: has the wire type of another kind of field"},
		{"Lists", "4:1", "! names: has the wire type of another kind of field"},
		{"Double", "1:f5", "! equal: has the wire type of another kind of field"},
	};
	/* Otherwise it is as a field that nobody knows. */
	static const struct check_case lenient[] = {
		{"Tree", "1:f-5 2:1 5:1 4:1 4:{1:1}", ""},
		{"RequiredImplicit", "1:f1 2:\"a\" 3:d1", "number required"},
		{"Double", "1:f4", ""},
	};

	CHECK_CASES(cases);
	LENIENT(lenient);
}

Test(check_wire, a_thousand_unknown_fields_are_skipped)
{
	static const struct check_case cases[] = {
		{"Tree", "99:1 99:\"a\" 99:{1:-1} 99:f1 99:d1", ""},
		{"Tree", "1024*99:1", ""},
		{"Tree", "1025*99:1", "! too many unknown fields"},
		{"Tree", "2:{512*99:1} 3:{512*99:\"x\"}", ""},
		/* Singular messages are walked last. */
		{"Tree", "2:{512*99:1} 3:{512*99:\"x\"} 99:f1", "! left: too many unknown fields"},
		{"Tree", "3:{512*99:1} 3:{513*99:\"x\"}", "! children[1]: too many unknown fields"},
		{"Maps", "1:{1024*9:1}", ""},
		{"Maps", "1:{1025*9:1}", "! pairs: too many unknown fields"},
	};
	static const struct check_case lenient[] = {{"Tree", "100000*99:1", ""}};

	CHECK_CASES(cases);
	LENIENT(lenient);
}

/* A message of so many messages, one in another; the innermost one breaks a rule. */
static const char *nested(const struct check_limits *limits, unsigned depth, const char *open,
			  const char *close)
{
	char text[4096] = "";
	size_t at = 0;

	for (unsigned i = 0; i < depth; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s", open);
	at += (size_t)snprintf(text + at, sizeof text - at, "1:-1");
	for (unsigned i = 0; i < depth; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s", close);
	return checked_text(limits, "Tree", text);
}

static bool is_deep(const char *says)
{
	return says[0] == '!' && strstr(says, "nested too deep") != NULL;
}

Test(check_wire, messages_are_32_deep_at_most)
{
	static const struct {
		const char *open, *close;
	} kinds[] = {{"2:{", "}"}, {"3:{", "}"}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *says = nested(&check_limits_strict, 32, kinds[i].open, kinds[i].close);

		cr_expect(strstr(says, "size int32.gte") != NULL, "%s", says);
		says = nested(&check_limits_strict, 33, kinds[i].open, kinds[i].close);
		cr_expect(is_deep(says), "%s", says);
		says = nested(&check_limits_lenient, 100, kinds[i].open, kinds[i].close);
		cr_expect(strstr(says, "size int32.gte") != NULL, "%s", says);
		says = nested(&check_limits_lenient, 101, kinds[i].open, kinds[i].close);
		cr_expect(is_deep(says), "%s", says);
	}
}

/* A map's entry is a message of its own on the wire, and so it is unpacked. */
Test(check_wire, a_map_s_entries_count_too)
{
	cr_assert(is_deep(nested(&check_limits_strict, 33, "4:{1:\"k\" 2:{", "}}")));
	cr_assert_not(is_deep(nested(&check_limits_strict, 16, "4:{1:\"k\" 2:{", "}}")));
}

Test(check_wire, what_is_replaced_is_sound_and_not_too_deep)
{
	char text[4096] = "";
	size_t at = 0;

	/* kind.tree, 33 messages deep, then kind.number instead. */
	at += (size_t)snprintf(text + at, sizeof text - at, "4:{");
	for (int i = 0; i < 32; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "2:{");
	for (int i = 0; i < 33; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "}");
	snprintf(text + at, sizeof text - at, " 1:6");
	cr_assert(is_deep(checked_text(&check_limits_strict, "Choice", text)));
	cr_assert_str_eq(checked_text(&check_limits_lenient, "Choice", text), "");
}

Test(check_wire, groups_are_refused)
{
	static const struct check_case cases[] = {
		{"Tree", "99:()", "! a group, which this server does not read"},
		{"Tree", "2:{99:(1:1)}", "! left: a group, which this server does not read"},
		{"Tree", "=9c06", "! a group ends that did not begin"},
		{"Tree", "2:()", "! left: has the wire type of another kind of field"},
		{"Maps", "1:{9:()}", "! pairs: a group in a map's entry"},
	};

	CHECK_CASES(cases);
}

Test(check_wire, groups_are_read_under_lenient_limits)
{
	static const struct check_case cases[] = {
		{"Tree", "99:(1:-1 2:\"x\" 3:f1 4:d1 5:(6:()))", ""},
		{"Tree", "=9b06 1:1", "! a group does not end"},
		{"Tree", "=9b06 =a406", "! a group ends that did not begin"},
		{"Tree", "=9c06", "! a group ends that did not begin"},
		{"Tree", "99:(=0f)", "! a wire type is 6 or 7"},
		{"Second", "5:(1:6)", ""},
		{"Second", "5:(1:5 2:{1:0})", "box.second.number int32.gt; box.side int32.gt"},
		{"Second", "7:(1:6) 7:(1:5)", "part[1].side int32.gt"},
		{"Second", "5:{1:5}", ""},
		/* What is in a group that nobody knows is not of the message. */
		{"Wrapped", "1:{9:(1:6) 1:5}", "int32 int32.gt"},
		{"Durations", "1:{9:(1:3) 1:3 9:(1:4)}", ""},
		{"Unique", "9:(1:1) 1:1", ""},
	};

	LENIENT(cases);
}

Test(check_wire, a_message_that_comes_twice_is_refused)
{
	static const struct check_case cases[] = {
		{"Tree", "2:{} 2:{}", "! left: comes twice"},
		{"Tree", "2:{} 1:1 2:{1:1}", "! left: comes twice"},
		{"Tree", "3:{2:{} 2:{}}", "! children[0].left: comes twice"},
		{"Tree", "3:{} 3:{}", ""},
		{"Tree", "1:-1 1:1", ""},
		{"Tree", "5:\"a\" 5:\"b\" 6:\"a\" 6:\"b\"", ""},
		{"Wrapped", "1:{1:6} 1:{}", "! int32: comes twice"},
		{"Choice", "3:{} 3:{}", "! inner: comes twice"},
		/* A map's value: readers merge the two, as they do elsewhere. */
		{"Maps", "5:{1:1 2:{1:5} 2:{}}", "! items: has a value that comes twice"},
		{"Tree", "4:{1:\"a\" 2:{5:\"a\\x00\"} 2:{}}",
		 "! named: has a value that comes twice"},
	};
	static const struct check_case lenient[] = {
		{"Tree", "2:{1:1} 2:{1:2}", ""},
		{"Choice", "3:{1:10} 3:{}", ""},
	};

	CHECK_CASES(cases);
	LENIENT(lenient);
}

Test(check_wire, of_a_map_4096_entries_are_read)
{
	static const struct check_case cases[] = {
		{"Tree", "4096*4:{}", ""},
		{"Tree", "4097*4:{}", "! named: too many entries"},
		{"Maps", "4096*1:{1:\"a\"}", ""},
	};
	static const struct check_case lenient[] = {{"Tree", "4097*4:{}", ""}};

	CHECK_CASES(cases);
	LENIENT(lenient);
}

Test(check_wire, more_unique_items_than_can_be_compared)
{
	static const struct check_case cases[] = {
		{"Unique", "65536*1:1", "ints repeated.unique"},
		{"Unique", "65537*1:1", "! ints: has too many items to see whether they differ"},
		/* Too long anyhow. */
		{"Unique", "65537*7:\"a\"", "few repeated.max_items"},
	};

	CHECK_CASES(cases);
}

static bool say_once(void *context, const struct violation *violation)
{
	(void)violation;
	++*(unsigned *)context;
	return false;
}

Test(check_wire, a_report_may_end_the_walk)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(buffer) bytes = &(struct buffer){0};
	unsigned n = 0;
	const struct check_options options = {.report = say_once, .context = &n};

	arena_init(arena, 4096);
	encode(bytes, "3:[0 0 0] 4:\"\"");
	cr_assert_not(status_failed(check_message(
		checked_message("Lists"), bytes_of(bytes->data, bytes->size), &options, arena)));
	cr_assert_eq(n, 1);
}

/* Any bytes: an answer, without a look at what is not theirs (the sanitizers see to that). */
Test(check_wire, takes_any_bytes)
{
	static const char *const messages[] = {"Tree",   "Lists",     "Maps",   "Unique",
					       "Choice", "Wrapped",   "Second", "Durations",
					       "Masks",  "AtMostOne", "Anys",   "Formats"};
	uint64_t state = 88172645463325252U;

	for (size_t round = 0; round < 120000; round++) {
		size_t n = round % 64;
		uint8_t *bytes = malloc(n);

		for (size_t i = 0; i < n; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			/* Mostly tags and small lengths, so that it gets inside. */
			bytes[i] = (uint8_t)(state % 3 ? state >> 8 & 0x3f : state >> 8);
		}
		checked(round % 2 ? &check_limits_strict : &check_limits_lenient,
			messages[round / 2 % (sizeof messages / sizeof *messages)],
			bytes_of(bytes, n));
		free(bytes);
	}
}
