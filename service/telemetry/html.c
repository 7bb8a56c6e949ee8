/* html - by hand, onto a buffer. */
#include "service/telemetry/html.h"

#include "service/count_format.h"
#include "service/telemetry/exposition.h"

void html_text(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			buffer_append(out, "&lt;", 4);
			break;
		case '>':
			buffer_append(out, "&gt;", 4);
			break;
		case '&':
			buffer_append(out, "&amp;", 5);
			break;
		case '"':
			buffer_append(out, "&quot;", 6);
			break;
		case '\'':
			buffer_append(out, "&#39;", 5);
			break;
		default:
			buffer_append(out, text, 1);
			break;
		}
	}
}

double histogram_quantile(const struct histogram_reading *reading, double share)
{
	double wanted = share * (double)reading->n, before = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		double here = (double)reading->counts[i];
		double low = i ? (double)histogram_bounds_ns[i - 1] : 0;

		if (here > 0 && before + here >= wanted)
			return (low +
				(wanted - before) / here * ((double)histogram_bounds_ns[i] - low)) /
			       1e9;
		before += here;
	}
	return reading->n ? (double)histogram_bounds_ns[HISTOGRAM_BOUNDS - 1] / 1e9 : 0;
}

void html_number(struct buffer *out, uint64_t number)
{
	buffer_printf(out, "%s", count_format(number).text);
}

void html_bytes(struct buffer *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1024 && i < 4; i++)
		value /= 1024;
	buffer_printf(out, value < 10 && i ? "%.1f %s" : "%.0f %s", value, units[i]);
}

void html_seconds(struct buffer *out, double seconds)
{
	if (seconds < 1e-3)
		buffer_printf(out, "%.0f &micro;s", seconds * 1e6);
	else if (seconds < 1)
		buffer_printf(out, "%.3g ms", seconds * 1e3);
	else if (seconds < 120)
		buffer_printf(out, "%.3g s", seconds);
	else if (seconds < 7200)
		buffer_printf(out, "%.0f min", seconds / 60);
	else if (seconds < 172800)
		buffer_printf(out, "%.1f h", seconds / 3600);
	else
		buffer_printf(out, "%.0f days", seconds / 86400);
}

void html_cell_text(struct buffer *out, const char *text)
{
	buffer_printf(out, "<td class=\"t\">");
	html_text(out, text);
	buffer_printf(out, "</td>");
}

void html_cell_number(struct buffer *out, uint64_t number)
{
	buffer_printf(out, "<td>");
	html_number(out, number);
	buffer_printf(out, "</td>");
}

void html_cell_bytes(struct buffer *out, uint64_t bytes)
{
	buffer_printf(out, "<td>");
	html_bytes(out, bytes);
	buffer_printf(out, "</td>");
}

void html_cell_seconds(struct buffer *out, double seconds)
{
	buffer_printf(out, "<td>");
	html_seconds(out, seconds);
	buffer_printf(out, "</td>");
}

void html_cell_share(struct buffer *out, double share)
{
	buffer_printf(out,
		      "<td>%.0f%%</td><td class=\"bar\"><span class=\"b\" "
		      "style=\"width:%.1f%%\"></span></td>",
		      100 * share, 100 * share);
}

/* How many, the mean, and two quantiles. */
void html_cells_times(struct buffer *out, const struct histogram_reading *reading)
{
	html_cell_number(out, reading->n);
	if (!reading->n) {
		buffer_printf(out, "<td>-</td><td>-</td><td>-</td>");
		return;
	}
	html_cell_seconds(out, (double)reading->sum_ns / (double)reading->n / 1e9);
	html_cell_seconds(out, histogram_quantile(reading, 0.5));
	html_cell_seconds(out, histogram_quantile(reading, 0.99));
}
