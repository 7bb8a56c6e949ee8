/* log - each line is made on the stack and goes out with one write, so lines of several threads
 * do not mix (a line is shorter than PIPE_BUF).
 */
#include "kernels/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES_PER_SECOND 1000
#define MESSAGE_MAX 1000
#define PREFIX_MAX 48

static atomic_int log_level_min = LOG_INFO;

/* The second that is being counted, and its lines. */
static pthread_mutex_t rate_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t rate_second;
static uint64_t rate_lines, rate_dropped;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level_min, (int)level, memory_order_relaxed);
}

/* Whether a line may go out now; ret_dropped: how many did not before this second. */
static bool rate_admit(int64_t second, uint64_t *ret_dropped)
{
	bool admitted;

	*ret_dropped = 0;
	pthread_mutex_lock(&rate_lock);
	if (second != rate_second) {
		rate_second = second;
		*ret_dropped = rate_dropped;
		rate_lines = 0;
		rate_dropped = 0;
	}
	admitted = rate_lines < LINES_PER_SECOND;
	if (admitted)
		rate_lines++;
	else
		rate_dropped++;
	pthread_mutex_unlock(&rate_lock);
	return admitted;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* "2026-01-31T12:00:00.000Z INFO ". By hand, since gmtime_r may allocate and read files. */
static size_t prefix_print(char ret[PREFIX_MAX], const struct timespec *now, enum log_level level)
{
	static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days = now->tv_sec / 86400;
	int second = (int)(now->tv_sec % 86400), year = 1970, month = 0, n;

	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (; days >= month_days[month] + (month == 1 && is_leap(year)); month++)
		days -= month_days[month] + (month == 1 && is_leap(year));
	n = snprintf(ret, PREFIX_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ", year, month + 1,
		     (int)days + 1, second / 3600, second / 60 % 60, second % 60,
		     (int)(now->tv_nsec / 1000000),
		     names[(unsigned)level <= LOG_ERROR ? level : LOG_ERROR]);
	return n < 0 ? 0 : n < PREFIX_MAX ? (size_t)n : PREFIX_MAX - 1;
}

static bool is_printable(unsigned char before, unsigned char c)
{
	if (c < 0x20 || c == 0x7F)
		return false;
	/* C1 in UTF-8: some terminals obey these as well. */
	return before != 0xC2 || c < 0x80 || c > 0x9F;
}

/* text without control characters; at most MESSAGE_MAX bytes. */
static size_t message_escape(char ret[MESSAGE_MAX], const char *text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char before = 0;
	size_t n = 0;

	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;
		bool plain = is_printable(before, c);

		if (n + (plain ? 1 : 4) > MESSAGE_MAX)
			break;
		if (plain) {
			ret[n++] = *at;
		} else {
			ret[n++] = '\\';
			ret[n++] = 'x';
			ret[n++] = digits[c >> 4];
			ret[n++] = digits[c & 15];
		}
		before = c;
	}
	return n;
}

static void line_write(const struct timespec *now, enum log_level level, const char *text)
{
	char line[PREFIX_MAX + MESSAGE_MAX + 1];
	size_t n = prefix_print(line, now, level);

	n += message_escape(line + n, text);
	line[n++] = '\n';
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		continue;
}

void log_write(enum log_level level, const char *format, ...)
{
	int errno_before = errno;
	char text[MESSAGE_MAX + 1];
	struct timespec now;
	uint64_t dropped;
	bool admitted;
	va_list args;

	if ((int)level < atomic_load_explicit(&log_level_min, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	admitted = rate_admit(now.tv_sec, &dropped);
	if (dropped) {
		snprintf(text, sizeof text, "%llu lines were dropped, over %d a second",
			 (unsigned long long)dropped, LINES_PER_SECOND);
		line_write(&now, LOG_WARNING, text);
	}
	if (admitted) {
		errno = errno_before; /* for %m */
		va_start(args, format);
		if (vsnprintf(text, sizeof text, format, args) < 0)
			snprintf(text, sizeof text, "a line that could not be printed");
		va_end(args);
		line_write(&now, level, text);
	}
	errno = errno_before;
}
