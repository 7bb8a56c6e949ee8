/* exposition - lines of text. */
#include "service/telemetry/exposition.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 4000

const char *family_kind_name(enum family_kind kind)
{
	static const char *const names[] = {"counter", "gauge", "histogram"};

	return names[kind];
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (n > 0)
		buffer_append(buffer, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void exposition_begin(struct exposition *exposition, const char *name, enum family_kind kind,
		      const char *help)
{
	exposition->name = name;
	buffer_printf(exposition->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		      family_kind_name(kind));
}

static void name_print(struct exposition *exposition, const char *labels)
{
	buffer_printf(exposition->out, *labels ? "%s{%s} " : "%s%s ", exposition->name, labels);
}

void exposition_count(struct exposition *exposition, const char *labels, uint64_t value)
{
	name_print(exposition, labels);
	buffer_printf(exposition->out, "%llu\n", (unsigned long long)value);
}

void exposition_number(struct exposition *exposition, const char *labels, double value)
{
	name_print(exposition, labels);
	buffer_printf(exposition->out, "%.15g\n", value);
}

void exposition_histogram(struct exposition *exposition, const char *labels,
			  const struct histogram_reading *reading)
{
	const char *name = exposition->name, *comma = *labels ? "," : "";
	const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
	unsigned long long sum = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		sum += reading->counts[i];
		buffer_printf(exposition->out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels,
			      comma, (double)histogram_bounds_ns[i] / 1e9, sum);
	}
	sum += reading->counts[HISTOGRAM_BOUNDS];
	buffer_printf(exposition->out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
		      sum);
	buffer_printf(exposition->out, "%s_sum%s%s%s %.15g\n", name, open, labels, close,
		      (double)reading->sum_ns / 1e9);
	buffer_printf(exposition->out, "%s_count%s%s%s %llu\n", name, open, labels, close, sum);
}

void exposition_escape(char *ret, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 3 < size; text++) {
		if (*text == '"' || *text == '\\' || *text == '\n')
			ret[n++] = '\\';
		ret[n++] = *text;
		if (*text == '\n')
			ret[n - 1] = 'n';
	}
	ret[n] = 0;
}
