/* families - the table of README is the table of the program, and the page's arithmetic. */
#include "service/telemetry/families.h"
#include "service/telemetry/html.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* README.md, beside the folder that this file's link leads to. */
static char *readme_read(void)
{
	static const char own[] = "/tests/service/telemetry/families_test.c";
	char path[PATH_MAX + sizeof "/README.md"], *text = calloc(1, (size_t)1 << 20);
	FILE *in;
	size_t n;

	cr_assert_not_null(realpath(&own[1], path));
	n = strlen(path);
	cr_assert(n > sizeof own && strcmp(path + n - (sizeof own - 1), own) == 0, "%s", path);
	strcpy(path + n - (sizeof own - 1), "/README.md");
	in = fopen(path, "re");
	cr_assert_not_null(in, "%s", path);
	cr_assert_gt(fread(text, 1, ((size_t)1 << 20) - 1, in), 0);
	fclose(in);
	return text;
}

Test(families, are_what_readme_says)
{
	struct buffer table = {0};
	char *readme = readme_read();

	families_table(&table);
	buffer_append_u8(&table, 0);
	cr_assert_not_null(strstr(readme, (char *)table.data),
			   "README.md does not have this table, which bazel run "
			   "//tests/service/telemetry:families_table prints:\n%s",
			   (char *)table.data);
	buffer_finish(&table);
	free(readme);
}

Test(families, have_a_sentence_each)
{
	for (size_t i = 0; i < n_families; i++) {
		const char *help = families[i].help;

		cr_assert_eq(help[strlen(help) - 1], '.', "%s", families[i].name);
		cr_assert_null(strchr(help, '|'), "%s", families[i].name);
		cr_assert_null(strchr(help, '\n'), "%s", families[i].name);
	}
}

Test(families, have_a_quantile_between_the_bounds_of_its_bucket)
{
	struct histogram_reading reading = {.n = 100};

	cr_assert_eq(histogram_quantile(&(struct histogram_reading){0}, 0.5), 0);
	reading.counts[6] = 90; /* up to 1 ms, from 0.5 */
	reading.counts[HISTOGRAM_BOUNDS] = 10;
	cr_assert_float_eq(histogram_quantile(&reading, 0.45), 0.00075, 1e-9);
	cr_assert_float_eq(histogram_quantile(&reading, 0.9), 0.001, 1e-9);
	cr_assert_float_eq(histogram_quantile(&reading, 0.99), 60, 1e-9);
}

Test(families, have_a_page_that_escapes_what_it_did_not_write)
{
	struct buffer out = {0};

	html_text(&out, "<a href='x'>\"&\"</a>");
	buffer_append_u8(&out, 0);
	cr_assert_str_eq((char *)out.data, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
	buffer_finish(&out);
}
