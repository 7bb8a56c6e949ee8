/* screen - what others wrote cannot steer the terminal; the picture of progress. */
#include "service/cli/screen.h"

#include "service/cli/progress.h"

#include <criterion/criterion.h>

static const struct {
	const char *text;
	size_t columns;
	const char *want;
} cases[] = {
	{"", 10, ""},
	{"plain", 10, "plain"},
	{"exactly te", 10, "exactly te"},
	{"more than ten", 10, "more than…"},
	{"\n\n  first\nsecond", 10, "first"},
	{"first\r\nsecond", 10, "first"},
	{"a\x1b[31mb", 10, "a [31mb"},
	{"a\xc2\x9b"
	 "31mb",
	 10, "a 31mb"},
	{"größe", 5, "größe"},
	{"größere", 5, "größ…"},
	{"a\xff\xc3", 10, "a  "},
	{"日本語", 2, "日…"},
};

Test(screen, shows_one_line_without_control_characters)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buffer bytes = {0};
		SCOPED(buffer) buffer = &bytes;

		screen_line(buffer, cases[i].text, cases[i].columns);
		buffer_append_u8(buffer, '\0');

		cr_assert_str_eq((const char *)buffer->data, cases[i].want);
	}
}

Test(screen, indents_every_line_of_a_block)
{
	struct buffer bytes = {0};
	SCOPED(buffer) buffer = &bytes;

	screen_block(buffer, "one\n\ntwo\x07\n", "  ");
	buffer_append_u8(buffer, '\0');

	cr_assert_str_eq((const char *)buffer->data, "  one\n  \n  two \n");
}

Test(progress, shows_share_rate_and_time_left)
{
	char line[160];

	progress_line(line, sizeof line, 50000, 0.5, 10);
	cr_assert_str_eq(line,
			 "[############            ]  50%  50,000 chunks  5,000/s  10 s left");
	progress_line(line, sizeof line, 0, 0, 0);
	cr_assert_str_eq(line, "[                        ]   0%  0 chunks  0/s  ? left");
	progress_line(line, sizeof line, 1000, -1, 2);
	cr_assert_str_eq(line, "1,000 chunks  500/s");
	progress_line(line, sizeof line, 10, 0.001, 10);
	cr_assert_not_null(strstr(line, "2 h 46 min left"));
}
