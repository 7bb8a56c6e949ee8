/* trace_context - headers that are a traceparent, and those that are not. */
#include "service/telemetry/trace_context.h"

#include <criterion/criterion.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

Test(trace_context, takes_ids_and_flags)
{
	struct trace_context found;
	char trace_id[2 * TRACE_ID_BYTES + 1], span_id[2 * SPAN_ID_BYTES + 1];

	cr_assert(trace_context_parse(bytes_of_string("00-" TRACE "-" SPAN "-01"), &found));
	hex_print(trace_id, found.trace_id, TRACE_ID_BYTES);
	hex_print(span_id, found.span_id, SPAN_ID_BYTES);
	cr_assert_str_eq(trace_id, TRACE);
	cr_assert_str_eq(span_id, SPAN);
	cr_assert_eq(found.flags, 1);
}

static const char *const right[] = {
	"00-" TRACE "-" SPAN "-00",
	"00-" TRACE "-" SPAN "-ff",
	/* Of versions to come the part that is known counts. */
	"01-" TRACE "-" SPAN "-01",
	"cc-" TRACE "-" SPAN "-01-what-will-be",
	"fe-" TRACE "-" SPAN "-01-",
};

Test(trace_context, takes_what_later_versions_have_behind_it)
{
	struct trace_context found;

	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		cr_assert(trace_context_parse(bytes_of_string(right[i]), &found), "%s", right[i]);
}

static const char *const wrong[] = {
	"",
	"00",
	"00-" TRACE "-" SPAN,
	"00-" TRACE "-" SPAN "-",
	"00-" TRACE "-" SPAN "-0",
	"00-" TRACE "-" SPAN "-01-more",
	"00-" TRACE "-" SPAN "-011",
	"01-" TRACE "-" SPAN "-01.more",
	"ff-" TRACE "-" SPAN "-01",
	"0g-" TRACE "-" SPAN "-01",
	"00_" TRACE "-" SPAN "-01",
	"00-" TRACE "_" SPAN "-01",
	"00-" TRACE "-" SPAN "_01",
	"00-0AF7651916cd43dd8448eb211c80319c-" SPAN "-01",
	"00-" TRACE "-B7ad6b7169203331-01",
	"00-" TRACE "-" SPAN "-0A",
	"00-00000000000000000000000000000000-" SPAN "-01",
	"00-" TRACE "-0000000000000000-01",
	" 00-" TRACE "-" SPAN "-01",
	"00-" TRACE "-" SPAN "-01 ",
	"00-" SPAN "-" TRACE "-01",
};

Test(trace_context, takes_nothing_else)
{
	struct trace_context found = {.flags = 77};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_not(trace_context_parse(bytes_of_string(wrong[i]), &found), "%s",
			      wrong[i]);
	cr_assert_eq(found.flags, 77);
}
