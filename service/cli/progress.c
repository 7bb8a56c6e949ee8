/* progress - one line that is drawn over itself. */
#include "service/cli/progress.h"

#include "kernels/base/deadline.h"
#include "service/cli/words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_CELLS 24
#define PICTURE_NS 100000000
#define LINE_COLUMNS 78

status progress_start(struct progress *progress, struct arguments *arguments)
{
	const char *when = arguments_value(arguments, "progress");

	*progress = (struct progress){.start_ns = clock_ns()};
	if (!when || strcmp(when, "auto") == 0)
		progress->shown = isatty(STDERR_FILENO);
	else if (strcmp(when, "always") == 0)
		progress->shown = true;
	else if (strcmp(when, "never") != 0)
		return arguments_misuse(
			arguments, "--progress must be always, never or auto, not \"%.64s\"", when);
	return status_ok();
}

double progress_seconds(const struct progress *progress)
{
	return (double)(clock_ns() - progress->start_ns) * 1e-9;
}

static void left_print(char *ret, size_t size, double seconds)
{
	unsigned long long left = (unsigned long long)(seconds + 0.5);

	if (left >= 3600)
		snprintf(ret, size, "%llu h %llu min", left / 3600, left / 60 % 60);
	else if (left >= 60)
		snprintf(ret, size, "%llu min %llu s", left / 60, left % 60);
	else
		snprintf(ret, size, "%llu s", left);
}

/* cells  room for BAR_CELLS and an end. */
static void bar_print(char *cells, double share)
{
	memset(cells, ' ', BAR_CELLS);
	memset(cells, '#', (size_t)(share * BAR_CELLS));
	cells[BAR_CELLS] = '\0';
}

void progress_line(char *ret, size_t size, uint64_t chunks, double share, double seconds)
{
	double rate = seconds > 0 ? (double)chunks / seconds : 0;
	char bar[BAR_CELLS + 1], left[48];

	if (share < 0) {
		snprintf(ret, size, "%s chunks  %s/s", count_format(chunks).text,
			 count_format((uint64_t)rate).text);
		return;
	}
	if (share > 1)
		share = 1;
	bar_print(bar, share);
	if (share > 0)
		left_print(left, sizeof left, seconds / share * (1 - share));
	else
		snprintf(left, sizeof left, "?");
	snprintf(ret, size, "[%s] %3d%%  %s chunks  %s/s  %s left", bar, (int)(share * 100),
		 count_format(chunks).text, count_format((uint64_t)rate).text, left);
}

/* Whether it is time for the next picture. */
static bool is_due(struct progress *progress)
{
	int64_t now_ns = clock_ns();

	if (!progress->shown || now_ns < progress->next_ns)
		return false;
	progress->next_ns = now_ns + PICTURE_NS;
	return true;
}

static void draw(struct progress *progress, const char *line)
{
	progress->drawn = true;
	fprintf(stderr, "\r%-*s", LINE_COLUMNS, line);
	fflush(stderr);
}

void progress_show(struct progress *progress, uint64_t chunks, double share)
{
	char line[160];

	if (!is_due(progress))
		return;
	progress_line(line, sizeof line, chunks, share, progress_seconds(progress));
	draw(progress, line);
}

void progress_show_part(struct progress *progress, const char *word, double share)
{
	char bar[BAR_CELLS + 1], line[160];

	if (strcmp(progress->word, word) != 0) {
		snprintf(progress->word, sizeof progress->word, "%s", word);
		progress->next_ns = 0;
	}
	if (!is_due(progress))
		return;
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	bar_print(bar, share);
	snprintf(line, sizeof line, "[%s] %3d%%  %s  %.0f s", bar, (int)(share * 100),
		 progress->word, progress_seconds(progress));
	draw(progress, line);
}

void progress_end(struct progress *progress)
{
	if (!progress->drawn)
		return;
	progress->drawn = false;
	/* The last picture stays when it is not a terminal: a log keeps it. */
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", LINE_COLUMNS, "");
	else
		fputc('\n', stderr);
	fflush(stderr);
}
