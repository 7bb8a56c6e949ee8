/* exposition - the text, and that the lint of our tests sees what is wrong with a text. */
#include "service/telemetry/exposition.h"
#include "tests/service/telemetry/metrics.h"

#include <criterion/criterion.h>

static char *text_of(struct buffer *out)
{
	buffer_append_u8(out, 0);
	cr_assert_not(out->failed);
	return (char *)out->data;
}

Test(exposition, writes_a_family_with_its_samples)
{
	struct buffer out = {0};
	struct exposition exposition = {.out = &out};

	exposition_begin(&exposition, "a_total", FAMILY_COUNTER, "As.");
	exposition_count(&exposition, "", UINT64_MAX);
	exposition_begin(&exposition, "b", FAMILY_GAUGE, "Bs.");
	exposition_number(&exposition, "x=\"y\"", 0.25);

	cr_assert_str_eq(text_of(&out), "# HELP a_total As.\n# TYPE a_total counter\n"
					"a_total 18446744073709551615\n"
					"# HELP b Bs.\n# TYPE b gauge\nb{x=\"y\"} 0.25\n");
	buffer_finish(&out);
}

Test(exposition, writes_buckets_that_add_up)
{
	struct histogram_reading reading = {.sum_ns = 1500000000};
	struct buffer out = {0};
	struct exposition exposition = {.out = &out};
	char objection[512];

	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		reading.counts[i] = i;
	exposition_begin(&exposition, "a_seconds", FAMILY_HISTOGRAM, "As.");
	exposition_histogram(&exposition, "x=\"y\"", &reading);
	exposition_histogram(&exposition, "x=\"z\"", &reading);

	metrics_lint(text_of(&out), objection, sizeof objection);
	cr_assert_str_eq(objection, "");
	cr_assert_eq(metrics_value((char *)out.data, "a_seconds_bucket{x=\"y\",le=\"1e-05\"}"), 0);
	cr_assert_eq(metrics_value((char *)out.data, "a_seconds_bucket{x=\"y\",le=\"5e-05\"}"), 3);
	cr_assert_eq(metrics_value((char *)out.data, "a_seconds_bucket{x=\"z\",le=\"+Inf\"}"),
		     HISTOGRAM_BOUNDS * (HISTOGRAM_BOUNDS + 1) / 2);
	cr_assert_eq(metrics_value((char *)out.data, "a_seconds_sum{x=\"z\"}"), 1.5);
	buffer_finish(&out);
}

Test(exposition, escapes_what_a_label_cannot_hold)
{
	char escaped[64], small[6];

	exposition_escape(escaped, sizeof escaped, "a\"b\\c\nd");
	cr_assert_str_eq(escaped, "a\\\"b\\\\c\\nd");
	exposition_escape(small, sizeof small, "abcdef\"");
	cr_assert_leq(strlen(small), 5);
}

/* A text, and a word of the objection to it. */
static const struct {
	const char *text, *objection;
} wrong[] = {
	{"a 1\n", "no family"},
	{"# HELP a A.\na 1\n", "TYPE"},
	{"# TYPE a gauge\na 1\n", "HELP"},
	{"# HELP a A.\n# TYPE a gauge\nb 1\n", "no family"},
	{"# HELP a \n# TYPE a gauge\na 1\n", "empty"},
	{"# HELP a A.\n# TYPE a counter\na 1\n", "_total"},
	{"# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n", "_total"},
	{"# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n", "unit"},
	{"# HELP a_kib A.\n# TYPE a_kib gauge\na_kib 1\n", "unit"},
	{"# HELP Ab A.\n# TYPE Ab gauge\nAb 1\n", "no name"},
	{"# HELP a A.\n# TYPE a histogram\n", "unit"},
	{"# HELP a_count A.\n# TYPE a_count gauge\n", "part"},
	{"# HELP a A.\n# TYPE a gauge\na 1\na 2\n", "twice"},
	{"# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\n", "twice"},
	{"# HELP a A.\n# TYPE a gauge\na{b=c} 1\n", "no sample"},
	{"# HELP a A.\n# TYPE a gauge\na{b=\"c} 1\n", "no sample"},
	{"# HELP a A.\n# TYPE a gauge\na one\n", "no number"},
	{"# HELP a A.\n# TYPE a gauge\na 1", "end"},
	{"# HELP a_total A.\n# TYPE a_total counter\na_total -1\n", "zero"},
	{"# HELP a_seconds A.\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"1\"} 2\n"
	 "a_seconds_bucket{le=\"+Inf\"} 1\n",
	 "grow"},
	{"# HELP a_seconds A.\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"+Inf\"} 1\n"
	 "a_seconds_sum 1\na_seconds_count 2\n",
	 "count"},
};

Test(exposition, has_a_lint_that_sees_what_is_wrong)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char objection[512];

		metrics_lint(wrong[i].text, objection, sizeof objection);
		cr_assert_not_null(strstr(objection, wrong[i].objection), "%s: \"%s\"",
				   wrong[i].text, objection);
	}
}
