/* metrics - a reader of the text format, line by line, that trusts nothing. */
#include "tests/service/telemetry/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 200
#define LINE_MAX_BYTES 4096
#define FAMILIES_MAX 500

struct family {
	char name[NAME_MAX_BYTES], type[16];
	bool helped;
	size_t n_samples;
	/* Of the series of a histogram in hand. */
	double bucket, le;
};

struct lint {
	struct family families[FAMILIES_MAX];
	size_t n_families;
	char **seen; /* [n_seen] series, each owned */
	size_t n_seen;
	size_t line;
	char *ret;
	size_t size;
};

static bool object(struct lint *lint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* False, so that it can be returned. */
static bool object(struct lint *lint, const char *format, ...)
{
	va_list args;
	int n = snprintf(lint->ret, lint->size, "line %zu: ", lint->line);

	va_start(args, format);
	vsnprintf(lint->ret + n, lint->size - (size_t)n, format, args);
	va_end(args);
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) &&
		    *name != '_')
			return false;
	return true;
}

/* Units that are no base units, as words of a name. */
static const char *wrong_unit(const char *name)
{
	static const char *const units[] = {"milliseconds", "ms",  "microseconds", "us",
					    "nanoseconds",  "ns",  "minutes",      "hours",
					    "kilobytes",    "kb",  "megabytes",    "mb",
					    "kib",          "mib", "percent",      "bits"};
	char words[NAME_MAX_BYTES];
	char *rest = words;

	snprintf(words, sizeof words, "%s", name);
	for (char *word; (word = strsep(&rest, "_"));)
		for (size_t i = 0; i < sizeof units / sizeof *units; i++)
			if (strcmp(word, units[i]) == 0)
				return units[i];
	return NULL;
}

static bool check_name(struct lint *lint, const struct family *family)
{
	const char *name = family->name, *type = family->type, *unit = wrong_unit(name);
	bool counter = strcmp(type, "counter") == 0;

	if (!is_name(name))
		return object(lint, "%s is no name", name);
	if (counter != ends_with(name, "_total"))
		return object(lint, "%s: a counter ends with _total and nothing else does", name);
	if (unit)
		return object(lint, "%s: %s is no base unit", name, unit);
	if (strcmp(type, "histogram") == 0 && !ends_with(name, "_seconds") &&
	    !ends_with(name, "_bytes"))
		return object(lint, "%s: a histogram has a unit", name);
	if (ends_with(name, "_bucket") || ends_with(name, "_count") || ends_with(name, "_sum"))
		return object(lint, "%s ends as a part of a histogram does", name);
	if (strstr(name, "counter") || strstr(name, "gauge") || strstr(name, "histogram"))
		return object(lint, "%s has its type in its name", name);
	return true;
}

static bool take_comment(struct lint *lint, const char *line)
{
	char what[8], name[NAME_MAX_BYTES];
	int at = 0;
	struct family *last = lint->n_families ? &lint->families[lint->n_families - 1] : NULL;

	if (sscanf(line, "# %7s %199s %n", what, name, &at) != 2 || !line[at])
		return object(lint, "a comment that is neither HELP nor TYPE, or empty");
	if (strcmp(what, "HELP") == 0) {
		for (size_t i = 0; i < lint->n_families; i++)
			if (strcmp(lint->families[i].name, name) == 0)
				return object(lint, "%s comes twice", name);
		if (last && !last->type[0])
			return object(lint, "%s has no TYPE", last->name);
		last = &lint->families[lint->n_families++];
		*last = (struct family){.helped = true};
		snprintf(last->name, sizeof last->name, "%s", name);
		return true;
	}
	if (strcmp(what, "TYPE") != 0 || !last || strcmp(last->name, name) != 0 || last->type[0])
		return object(lint, "%s: TYPE without its HELP before it", name);
	snprintf(last->type, sizeof last->type, "%s", line + at);
	if (strcmp(last->type, "counter") != 0 && strcmp(last->type, "gauge") != 0 &&
	    strcmp(last->type, "histogram") != 0)
		return object(lint, "%s: no type", last->type);
	return check_name(lint, last);
}

