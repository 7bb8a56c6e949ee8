/* refusal - the line that a server's detail is about, and details that are about none. */
#include "service/cli/refusal.h"

#include <criterion/criterion.h>

static const struct batch_lines lines = {
	.sequence = 3, .n = 12, .numbers = {40, 41, 45, [11] = 60}};

static const struct {
	enum status_code code;
	const char *detail;
	uint64_t line;
} cases[] = {
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[0].vector: required", 40},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[2].id: \"x\" comes twice", 45},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[11]: 9 bytes", 60},
	{STATUS_FAILED_PRECONDITION, "FAILED_PRECONDITION: batch 3: chunks[1].x: y", 41},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[12].id: x", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[18446744073709551616]: x", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[-1]: x", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[]: x", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[1", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: chunks[", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 4: chunks[1]: x", 0},
	{STATUS_INVALID_ARGUMENT, "INVALID_ARGUMENT: batch 3: \"batch 3: chunks[1]\"", 0},
	{STATUS_NOT_FOUND, "NOT_FOUND: batch 3: collection \"x\" not found", 0},
	{STATUS_UNAVAILABLE, "cannot reach 127.0.0.1:1: connection refused", 0},
};

Test(refusal, finds_the_line_that_is_named)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		status failed = {.code = cases[i].code, .detail = cases[i].detail};

		arena_init(arena, 65536);
		cr_assert_eq(refusal_line(arena, failed, &lines), cases[i].line, "case %zu", i);
	}
}

Test(refusal, says_what_is_imported_in_spite_of_it)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct batch_lines first = lines;
	status failed = {.code = STATUS_INVALID_ARGUMENT,
			 .detail = "INVALID_ARGUMENT: batch 3: chunks[2].id: x"};
	status explained;

	arena_init(arena, 65536);
	explained = refusal_explain(arena, failed, &lines, "c.jsonl");
	cr_assert_eq(explained.code, STATUS_INVALID_ARGUMENT);
	cr_assert_str_eq(explained.detail,
			 "c.jsonl:45: INVALID_ARGUMENT: batch 3: chunks[2].id: x (what is before "
			 "line 40 is imported)");

	first.sequence = 1;
	failed.detail = "INVALID_ARGUMENT: batch 1: chunks[2].id: x";
	cr_assert_str_eq(refusal_explain(arena, failed, &first, "c.jsonl").detail,
			 "c.jsonl:45: INVALID_ARGUMENT: batch 1: chunks[2].id: x (nothing is "
			 "imported)");

	failed = (status){.code = STATUS_INTERNAL, .detail = "INTERNAL: batch 3: x"};
	cr_assert_str_eq(refusal_explain(arena, failed, &lines, "c.jsonl").detail,
			 "INTERNAL: batch 3: x (lines 40 to 60 of c.jsonl; what is before them is "
			 "imported)");
}
