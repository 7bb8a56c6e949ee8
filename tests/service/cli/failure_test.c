#include "service/cli/failure.h"

#include "service/rpc/error_details.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct arena memory;

static void init(void)
{
	arena_init(&memory, 1 << 20);
}

static void finish(void)
{
	arena_finish(&memory);
}

TestSuite(failure, .init = init, .fini = finish);

static const struct error_violation violations[] = {
	{"chunks[3].id", "string.min_len", "at least 1 character"},
	{"", "message.oneof", "one of\na, b"},
};

/* As a server sends it and the command line prints it. */
static char *printed(const struct error_info *sent)
{
	SCOPED(buffer) bytes = &(struct buffer){0};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	error_details_encode(status_with(status_make(STATUS_INVALID_ARGUMENT, "no"), sent), bytes);
	failure_print(to, failure_decode(&memory, bytes_of(bytes->data, bytes->size)));
	fclose(to);
	return text;
}

Test(failure, prints_a_line_for_each_violation)
{
	const struct error_info info = {
		.reason = REASON_SCHEMA_VIOLATION,
		.violations = violations,
		.n_violations = 2,
		.n_more = 7,
	};
	char *text = printed(&info);

	cr_assert_str_eq(text, "  chunks[3].id: at least 1 character [string.min_len]\n"
			       "  one of a, b [message.oneof]\n"
			       "  and 7 more\n");
	free(text);
}

Test(failure, prints_nothing_where_the_sentence_says_it_all)
{
	const struct error_info one = {
		.reason = REASON_SCHEMA_VIOLATION,
		.violations = violations,
		.n_violations = 1,
	};
	char *text = printed(&one);

	cr_assert_str_eq(text, "");
	free(text);
	text = printed(error_info_of(REASON_DISK_FULL));
	cr_assert_str_eq(text, "");
	free(text);
}

Test(failure, reads_nothing_from_what_is_no_status)
{
	cr_assert_null(failure_decode(&memory, bytes_of("\xFF\xFF", 2)));
	cr_assert_null(failure_decode(&memory, bytes_of("", 0)));
}
