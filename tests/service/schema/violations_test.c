/* What a client is told of a message that breaks its rules. */
#include "service/schema/violations.h"

#include "kernels/base/error_info.h"
#include "tests/kernels/failing_malloc.h"
#include "tests/service/schema/checked.h"
#include "tests/service/schema/encode.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 16);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(violations, .init = setup, .fini = teardown);

static status check(const char *message, const char *text)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	encode(bytes, text);
	return violations_check(checked_message(message), bytes_of(bytes->data, bytes->size),
				&arena);
}

Test(violations, none_is_ok)
{
	cr_assert_not(status_failed(check("Strings", "1:\"yes\"")));
	cr_assert_not(status_failed(check("Tree", "")));
}

Test(violations, one_says_where_what_and_by_which_rule)
{
	status checked = check("Tree", "3:{} 3:{1:-7}");
	const struct error_violation *violation;

	cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(checked.detail, "children[1].size: "), "%s", checked.detail);
	cr_assert_not_null(strstr(checked.detail, "found -7"), "%s", checked.detail);
	cr_assert_null(strstr(checked.detail, "more"));
	cr_assert_eq(checked.info->reason, REASON_SCHEMA_VIOLATION);
	cr_assert_str_eq(checked.info->metadata[0].value, "children[1].size");
	cr_assert_str_eq(checked.info->metadata[1].value, "int32.gte");
	cr_assert_eq(checked.info->n_violations, 1);
	violation = &checked.info->violations[0];
	cr_assert_str_eq(violation->field, "children[1].size");
	cr_assert_str_eq(violation->rule_id, "int32.gte");
	cr_assert_not_null(strstr(violation->description, "found -7"));
}

Test(violations, of_the_message_as_a_whole_have_no_field)
{
	status checked = check("AtMostOne", "1:1 3:{}");

	cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(checked.detail, "AtMostOne"), "%s", checked.detail);
	cr_assert_str_eq(checked.info->violations[0].field, "");
	cr_assert_str_eq(checked.info->violations[0].rule_id, "message.oneof");
}

Test(violations, are_told_up_to_sixteen)
{
	static const struct {
		const char *text;
		size_t n, n_more;
		const char *says; /* NULL: nothing of others */
	} cases[] = {
		{"3:[0 0]", 2, 0, "; and 1 more violation"},
		{"16*3:0", 16, 0, "; and 15 more violations"},
		{"17*3:0", 16, 1, "; and 16 more violations"},
		{"3:0 200*3:[0 0]", 16, 385, "; and 400 more violations"},
		{"999*3:0", 16, 983, "; and 998 more violations"},
		/* Counted no further. */
		{"1000*3:0", 16, 984, "; and 999 more violations at least"},
		{"100000*3:0", 16, 984, "; and 999 more violations at least"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		status checked = check("Lists", cases[i].text);
		const char *others = strstr(checked.detail, "; and");

		cr_expect_eq(checked.info->n_violations, cases[i].n, "%s", cases[i].text);
		cr_expect_eq(checked.info->n_more, cases[i].n_more, "%s: %zu", cases[i].text,
			     checked.info->n_more);
		cr_expect_str_eq(others ? others : "", cases[i].says, "%s", cases[i].text);
	}
}

Test(violations, are_told_up_to_four_kilobytes)
{
	char text[8192];
	size_t at = 0, size = 0;
	status checked;

	/* Fifteen values under keys of 64 bytes, each of which takes four in a path. */
	for (unsigned i = 0; i < 15; i++) {
		at += (size_t)snprintf(text + at, sizeof text - at, "3:{1:\"\\x%02x", i + 1);
		for (unsigned j = 0; j < 63; j++)
			at += (size_t)snprintf(text + at, sizeof text - at, "\\x01");
		at += (size_t)snprintf(text + at, sizeof text - at, "\" 2:0} ");
	}
	checked = check("Maps", text);
	for (size_t i = 0; i < checked.info->n_violations; i++)
		size += strlen(checked.info->violations[i].field) +
			strlen(checked.info->violations[i].description);

	cr_assert_eq(checked.info->n_violations + checked.info->n_more, 15);
	cr_assert_gt(checked.info->n_more, 0);
	cr_assert_leq(size, VIOLATIONS_BYTES_MAX);
	cr_assert_gt(size, VIOLATIONS_BYTES_MAX - 600);
}

Test(violations, show_what_was_found_escaped_and_cut)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"1:\"\"", "found \"\""},
		{"1:\"no\"", "found \"no\""},
		{"1:\"a\\x1b[31m\\x0a\"", "found \"a\\x1b[31m\\x0a\""},
		{"1:\"say \\\"hi\\\" \\\\\"", "found \"say \\\"hi\\\" \\\\\""},
		{"1:\"\xc3\xa9\"", "found \"\\xc3\\xa9\""},
		{"1:\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
		 "found \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""},
		{"1:\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX\"",
		 "found \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef...\" "
		 "(65 "
		 "bytes)"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		status checked = check("Strings", cases[i].text);
		const char *description = checked.info->violations[0].description;
		const char *shown = strstr(description, cases[i].shown);
		const char *behind = shown ? shown + strlen(cases[i].shown) : NULL;

		cr_expect(behind && (*behind == 0 || *behind == ','), "%s", description);
	}
}

Test(violations, bytes_that_are_no_message_have_a_reason_of_their_own)
{
	status checked = check("Tree", "=0f");

	cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(checked.info->reason, REASON_MALFORMED_MESSAGE);
	cr_assert_eq(checked.info->n_violations, 0);
}

Test(violations, are_told_though_the_arena_is_full)
{
	status checked;

	arena.cap_bytes = 0;
	checked = check("Lists", "100*3:0");
	cr_assert_eq(checked.info->n_violations, 16);
	cr_assert_eq(arena.cap_bytes, 0);
}

Test(violations, without_memory_nothing_is_accepted)
{
	const struct schema_message *message = checked_message("Lists");
	SCOPED(buffer) bytes = &(struct buffer){0};
	unsigned at = 0;
	bool failed;

	encode(bytes, "40*3:0");
	do {
		status checked;

		arena_finish(&arena);
		setup();
		failing_malloc_set((long)at++);
		checked = violations_check(message, bytes_of(bytes->data, bytes->size), &arena);
		failed = failing_malloc_struck();
		failing_malloc_set(-1);
		cr_assert(status_failed(checked), "allocation %u", at);
	} while (failed && at < 100);
	cr_assert_gt(at, 1);
}
