/* load_report - what shards have counted together, how a report is written down, and its picture. */
#include "kernels/base/arena.h"
#include "service/cli/load_json.h"
#include "service/cli/load_svg.h"
#include "service/cli/load_table.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct scratch scratch;

static void open_all(void)
{
	arena_init(&arena, (size_t)256 << 20);
	scratch_open(&scratch);
}

static void close_all(void)
{
	scratch_close(&scratch);
	arena_finish(&arena);
}

TestSuite(load_report, .init = open_all, .fini = close_all);

/* Calls whose latencies grow with the rate, some of which fail. */
static void fill(struct load_step *step, double rate, uint64_t n)
{
	struct load_counts *counts = &step->kinds[LOAD_SEARCH];

	step->rate = rate;
	step->in_flight = 4;
	step->seconds = 2;
	step->idle_share = 0.5;
	step->client_busiest_share = 0.25;
	step->client_cpu_seconds = 0.125;
	step->ended_in_window = n;
	step->ok_in_window = n - 1;
	step->server = (struct load_server){true, 0.5, 100, 300, 200};
	counts->arrivals = n + 1;
	counts->unsent = 1;
	counts->ended[STATUS_OK] = n - 1;
	counts->ended[STATUS_RESOURCE_EXHAUSTED] = 1;
	counts->messages = n;
	counts->hits = 10 * n;
	counts->received_bytes = 1000 * n;
	counts->sent_bytes = 100 * n;
	for (uint64_t i = 1; i < n; i++) {
		load_histogram_add(&counts->latency, (int64_t)(i * i * i) * (int64_t)rate, 1);
		load_histogram_add(&counts->first_hit, (int64_t)i * 100, 1);
		load_histogram_add(&counts->gap, (int64_t)i, 10);
	}
	load_histogram_add(&step->lateness, 50000, n);
	snprintf(step->details[STATUS_RESOURCE_EXHAUSTED], sizeof step->details[0],
		 "too \"many\" calls");
}

static struct load_report make_report(const double *rates, size_t n)
{
	struct load_report report = {.title = "notes: open loop <search=1> & more",
				     .n_processes = 1};

	report.n_steps = n;
	report.steps = ARENA_ARRAY(&arena, struct load_step, n);
	cr_assert_not_null(report.steps);
	for (size_t i = 0; i < n; i++)
		fill(&report.steps[i], rates[i], 100 * (i + 1));
	return report;
}

static void want_same_step(const struct load_step *a, const struct load_step *b)
{
	cr_assert_eq(a->rate, b->rate);
	cr_assert_eq(a->in_flight, b->in_flight);
	cr_assert_eq(a->seconds, b->seconds);
	cr_assert_eq(a->ended_in_window, b->ended_in_window);
	cr_assert_eq(a->ok_in_window, b->ok_in_window);
	cr_assert_eq(a->server.known, b->server.known);
	cr_assert_eq(a->server.cpu_seconds, b->server.cpu_seconds);
	cr_assert_eq(a->server.rss_max_bytes, b->server.rss_max_bytes);
	cr_assert_eq(a->client_cpu_seconds, b->client_cpu_seconds);
	cr_assert_eq(a->idle_share, b->idle_share);
	cr_assert_arr_eq(a->kinds, b->kinds, sizeof a->kinds);
	cr_assert_arr_eq(&a->lateness, &b->lateness, sizeof a->lateness);
	cr_assert_arr_eq(a->details, b->details, sizeof a->details);
}

Test(load_report, comes_back_from_its_file_as_it_was)
{
	static const double rates[] = {0, 100, 250.5};
	struct load_report report = make_report(rates, 3), read;
	const char *path = arena_printf(&arena, "%s/r.json", scratch.path);

	report.steps[1].server = (struct load_server){0};
	cr_assert(!status_failed(load_json_write(&arena, path, &report)));
	cr_assert(!status_failed(load_json_read(&arena, path, &read)));

	cr_assert_str_eq(read.title, report.title);
	cr_assert_eq(read.n_processes, 1);
	cr_assert_eq(read.n_steps, 3);
	for (size_t i = 0; i < 3; i++)
		want_same_step(&read.steps[i], &report.steps[i]);
}

