/* calibration_chart - recall upwards from the least that was measured, the rows that it takes to the right,
 * by powers of ten. Units are those of the picture, one for a pixel where there is room.
 */
#include "service/telemetry/calibration_chart.h"

#include "service/telemetry/exposition.h"
#include "service/telemetry/html.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 360
#define HEIGHT 250
/* Where the curves are, within. */
#define LEFT 46
#define RIGHT 14
#define TOP 34
#define BOTTOM 44

/* Told apart by form too: dots, squares, diamonds. */
static const char *const colours[CALIBRATION_CURVES_MAX] = {"#1f6fb2", "#b4530a", "#3d7d2c"};
static const char *const dashes[CALIBRATION_CURVES_MAX] = {"none", "7 3", "2 3"};

/* What the axes show. */
struct axes {
	double decade;     /* the least power of ten */
	double recall_low; /* up to 1 */
};

static double x_of(const struct axes *axes, double share)
{
	double along = (log10(share > 1e-9 ? share : 1e-9) - axes->decade) / -axes->decade;

	return LEFT + (along > 0 ? along : 0) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct axes *axes, double recall)
{
	double up = (recall - axes->recall_low) / (1 - axes->recall_low);

	return HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM);
}

static struct axes axes_of(const struct calibration *calibration)
{
	double share = 0.1, recall = 0.8;

	for (size_t i = 0; i < CALIBRATION_CURVES_MAX; i++) {
		const struct calibration_curve *curve = &calibration->curves[i];

		for (size_t j = 0; j < curve->n; j++) {
			share = fmin(share, (double)curve->points[j].share);
			recall = fmin(recall, (double)curve->points[j].recall);
		}
	}
	return (struct axes){
		.decade = fmax(floor(log10(share > 1e-6 ? share : 1e-6)), -6),
		.recall_low = fmax(floor(recall * 10 + 1e-6) / 10, 0),
	};
}

/* --- the frame --- */

static void print_text(struct buffer *out, double x, double y, const char *anchor, const char *text)
{
	buffer_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
		      anchor, text);
}

static void print_share_lines(struct buffer *out, const struct axes *axes)
{
	for (int decade = (int)axes->decade; decade <= 0; decade++) {
		double x = x_of(axes, pow(10, decade));
		char label[32];

		buffer_printf(out, "<path class=\"g\" d=\"M%.1f %dV%d\"/>\n", x, TOP,
			      HEIGHT - BOTTOM);
		snprintf(label, sizeof label, "%.*f%%", decade < -2 ? -decade - 2 : 0,
			 100 * pow(10, decade));
		/* The last one would stand beyond the picture. */
		print_text(out, decade ? x : WIDTH - 2, HEIGHT - BOTTOM + 17,
			   decade ? "middle" : "end", label);
	}
}

static void print_recall_lines(struct buffer *out, const struct axes *axes)
{
	double step = axes->recall_low < 0.69 ? 0.1 : 0.05;

	for (double recall = axes->recall_low; recall < 1 + step / 2; recall += step) {
		double y = y_of(axes, recall);
		char label[16];

		buffer_printf(out, "<path class=\"g\" d=\"M%d %.1fH%d\"/>\n", LEFT, y,
			      WIDTH - RIGHT);
		snprintf(label, sizeof label, "%.2f", recall);
		print_text(out, LEFT - 6, y + 4, "end", label);
	}
}

static void print_frame(struct buffer *out, const struct calibration *calibration,
			const struct axes *axes)
{
	print_share_lines(out, axes);
	print_recall_lines(out, axes);
	print_text(out, LEFT + (WIDTH - LEFT - RIGHT) / 2.0, HEIGHT - 8, "middle",
		   calibration->candidates ? "share of rows that are candidates"
					   : "share of rows that are read");
}

/* --- the curves --- */

static void print_mark(struct buffer *out, size_t form, double x, double y)
{
	switch (form) {
	case 0:
		buffer_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\">", x, y);
		break;
	case 1:
		buffer_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"6\">", x - 3,
			      y - 3);
		break;
	default:
		buffer_printf(out, "<path d=\"M%.1f %.1fl4 4-4 4-4-4z\">", x, y - 4);
		break;
	}
}

