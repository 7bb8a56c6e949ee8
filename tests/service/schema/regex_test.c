#include "service/schema/regex.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 8 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(regex, .init = setup, .fini = teardown);

struct example {
	const char *pattern, *text;
	bool found;
};

static void check_examples(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct regex *regex;
		status compiled =
			regex_compile(&arena, bytes_of_string(examples[i].pattern), 0, &regex);

		cr_assert(!status_failed(compiled), "/%s/: %s", examples[i].pattern,
			  compiled.detail);
		cr_assert_eq(regex_match(regex, bytes_of_string(examples[i].text)),
			     examples[i].found, "/%s/ in \"%s\"", examples[i].pattern,
			     examples[i].text);
	}
}

#define CHECK_EXAMPLES(examples) check_examples(examples, sizeof(examples) / sizeof *(examples))

Test(regex, finds_a_match_anywhere)
{
	static const struct example examples[] = {
		{"", "", true},          {"", "abc", true},
		{"b", "abc", true},      {"abc", "ab", false},
		{"ab|cd", "xcdx", true}, {"aab", "aaab", true},
		{"a.c", "a\nc", false},  {"a|", "x", true},
		{"()", "x", true},       {"[^\\x00-\\x{10FFFF}]", "a", false},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, holds_to_the_ends_of_text_and_line)
{
	static const struct example examples[] = {
		{"^a$", "a", true},           {"^a$", "a\n", false},    {"^b", "a\nb", false},
		{"(?m)^b", "a\nb", true},     {"(?m)a$", "a\nb", true}, {"(?m)\\Ab", "a\nb", false},
		{"(?m)a\\z", "a\nb", false},  {"a^b", "ab", false},     {"(?m)$^", "", true},
		{"(?m)$\\n^b", "a\nb", true}, {"(^a|b)c", "xbc", true}, {"(^a|b)c", "xac", false},
		{"(^a|^b)c", "xbc", false},   {"x*^a", "a", true},      {"$", "abc", true},
		{"^*a", "ba", true},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, repeats_as_often_as_is_said)
{
	static const struct example examples[] = {
		{"^a*$", "", true},
		{"^a+$", "", false},
		{"^a{2}$", "aaa", false},
		{"^a{2,}$", "aaaa", true},
		{"^a{2,3}$", "aaaa", false},
		{"^a{2,3}?$", "aaa", true},
		{"^a{0}$", "", true},
		{"^a{0}$", "a", false},
		{"^(a{2}){2}$", "aaaa", true},
		{"^(a|b*)*c$", "abbac", true},
		{"^(|a)+$", "aa", true},
		{"^a(?i)*$", "aa", true},
		/* No counts: braces. */
		{"^a{,2}$", "a{,2}", true},
		{"^a{01}$", "a{01}", true},
		{"^a{1$", "a{1", true},
		{"^{$", "{", true},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, reads_classes)
{
	static const struct example examples[] = {
		{"^[a-c]+$", "abc", true},
		{"^[a-c]+$", "d", false},
		{"^[^a-c]$", "\n", true},
		{"^[]a]+$", "]a", true},
		{"^[^]a]$", "]", false},
		{"^[a-]+$", "a-", true},
		{"^[-a]+$", "a-", true},
		{"^[\\d-z]+$", "1-z", true},
		{"^[\\w.]+$", "a.b", true},
		{"^[^\\W]$", "_", true},
		{"^[[:^alpha:][:upper:]]+$", "A1", true},
		{"^[[:^alpha:][:upper:]]+$", "a", false},
		{"^[[:a]+$", "[:a", true},
		{"\\s", "\v", false},
		{"[[:space:]]", "\v", true},
		{"^[\\n-\\r]$", "\f", true},
		{"^[\\]\\\\]+$", "\\]", true},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, reads_escapes)
{
	static const struct example examples[] = {
		{"^\\x41\\x{42}\\103$", "ABC", true},
		{"^\\a\\f\\t\\n\\r\\v$", "\a\f\t\n\r\v", true},
		{"^\\_\\-\\.$", "_-.", true},
		{"^\\Qa.b*\\E+$", "a.b**", true},
		{"^\\Qa.b", "a.b", true},
		{"^\\Q\\E$", "", true},
		{"^\\12$", "\n", true},
		{"^\\777$", "\xc7\xbf", true},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, takes_characters_whole)
{
	static const struct example examples[] = {
		{"^.$", "\xc3\xa9", true},
		{"^.$", "\xe6\x97\xa5", true},
		{"^.$", "\xf0\x9f\x98\x80", true},
		{"^..$", "\xc3\xa9", false},
		{"^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", true},
		{"^[\xc3\xa0-\xc3\xbf]$", "\xc4\x80", false},
		{"^[^\xc3\xa9]$", "\xc3\xaa", true},
		{"^[^\xc3\xa9]$", "\xc3\xa9", false},
		{"^[\\x{7f}-\\x{10000}]$", "\xef\xbf\xbf", true},
		{"^[\\x{7f}-\\x{10000}]$", "\xf0\x90\x80\x80", true},
		{"^[\\x{7f}-\\x{10000}]$", "\xf0\x90\x80\x81", false},
		{"\xc3\xa9+$", "\xc3\xa9\xc3\xa9", true},
		{"^\\W$", "\xc3\xa9", true},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, sees_where_words_end)
{
	static const struct example examples[] = {
		{"\\bfoo\\b", "a foo.", true},
		{"\\bfoo\\b", "food", false},
		{"foo\\b", "foo\xc3\xa9", true},
		{"\\Bo\\B", "foot", true},
		{"^\\Bo", "o", false},
		{"\\B", "", true},
		{"\\b", "", false},
		{"\\B",
		 "a\xc3\xa9"
		 "b",
		 false},
		{"(?m)\\b^a", "b\na", true},
		{"a\\b$", "a", true},
		{"\\b\\B", "a b", false},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, heeds_flags_to_the_end_of_their_group)
{
	static const struct example examples[] = {
		{"(?i)abc", "aBC", true},
		{"(?i:a)b", "Ab", true},
		{"(?i:a)b", "AB", false},
		{"((?i)a)b", "AB", false},
		{"a(?i)b|c", "C", true},
		{"(?i)a(?-i)b", "AB", false},
		{"(?s)a.c", "a\nc", true},
		{"(?s-s:a.c)", "a\nc", false},
		{"(?U)a+?", "aa", true},
		{"(?i)[^k]", "K", false},
		/* The Kelvin sign and the long s. */
		{"(?i)^k$", "\xe2\x84\xaa", true},
		{"(?i)^\xc5\xbf$", "S", true},
		{"(?i)^\\w$", "\xe2\x84\xaa", true},
		{"^\\w$", "\xe2\x84\xaa", false},
		{"(?i)[@-\\[]", "a", true},
		{"(?i)^[\\x{80}-\\x{10FFFF}]$", "k", true},
	};

	CHECK_EXAMPLES(examples);
}

Test(regex, matches_a_nul_like_any_character)
{
	static const char text[] = "a\0b", pattern[] = "^a\0b$";
	const struct regex *regex;

	cr_assert(!status_failed(regex_compile(&arena, bytes_of(pattern, 5), 0, &regex)));
	cr_assert(regex_match(regex, bytes_of(text, 3)));
	cr_assert_not(regex_match(regex, bytes_of(text, 2)));
	cr_assert(!status_failed(regex_compile(&arena, bytes_of_string("^a.b$"), 0, &regex)));
	cr_assert(regex_match(regex, bytes_of(text, 3)));
}

Test(regex, says_what_is_wrong_and_where)
{
	static const struct {
		const char *pattern, *says;
	} cases[] = {
		{"a(b", "at byte 1: a group without"},
		{"a)b", "at byte 1: a ) without"},
		{"ab[c", "at byte 2: a class without"},
		{"[b-a]", "at byte 1: a range"},
		{"[[:foo:]]", "at byte 1: no such class"},
		{"*a", "at byte 0: nothing to repeat"},
		{"(|+)", "at byte 2: nothing to repeat"},
		{"a**", "at byte 2: a repetition of a repetition"},
		{"a{2}{3}", "at byte 4: a repetition of a repetition"},
		{"a{1001}", "at byte 1: counts"},
		{"a{3,2}", "at byte 1: counts"},
		{"(a{100}){11}", "at byte 8: nested counts"},
		{"a\\", "at byte 1: a backslash"},
		{"\\q", "at byte 0: no such escape"},
		{"\\xg", "at byte 0: \\x takes"},
		{"\\x{110000}", "at byte 0: no code point"},
		{"(a)\\1", "at byte 3: backreferences"},
		{"\\k<a>", "at byte 0: backreferences"},
		{"a(?=b)", "at byte 1: looking ahead"},
		{"(?<!a)b", "at byte 0: looking ahead or behind"},
		{"\\pL", "at byte 0: Unicode classes"},
		{"[\\p{Greek}]", "at byte 1: Unicode classes"},
		{"\\C", "at byte 0: \\C"},
		{"\\Z", "at byte 0: \\Z"},
		{"(?x)a", "at byte 0: no such flags"},
		{"(?i-)", "at byte 0: no such flags"},
		{"(?P<a>b)(?P<a>c)", "at byte 8: two groups of one name"},
		{"(?P<a-b>c)", "at byte 0: a group's name"},
		{"(?i)\xc3\xa9", "at byte 4: (?i)"},
		{"\xc3", "a pattern must be UTF-8"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct regex *regex = NULL;
		status compiled =
			regex_compile(&arena, bytes_of_string(cases[i].pattern), 0, &regex);

		cr_assert_eq(compiled.code, STATUS_INVALID_ARGUMENT, "/%s/", cases[i].pattern);
		cr_assert_eq(strncmp(compiled.detail, cases[i].says, strlen(cases[i].says)), 0,
			     "/%s/: %s", cases[i].pattern, compiled.detail);
		cr_assert_null(regex);
	}
}

Test(regex, refuses_groups_that_nest_too_deep)
{
	char pattern[2 * 101];
	const struct regex *regex;

	memset(pattern, '(', 101);
	memset(pattern + 101, ')', 101);
	cr_assert_eq(regex_compile(&arena, bytes_of(pattern, sizeof pattern), 0, &regex).code,
		     STATUS_INVALID_ARGUMENT);
	cr_assert(!status_failed(
		regex_compile(&arena, bytes_of(pattern + 1, sizeof pattern - 2), 0, &regex)));
}

Test(regex, keeps_to_the_cap_of_states)
{
	static const char pattern[] = "a[ab]{9}$"; /* takes 2 to the 10 */
	const struct regex *regex;
	status compiled = regex_compile(&arena, bytes_of_string(pattern), 1000, &regex);

	cr_assert_eq(compiled.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(compiled.detail, "1000 states"));
	cr_assert(!status_failed(regex_compile(&arena, bytes_of_string(pattern), 2000, &regex)));
	cr_assert_gt(regex_states(regex), 1000);
	cr_assert_leq(regex_states(regex), 2000);
}

Test(regex, counts_a_thousand_characters_but_not_any_number)
{
	static const char *const too_large[] = {
		"(.{0,500}[^a]{0,500}){1,2}(.{0,500}[^a]{0,500}){1,2}(.{0,1000}){1}",
		"(.{0,1000}a)",
	};
	const struct regex *regex;

	cr_assert(!status_failed(regex_compile(&arena, bytes_of_string("^.{0,1000}$"), 0, &regex)));
	for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++)
		cr_assert_eq(regex_compile(&arena, bytes_of_string(too_large[i]), 0, &regex).code,
			     STATUS_INVALID_ARGUMENT, "/%s/", too_large[i]);
}

Test(regex, leaves_nothing_behind_when_memory_ends)
{
	const struct regex *regex = NULL;
	size_t cap = 0;
	status compiled;

	do {
		struct arena small;

		arena_init(&small, cap);
		compiled =
			regex_compile(&small, bytes_of_string("^(a|\\bb)+[^c]{2,5}$"), 0, &regex);
		if (status_failed(compiled))
			cr_assert_eq(compiled.code, STATUS_RESOURCE_EXHAUSTED);
		arena_finish(&small);
		cap += 16;
	} while (status_failed(compiled));
	cr_assert_gt(cap, 256);
}