/* {name="value",...} from its brace to behind it; NULL: it is none. */
static const char *labels_end(const char *at)
{
	if (*at++ != '{')
		return NULL;
	for (;;) {
		size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");

		if (!n || isdigit((unsigned char)*at) || at[n] != '=' || at[n + 1] != '"')
			return NULL;
		at += n + 2;
		for (; *at && *at != '"'; at++)
			if (*at == '\\' && !*++at)
				return NULL;
		if (*at++ != '"')
			return NULL;
		if (*at == '}')
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

static bool is_new(struct lint *lint, const char *series)
{
	for (size_t i = 0; i < lint->n_seen; i++)
		if (strcmp(lint->seen[i], series) == 0)
			return false;
	lint->seen = reallocarray(lint->seen, lint->n_seen + 1, sizeof *lint->seen);
	lint->seen[lint->n_seen++] = strdup(series);
	return true;
}

/* Buckets grow in bound and count, and the last one is the count. */
static bool take_part(struct lint *lint, struct family *family, const char *part,
		      const char *series, double value)
{
	const char *le = strstr(series, "le=\"");
	double bound;

	if (strcmp(part, "_sum") == 0)
		return true;
	if (strcmp(part, "_count") == 0)
		return value == family->bucket && isinf(family->le)
			       ? true
			       : object(lint, "%s: the count is not the last bucket", series);
	if (strcmp(part, "_bucket") != 0 || !le)
		return object(lint, "%s: no part of a histogram", series);
	bound = strtod(le + 4, NULL);
	/* A new series begins after the end of the one before. */
	if (family->n_samples > 0 && !isinf(family->le) &&
	    (bound <= family->le || value < family->bucket))
		return object(lint, "%s: buckets do not grow", series);
	family->le = bound;
	family->bucket = value;
	family->n_samples++;
	return true;
}

static bool take_sample(struct lint *lint, const char *line)
{
	size_t n = strcspn(line, "{ ");
	const char *end = line[n] == '{' ? labels_end(line + n) : line + n;
	struct family *family = lint->n_families ? &lint->families[lint->n_families - 1] : NULL;
	size_t own = family ? strlen(family->name) : 0;
	char series[LINE_MAX_BYTES], part[NAME_MAX_BYTES];
	char *number_end;
	double value;

	if (!end || *end != ' ')
		return object(lint, "no sample: %s", line);
	value = strtod(end + 1, &number_end);
	if (number_end == end + 1 || *number_end)
		return object(lint, "no number: %s", line);
	if (!family || !family->type[0] || strncmp(line, family->name, own) != 0)
		return object(lint, "a sample of no family, or not behind its TYPE: %s", line);
	snprintf(series, sizeof series, "%.*s", (int)(end - line), line);
	snprintf(part, sizeof part, "%.*s", (int)(n - own), line + own);
	if (!is_new(lint, series))
		return object(lint, "%s comes twice", series);
	if (value < 0)
		return object(lint, "%s is below zero", series);
	if (strcmp(family->type, "histogram") == 0)
		return take_part(lint, family, part, series, value);
	return part[0] ? object(lint, "%s: of another family", series) : true;
}

void metrics_lint(const char *text, char *ret, size_t size)
{
	struct lint *lint = calloc(1, sizeof *lint);
	bool good = true;

	lint->ret = ret;
	lint->size = size;
	*ret = 0;
	while (good && *text) {
		size_t n = strcspn(text, "\n");
		char line[LINE_MAX_BYTES];

		lint->line++;
		snprintf(line, sizeof line, "%.*s", (int)n, text);
		if (text[n] != '\n' || n >= sizeof line)
			good = object(lint, "it does not end, or is too long");
		else if (line[0] == '#')
			good = take_comment(lint, line);
		else
			good = take_sample(lint, line);
		text += n + 1;
	}
	for (size_t i = 0; i < lint->n_seen; i++)
		free(lint->seen[i]);
	free(lint->seen);
	free(lint);
}

double metrics_value(const char *text, const char *series)
{
	size_t n = strlen(series);

	for (const char *at = text; (at = strstr(at, series)); at += n)
		if ((at == text || at[-1] == '\n') && at[n] == ' ')
			return strtod(at + n, NULL);
	return -1;
}

char *metrics_series(const char *text, const char *without)
{
	char *all = calloc(1, strlen(text) + 1);
	size_t m = 0;

	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[LINE_MAX_BYTES];

		snprintf(line, sizeof line, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
		if (line[0] == '#' || strstr(line, without))
			continue;
		*strrchr(line, ' ') = '\n';
		n = strcspn(line, "\n") + 1;
		memcpy(all + m, line, n);
		m += n;
	}
	return all;
}