Test(load_report, refuses_files_that_are_none)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"sluice_load\": 2}",
		"{\"sluice_load\": 1, \"title\": \"t\", \"processes\": 1, \"steps\": []}",
		"{\"sluice_load\": 1, \"title\": \"t\", \"processes\": 1, \"steps\": [{\"rate\": "
		"-}]}",
		"{\"sluice_load\": 1, \"title\": \"t\", \"processes\": 1, \"steps\": [{\"rate\": "
		"1}]}",
		"{\"sluice_load\": 1, \"title\": \"t\", \"processes\": -1, \"steps\": [{}]}",
	};
	const char *path = arena_printf(&arena, "%s/r.json", scratch.path);
	struct load_report read;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *out = fopen(path, "we");

		cr_assert_not_null(out);
		fputs(texts[i], out);
		fclose(out);
		cr_assert_eq(load_json_read(&arena, path, &read).code, STATUS_INVALID_ARGUMENT,
			     "%s", texts[i]);
	}
}

Test(load_report, of_shards_adds_up)
{
	static const double rates[] = {100, 200};
	struct load_report report = make_report(rates, 2), part = make_report(rates, 2);
	struct load_step *step = &report.steps[1];

	part.steps[1].server.cpu_seconds = 0.75;
	part.steps[1].idle_share = 0.25;
	part.steps[1].client_busiest_share = 0.5;
	cr_assert(!status_failed(load_report_merge(&arena, &report, &part)));

	cr_assert_eq(report.n_processes, 2);
	cr_assert_eq(step->rate, 400);
	cr_assert_eq(step->in_flight, 8);
	cr_assert_eq(load_step_arrivals(step), 402);
	cr_assert_eq(load_step_unsent(step), 2);
	cr_assert_eq(load_step_ended(step, STATUS_OK), 398);
	cr_assert_eq(load_step_ended(step, STATUS_RESOURCE_EXHAUSTED), 2);
	cr_assert_eq(step->kinds[LOAD_SEARCH].latency.n, 398);
	cr_assert_eq(step->seconds, 2);
	cr_assert_float_eq(load_step_goodput(step), 199, 1e-9);
	/* One server, seen by both; two harnesses. */
	cr_assert_float_eq(load_step_cpu_us(step), 0.75e6 / 400, 1e-6);
	cr_assert_eq(step->client_cpu_seconds, 0.25);
	cr_assert_eq(step->client_busiest_share, 0.5);
	cr_assert_eq(step->idle_share, 0.25);
}

Test(load_report, of_another_run_is_not_merged)
{
	static const double rates[] = {100, 200};
	struct load_report report = make_report(rates, 2), part = make_report(rates, 1);

	cr_assert_eq(load_report_merge(&arena, &report, &part).code, STATUS_INVALID_ARGUMENT);
	part = make_report(rates, 2);
	snprintf(part.title, sizeof part.title, "other");
	cr_assert_eq(load_report_merge(&arena, &report, &part).code, STATUS_INVALID_ARGUMENT);
}

Test(load_report, says_when_its_figures_are_the_harness_s_own)
{
	static const double rates[] = {100};
	struct load_report report = make_report(rates, 1);
	struct load_step *step = report.steps;
	char text[160];

	cr_assert_null(load_step_doubt(step, text, sizeof text));
	step->idle_share = 0.01;
	cr_assert_not_null(strstr(load_step_doubt(step, text, sizeof text), "idle"));
	load_histogram_add(&step->lateness, 50000000, 10);
	cr_assert_not_null(strstr(load_step_doubt(step, text, sizeof text), "late"));
	step->client_busiest_share = 0.95;
	cr_assert_not_null(strstr(load_step_doubt(step, text, sizeof text), "bottleneck"));
	/* One process more would want what is not there. */
	cr_assert_null(strstr(text, "--shard"));
	step->idle_share = 0.5;
	cr_assert_not_null(strstr(load_step_doubt(step, text, sizeof text), "--shard"));
	step->rate = 0;
	cr_assert_not_null(strstr(load_step_doubt(step, text, sizeof text), "bottleneck"));
}

