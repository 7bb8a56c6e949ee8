#include "kernels/base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* What is written to standard error between begin and end goes to a file in memory. */
struct capture {
	int before, file;
	char *text; /* owned, after the end */
	size_t size;
};

static void capture_begin(struct capture *capture)
{
	fflush(stderr);
	capture->file = memfd_create("log", 0);
	cr_assert_geq(capture->file, 0);
	capture->before = dup(STDERR_FILENO);
	dup2(capture->file, STDERR_FILENO);
}

static void capture_end(struct capture *capture)
{
	off_t size = lseek(capture->file, 0, SEEK_END);

	dup2(capture->before, STDERR_FILENO);
	close(capture->before);
	capture->size = (size_t)size;
	capture->text = calloc(1, capture->size + 1);
	cr_assert_eq(pread(capture->file, capture->text, capture->size, 0), size);
	close(capture->file);
}

static size_t count(const char *text, char wanted)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == wanted;
	return n;
}

Test(log, writes_time_level_and_message)
{
	struct capture capture;
	int year, month, day, hour, minute, second, milli, end = 0;

	capture_begin(&capture);
	log_write(LOG_DEBUG, "below the level");
	log_write(LOG_WARNING, "row %d of %s", 3, "books");
	capture_end(&capture);

	cr_assert_eq(sscanf(capture.text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day,
			    &hour, &minute, &second, &milli, &end),
		     7, "%s", capture.text);
	cr_assert_geq(year, 2020);
	cr_assert_str_eq(capture.text + end, "WARNING row 3 of books\n");
	free(capture.text);
}

/* The same second by the C library's calendar. */
Test(log, knows_the_date)
{
	struct capture capture;
	char before[32], after[32];
	time_t now = time(NULL);

	strftime(before, sizeof before, "%Y-%m-%dT%H:%M:", gmtime(&now));
	capture_begin(&capture);
	log_write(LOG_ERROR, "x");
	capture_end(&capture);
	now = time(NULL);
	strftime(after, sizeof after, "%Y-%m-%dT%H:%M:", gmtime(&now));

	cr_assert(strncmp(capture.text, before, strlen(before)) == 0 ||
			  strncmp(capture.text, after, strlen(after)) == 0,
		  "%s", capture.text);
	free(capture.text);
}

Test(log, lets_no_input_forge_a_line)
{
	struct capture capture;
	char longest[3000];

	memset(longest, '\n', sizeof longest);
	longest[sizeof longest - 1] = 0;
	capture_begin(&capture);
	log_write(LOG_INFO, "a\nb\r\x1B[2J\x7F\xC2\x9B"
			    "c \xC3\xA4");
	log_write(LOG_INFO, "%s", longest);
	capture_end(&capture);

	cr_assert_not_null(strstr(capture.text, "INFO a\\x0ab\\x0d\\x1b[2J\\x7f"), "%s",
			   capture.text);
	cr_assert_not_null(strstr(capture.text, "c \xC3\xA4\n"), "%s", capture.text);
	cr_assert_null(strchr(capture.text, '\x9B'));
	cr_assert_eq(count(capture.text, '\n'), 2);
	cr_assert_lt(strlen(strchr(capture.text, '\n') + 1), 1100);
	free(capture.text);
}

static time_t this_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

Test(log, drops_what_is_over_the_rate_and_says_so)
{
	struct capture capture;
	size_t lines;
	time_t last;

	capture_begin(&capture);
	for (int i = 0; i < 20000; i++)
		log_write(LOG_INFO, "again");
	for (last = this_second(); this_second() == last;)
		continue;
	log_write(LOG_INFO, "the next second");
	capture_end(&capture);

	/* The loop may cross the border of a second, or of a few on a slow machine. */
	lines = count(capture.text, '\n');
	cr_assert_geq(lines, 900);
	cr_assert_lt(lines, 15000);
	cr_assert_not_null(strstr(capture.text, " lines were dropped"));
	cr_assert_not_null(strstr(capture.text, "INFO the next second\n"));
	free(capture.text);
}

Test(log, writes_an_object_a_line_where_json_is_asked_for)
{
	struct capture capture;
	char *at;

	log_set_format(LOG_JSON);
	capture_begin(&capture);
	log_write(LOG_INFO, "a \"b\" \\ \n \x01 \xc3\xa4 \xff.");
	capture_end(&capture);
	log_set_format(LOG_TEXT);

	cr_assert_eq(strncmp(capture.text, "{\"time\": \"2", 11), 0, "%s", capture.text);
	at = strstr(capture.text, "\", ");
	cr_assert_not_null(at);
	cr_assert_str_eq(at, "\", \"level\": \"INFO\", \"message\": \"a \\\"b\\\" \\\\ \\u000a "
			     "\\u0001 \xc3\xa4 \\ufffd.\"}\n");
	free(capture.text);
}

Test(log, drops_what_is_above_the_rate_that_is_set)
{
	struct capture capture;

	log_set_rate(3);
	capture_begin(&capture);
	/* In one second, or in two that follow each other. */
	for (int i = 0; i < 100; i++)
		log_write(LOG_INFO, "x");
	capture_end(&capture);
	log_set_rate(1000);

	cr_assert_geq(count(capture.text, '\n'), 3);
	cr_assert_leq(count(capture.text, '\n'), 7);
	free(capture.text);
}

static const struct log_field fields[] = {
	{"method", "/a.B/C", 0},
	{"peer", "a \"b\"\n", 0},
	{"ms", NULL, 1.25},
	{"hits", NULL, 3},
};

Test(log, writes_an_events_fields_behind_the_message)
{
	struct capture capture;

	capture_begin(&capture);
	log_event(LOG_INFO, "call", fields, sizeof fields / sizeof *fields);
	capture_end(&capture);

	cr_assert_not_null(strstr(capture.text,
				  " INFO call method=/a.B/C peer=\"a \\x22b\\x22\\x0a\" "
				  "ms=1.25 hits=3\n"),
			   "%s", capture.text);
	free(capture.text);
}

Test(log, writes_an_events_fields_as_members_in_json)
{
	struct capture capture;

	log_set_format(LOG_JSON);
	capture_begin(&capture);
	log_event(LOG_INFO, "call", fields, sizeof fields / sizeof *fields);
	capture_end(&capture);
	log_set_format(LOG_TEXT);

	cr_assert_not_null(strstr(capture.text,
				  "\"message\": \"call\", \"method\": \"/a.B/C\", \"peer\": "
				  "\"a \\\"b\\\"\\u000a\", \"ms\": 1.25, \"hits\": 3}\n"),
			   "%s", capture.text);
	free(capture.text);
}

Test(log, leaves_out_fields_that_have_no_room)
{
	struct capture capture;
	char longest[990];
	const struct log_field long_ones[] = {{"a", longest, 0}, {"b", longest, 0}, {"c", "", 0}};

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	capture_begin(&capture);
	log_event(LOG_INFO, "call", long_ones, 3);
	capture_end(&capture);

	cr_assert_not_null(strstr(capture.text, " a=x"));
	cr_assert_null(strstr(capture.text, " b=x"));
	cr_assert_eq(count(capture.text, '\n'), 1);
	free(capture.text);
}
