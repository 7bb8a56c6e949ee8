/* Patterns of one class after another have a way of their own. In a group they have not: both say the
 * same. */
#include "kernels/base/arena.h"
#include "service/schema/regex.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, (size_t)64 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(regex_span, .init = setup, .fini = teardown);

static const struct regex *compiled(const char *pattern)
{
	const struct regex *regex = NULL;
	status s = regex_compile(&arena, bytes_of_string(pattern), 0, &regex);

	cr_assert_not(status_failed(s), "%s: %s", pattern, s.detail);
	return regex;
}

/* Every text of up to three of these bytes, and runs of one. */
static void compare(const char *pattern, const struct regex *a, const struct regex *b)
{
	static const uint8_t bytes[] = {0,   '\n', ' ', '-', '0',  '9',
					'A', '_',  'a', 'z', 0xC3, 0xA9};
	size_t n = sizeof bytes;
	uint8_t text[80];

	for (size_t i = 0; i < n * n * n; i++) {
		text[0] = bytes[i / n / n];
		text[1] = bytes[i / n % n];
		text[2] = bytes[i % n];
		for (size_t size = 0; size <= 3; size++)
			if (bytes_is_utf8(bytes_of(text, size)))
				cr_expect_eq(regex_match(a, bytes_of(text, size)),
					     regex_match(b, bytes_of(text, size)),
					     "%s: %zu bytes %02x %02x %02x", pattern, size, text[0],
					     text[1], text[2]);
	}
	memset(text, 'a', sizeof text);
	for (size_t size = 0; size <= sizeof text; size++)
		cr_expect_eq(regex_match(a, bytes_of(text, size)),
			     regex_match(b, bytes_of(text, size)), "%s: %zu of a", pattern, size);
}

Test(regex_span, matches_what_a_group_of_it_matches)
{
	static const char *const patterns[] = {
		"^[a-z][a-z0-9_]{0,62}$",
		"^[a-z][a-z0-9_-]{0,62}$",
		"^[a-z]{1,63}$",
		"^[a-z]*$",
		"^[a-z]+$",
		"^a?$",
		"^ab*$",
		"^[^a]{2}$",
		"^.{2}$",
		"^\\d[^0-9]{1,}$",
		"^[a-z\\x{E9}]{2}$",
		"^(?i)[a-f]{2,3}$",
		"^[a-z]{3}$",
		"^[[:alpha:]][a-z]{0}$",
		"(?m)^[a-z]{2}$",
		"^[a-z]{2}",
		"[a-z]{2}$",
		"^[a-z][0-9][a-z]{1}$",
	};

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		char group[64];

		snprintf(group, sizeof group, "(?:%s)", patterns[i]);
		compare(patterns[i], compiled(patterns[i]), compiled(group));
	}
}
