/* load_svg - offered load to the right, milliseconds upwards, by powers of ten. */
#include "service/cli/load_svg.h"

#include "kernels/base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { WIDTH = 720, HEIGHT = 420, LEFT = 70, RIGHT = 120, TOP = 50, BOTTOM = 60, LINE_HEIGHT = 14 };

static const struct series {
	const char *name, *colour;
	double share;
} all_series[] = {
	{"p50", "#1b6ca8", 0.5},
	{"p99", "#d1701f", 0.99},
	{"p99.9", "#a8261b", 0.999},
};

#define N_SERIES (sizeof all_series / sizeof *all_series)

struct chart {
	struct buffer *out;
	const struct load_report *report;
	double rate_max, label_y; /* of the last series' name */
	int low, high;            /* powers of ten of a millisecond */
	/* Of what step_at gave last: */
	struct load_histogram latency;
	double goodput;
};

static void __attribute__((format(printf, 2, 3))) print(struct buffer *out, const char *format, ...)
{
	char line[512];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (size > 0)
		buffer_append(out, line,
			      (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

static void print_text(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		const char *escape = *text == '&'   ? "&amp;"
				     : *text == '<' ? "&lt;"
				     : *text == '>' ? "&gt;"
						    : NULL;

		buffer_append(out, escape ? escape : text, escape ? strlen(escape) : 1);
	}
}

static double x_of(const struct chart *chart, double rate)
{
	return LEFT + rate / chart->rate_max * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct chart *chart, double milliseconds)
{
	double power = log10(fmax(milliseconds, pow(10, chart->low)));

	return HEIGHT - BOTTOM -
	       (power - chart->low) / (chart->high - chart->low) * (HEIGHT - TOP - BOTTOM);
}

/* A load that is in the picture: the first step of its rate, with what all of them have seen. */
static const struct load_step *step_at(struct chart *chart, size_t i)
{
	const struct load_step *steps = chart->report->steps;
	double rate = steps[i].rate;
	size_t n = 0;

	if (rate <= 0)
		return NULL;
	for (size_t j = 0; j < i; j++)
		if (steps[j].rate == rate)
			return NULL;
	load_step_latency(&steps[i], &chart->latency);
	chart->goodput = 0;
	for (size_t j = i; j < chart->report->n_steps; j++) {
		static struct load_histogram latency; /* large */

		if (steps[j].rate != rate)
			continue;
		chart->goodput += load_step_goodput(&steps[j]);
		n++;
		if (j == i)
			continue;
		load_step_latency(&steps[j], &latency);
		load_histogram_merge(&chart->latency, &latency);
	}
	chart->goodput /= (double)n;
	return chart->latency.n ? &steps[i] : NULL;
}

static void measure(struct chart *chart)
{
	double low = INFINITY, high = 0;

	for (size_t i = 0; i < chart->report->n_steps; i++) {
		const struct load_step *step = step_at(chart, i);

		if (!step)
			continue;
		chart->rate_max = fmax(chart->rate_max, step->rate);
		low = fmin(low, (double)load_histogram_at(&chart->latency, 0.5) * 1e-6);
		high = fmax(high, (double)load_histogram_at(&chart->latency, 0.999) * 1e-6);
	}
	if (chart->rate_max <= 0 || low <= 0) {
		chart->rate_max = 1;
		low = high = 1;
	}
	chart->low = (int)floor(log10(low));
	chart->high = (int)ceil(log10(high));
	if (chart->high <= chart->low)
		chart->high = chart->low + 1;
}

/* A step of 1, 2 or 5 times a power of ten, at most eight of which are below the highest rate. */
static double round_step(double rate_max)
{
	double power = pow(10, floor(log10(rate_max / 8)));

	while (rate_max / power > 8) {
		if (rate_max / (power * 2) <= 8)
			return power * 2;
		if (rate_max / (power * 5) <= 8)
			return power * 5;
		power *= 10;
	}
	return power;
}

static void print_grid(struct chart *chart)
{
	struct buffer *out = chart->out;
	double step = round_step(chart->rate_max);

	for (int power = chart->low; power <= chart->high; power++) {
		double y = y_of(chart, pow(10, power));

		print(out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
		      LEFT, y, WIDTH - RIGHT, y);
		print(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 8,
		      y + 4, pow(10, power));
	}
	for (int i = 0; step * i <= chart->rate_max; i++)
		print(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
		      x_of(chart, step * i), HEIGHT - BOTTOM + 20, step * i);
	print(out,
	      "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">calls a second, offered</text>\n",
	      LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 14);
	print(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">ms</text>\n", LEFT - 8, TOP - 14);
}

static void print_series(struct chart *chart, const struct series *series)
{
	struct buffer *out = chart->out;
	double x = 0, y = 0;

	print(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
	      series->colour);
	for (size_t i = 0; i < chart->report->n_steps; i++) {
		const struct load_step *step = step_at(chart, i);

		if (!step)
			continue;
		x = x_of(chart, step->rate);
		y = y_of(chart, (double)load_histogram_at(&chart->latency, series->share) * 1e-6);
		print(out, "%.1f,%.1f ", x, y);
	}
	print(out, "\"/>\n");
	if (x <= 0)
		return;
	/* Names do not cover each other; higher percentiles stand higher. */
	chart->label_y = fmin(y + 4, chart->label_y - LINE_HEIGHT);
	print(out, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", x + 8, chart->label_y,
	      series->colour, series->name);
}

/* Where less than all was answered, how much was. */
static void print_answered(struct chart *chart)
{
	for (size_t i = 0; i < chart->report->n_steps; i++) {
		const struct load_step *step = step_at(chart, i);
		double share = step ? chart->goodput / step->rate : 1;

		if (share < 0.99)
			print(chart->out,
			      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" "
			      "fill=\"#666\">%.0f%% "
			      "OK</text>\n",
			      x_of(chart, step->rate), TOP - 10, share * 100);
	}
}

void load_svg_print(struct buffer *ret, const struct load_report *report)
{
	struct chart chart = {.out = ret, .report = report, .label_y = HEIGHT};

	measure(&chart);
	print(ret,
	      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 "
	      "%d "
	      "%d\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n"
	      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
	      "<text x=\"%d\" y=\"20\" font-size=\"14\">",
	      WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
	print_text(ret, report->title);
	print(ret, "</text>\n");
	print_grid(&chart);
	for (size_t i = 0; i < N_SERIES; i++)
		print_series(&chart, &all_series[i]);
	print_answered(&chart);
	print(ret, "</svg>\n");
}

status load_svg_write(struct arena *arena, const char *path, const struct load_report *report)
{
	struct buffer memory = {0};
	SCOPED(buffer) text = &memory;
	FILE *out;
	int failed = 0;

	load_svg_print(text, report);
	if (text->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a picture");
	out = fopen(path, "we");
	if (!out)
		failed = errno;
	if (out && fwrite(text->data, 1, text->size, out) != text->size)
		failed = errno;
	if (out && fclose(out) != 0 && !failed)
		failed = errno;
	if (failed)
		return status_format(arena, STATUS_UNAVAILABLE, "cannot write %s: %s", path,
				     strerror(failed));
	return status_ok();
}