static const char *mark_end(size_t form)
{
	static const char *const ends[] = {"</circle>", "</rect>", "</path>"};

	return ends[form < 2 ? form : 2];
}

static void print_curve(struct buffer *out, const struct axes *axes,
			const struct calibration_curve *curve, size_t i)
{
	buffer_printf(out, "<g fill=\"%s\"><path d=\"", colours[i]);
	for (size_t j = 0; j < curve->n; j++)
		buffer_printf(out, "%s%.1f %.1f", j ? "L" : "M",
			      x_of(axes, (double)curve->points[j].share),
			      y_of(axes, (double)curve->points[j].recall));
	buffer_printf(out,
		      "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
		      "stroke-dasharray=\"%s\"/>\n",
		      colours[i], dashes[i]);
	for (size_t j = 0; j < curve->n; j++) {
		double share = (double)curve->points[j].share;
		double recall = (double)curve->points[j].recall;

		print_mark(out, i, x_of(axes, share), y_of(axes, recall));
		buffer_printf(out, "<title>top %u: recall %.3f at %.3g%% of the rows</title>%s\n",
			      curve->depth, recall, 100 * share, mark_end(i));
	}
	buffer_printf(out, "</g>\n");
}

/* Above the curves, where nothing else is. */
static void print_legend(struct buffer *out, const struct calibration *calibration)
{
	double x = LEFT, y = 14;

	for (size_t i = 0; i < CALIBRATION_CURVES_MAX; i++) {
		const struct calibration_curve *curve = &calibration->curves[i];
		char label[40];

		if (!curve->n)
			continue;
		buffer_printf(out,
			      "<g fill=\"%s\"><path d=\"M%.1f %.1fh24\" fill=\"none\" "
			      "stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>",
			      colours[i], x, y, colours[i], dashes[i]);
		print_mark(out, i, x + 12, y);
		buffer_printf(out, "%s</g>\n", mark_end(i));
		snprintf(label, sizeof label, "top %u", curve->depth);
		print_text(out, x + 30, y + 4, "start", label);
		x += 98;
	}
}

/* --- the figure --- */

static void print_table(struct buffer *out, const struct calibration *calibration)
{
	buffer_printf(out, "<details><summary>in numbers</summary><div class=\"scroll\"><table>"
			   "<tr><th>hits</th><th>recall</th><th>rows</th></tr>\n");
	for (size_t i = 0; i < CALIBRATION_CURVES_MAX; i++) {
		const struct calibration_curve *curve = &calibration->curves[i];

		for (size_t j = 0; j < curve->n; j++) {
			buffer_printf(out, "<tr>");
			html_cell_number(out, curve->depth);
			buffer_printf(out, "<td>%.3f</td><td>%.3f%%</td></tr>\n",
				      (double)curve->points[j].recall,
				      100 * (double)curve->points[j].share);
		}
	}
	buffer_printf(out, "</table></div></details>\n");
}

void calibration_chart_print(const char *collection,
			     const struct collection_calibration *calibration, struct buffer *out)
{
	const struct calibration *measured = &calibration->measured;
	const struct axes axes = axes_of(measured);

	buffer_printf(out, "<figure><figcaption><b>");
	html_text(out, collection);
	buffer_printf(out, "</b> ");
	html_text(out, calibration->name);
	buffer_printf(out, ", ");
	html_number(out, calibration->n_rows);
	buffer_printf(out, " rows; %u of %u segments indexed</figcaption>\n",
		      calibration->n_indexed, calibration->n_segments);
	buffer_printf(out,
		      "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"recall by the share of "
		      "rows\">\n",
		      WIDTH, HEIGHT);
	print_frame(out, measured, &axes);
	for (size_t i = 0; i < CALIBRATION_CURVES_MAX; i++)
		if (measured->curves[i].n)
			print_curve(out, &axes, &measured->curves[i], i);
	print_legend(out, measured);
	buffer_printf(out, "</svg>\n");
	print_table(out, measured);
	buffer_printf(out, "</figure>\n");
}