/* A new picture is looked at, and then kept: LOAD_SVG_OUT names where to write it. */
Test(load_report, has_the_picture_that_was_looked_at)
{
	static const double rates[] = {0, 100, 200, 400, 800};
	struct load_report report = make_report(rates, 5);
	struct buffer picture = {0};
	static char wanted[65536];
	FILE *in = fopen(getenv("LOAD_SVG"), "re");
	size_t size;

	report.steps[4].ok_in_window = 700;
	cr_assert_not_null(in);
	size = fread(wanted, 1, sizeof wanted, in);
	fclose(in);
	load_svg_print(&picture, &report);
	if (getenv("LOAD_SVG_OUT")) {
		FILE *out = fopen(getenv("LOAD_SVG_OUT"), "we");

		cr_assert_not_null(out);
		fwrite(picture.data, 1, picture.size, out);
		fclose(out);
	}

	cr_assert(!picture.failed);
	cr_assert_eq(picture.size, size);
	cr_assert_arr_eq(picture.data, wanted, size);
	buffer_finish(&picture);
}

Test(load_report, has_a_picture_without_a_rate_too)
{
	static const double rates[] = {0};
	struct load_report report = make_report(rates, 1);
	struct buffer picture = {0};

	load_svg_print(&picture, &report);
	cr_assert(!picture.failed);
	cr_assert_gt(picture.size, 100);
	buffer_finish(&picture);
}

static size_t count_text(const struct buffer *in, const char *text)
{
	size_t n = 0, size = strlen(text);

	for (size_t i = 0; i + size <= in->size; i++)
		n += memcmp(in->data + i, text, size) == 0;
	return n;
}

/* Rounds of the same loads are one line from load to load. */
Test(load_report, has_a_point_in_the_picture_for_each_rate)
{
	static const double rates[] = {0, 100, 200, 0, 100, 200};
	struct load_report once = make_report(rates, 3), twice = make_report(rates, 6);
	struct buffer wanted = {0}, picture = {0};

	load_svg_print(&wanted, &once);
	load_svg_print(&picture, &twice);
	cr_assert(!picture.failed);
	cr_assert_gt(count_text(&picture, ","), 0);
	cr_assert_eq(count_text(&picture, ","), count_text(&wanted, ","));
	buffer_finish(&wanted);
	buffer_finish(&picture);
}

/* The peak and what is left of it are medians: one slow round says nothing. */
Test(load_report, compares_the_medians_of_rounds)
{
	static const double rates[] = {0, 100, 300, 0, 100, 300, 0, 100, 300};
	static const uint64_t ok[] = {900, 1000, 800, 1400, 1000, 100, 950, 1002, 810};
	struct load_report report = make_report(rates, 9);
	char text[1024] = {0};
	FILE *out = fmemopen(text, sizeof text, "w");

	cr_assert_not_null(out);
	for (size_t i = 0; i < report.n_steps; i++) {
		report.steps[i].ok_in_window = ok[i];
		report.steps[i].seconds = 1;
	}
	load_table_overload(out, &report, 3);
	fclose(out);
	cr_assert_not_null(
		strstr(text,
		       "median of 3: 950.0/s of a closed loop, 1000.0/s at 100, 800.0/s at 300\n"),
		"%s", text);
	cr_assert_not_null(strstr(text, "at 300/s offered: 800.0/s, 80.0% of its peak 1000.0/s\n"),
			   "%s", text);
}
