/* log - each line is made on the stack and goes out with one write, so lines of several threads
 * do not mix (a line is shorter than PIPE_BUF).
 */
#include "kernels/base/log.h"

#include "kernels/base/bytes.h"
#include "kernels/base/meter.h"

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

#define LINES_PER_SECOND 1000u
#define MESSAGE_MAX 1000
#define PREFIX_MAX 80

static atomic_int log_level_min = LOG_INFO;
static atomic_int log_format = LOG_TEXT;
static atomic_uint log_rate = LINES_PER_SECOND;

/* The second that is being counted, and its lines. */
static pthread_mutex_t rate_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t rate_second;
static uint64_t rate_lines, rate_dropped;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level_min, (int)level, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
	atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

void log_set_rate(unsigned lines_per_second)
{
	atomic_store_explicit(&log_rate, lines_per_second, memory_order_relaxed);
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
	admitted = rate_lines < atomic_load_explicit(&log_rate, memory_order_relaxed);
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
static size_t prefix_print(char ret[PREFIX_MAX], const struct timespec *now, enum log_level level,
			   bool json)
{
	static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days = now->tv_sec / 86400;
	int second = (int)(now->tv_sec % 86400), year = 1970, month = 0, n;

	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (; days >= month_days[month] + (month == 1 && is_leap(year)); month++)
		days -= month_days[month] + (month == 1 && is_leap(year));
	n = snprintf(
		ret, PREFIX_MAX,
		json ? "{\"time\": \"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\", \"level\": \"%s\", "
		       "\"message\": \""
		     : "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ",
		year, month + 1, (int)days + 1, second / 3600, second / 60 % 60, second % 60,
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

/* text without control characters, and without quotes where it will stand in such; at most MESSAGE_MAX
 * bytes. */
static size_t message_escape(char ret[MESSAGE_MAX], const char *text, bool quoted)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char before = 0;
	size_t n = 0;

	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;
		bool plain = is_printable(before, c) && !(quoted && c == '"');

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

/* How many bytes the character at text takes; 0 where it is no UTF-8. */
static size_t character_bytes(const char *text)
{
	size_t left = strnlen(text, 4);

	for (size_t n = 1; n <= left; n++)
		if (bytes_is_utf8(bytes_of(text, n)))
			return n;
	return 0;
}

/* text as the inside of a JSON string; at most MESSAGE_MAX bytes. */
static size_t message_escape_json(char ret[MESSAGE_MAX], const char *text)
{
	size_t n = 0;

	while (*text) {
		size_t taken = character_bytes(text);
		unsigned char c = (unsigned char)*text;
		char escaped[8] = "\\ufffd";

		if (taken > 0 && c < 0x20)
			snprintf(escaped, sizeof escaped, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			snprintf(escaped, sizeof escaped, "\\%c", c);
		else if (taken > 0) {
			memcpy(escaped, text, taken);
			escaped[taken] = 0;
		}
		if (n + strlen(escaped) > MESSAGE_MAX)
			break;
		memcpy(ret + n, escaped, strlen(escaped));
		n += strlen(escaped);
		text += taken ? taken : 1;
	}
	return n;
}

/* The number as it is read best: whole where it is whole. */
static size_t number_print(char *ret, size_t size, double number)
{
	int n = number >= -1e15 && number <= 1e15 && number == (double)(int64_t)number
			? snprintf(ret, size, "%lld", (long long)number)
			: snprintf(ret, size, "%.6g", number);

	return n < 0 ? 0 : (size_t)n;
}

/* " name=value" or ", \"name\": value"; 0 where that has no room in size bytes. */
static size_t field_print(char *ret, size_t size, const struct log_field *field, bool json)
{
	char value[MESSAGE_MAX + 1];
	bool quoted = field->text && (json || !*field->text || strpbrk(field->text, " \"="));
	size_t n_value, n;
	int lead;

	if (!field->text)
		n_value = number_print(value, sizeof value, field->number);
	else
		n_value = json ? message_escape_json(value, field->text)
			       : message_escape(value, field->text, quoted);
	n = strlen(field->name) + n_value + sizeof ", \"\": \"\"";
	if (n > size)
		return 0;
	lead = snprintf(ret, size, json ? ", \"%s\": %s" : " %s=%s", field->name,
			quoted ? "\"" : "");
	n = lead < 0 ? 0 : (size_t)lead;
	memcpy(ret + n, value, n_value);
	n += n_value;
	if (quoted)
		ret[n++] = '"';
	return n;
}

static void line_write(const struct timespec *now, enum log_level level, const char *text,
		       const struct log_field *fields, size_t n_fields)
{
	bool json = atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_JSON;
	char line[PREFIX_MAX + 2 * MESSAGE_MAX + sizeof "\"}\n"];
	size_t n = prefix_print(line, now, level, json), start;

	n += json ? message_escape_json(line + n, text) : message_escape(line + n, text, false);
	if (json)
		line[n++] = '"';
	start = n;
	for (size_t i = 0; i < n_fields; i++) {
		size_t printed = field_print(line + n, MESSAGE_MAX - (n - start), &fields[i], json);

		if (!printed)
			break;
		n += printed;
	}
	if (json)
		line[n++] = '}';
	line[n++] = '\n';
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		continue;
	meter_add(METER_LOG_LINES, 1);
}

/* Whether a line of that level may go out now; says so where others could not. */
static bool line_admit(enum log_level level, struct timespec *ret_now)
{
	char text[MESSAGE_MAX + 1];
	uint64_t dropped;
	bool admitted;

	if ((int)level < atomic_load_explicit(&log_level_min, memory_order_relaxed))
		return false;
	clock_gettime(CLOCK_REALTIME, ret_now);
	admitted = rate_admit(ret_now->tv_sec, &dropped);
	if (!admitted)
		meter_add(METER_LOG_DROPPED, 1);
	if (dropped) {
		snprintf(text, sizeof text, "%llu lines were dropped, over %u a second",
			 (unsigned long long)dropped,
			 atomic_load_explicit(&log_rate, memory_order_relaxed));
		line_write(ret_now, LOG_WARNING, text, NULL, 0);
	}
	return admitted;
}

void log_write(enum log_level level, const char *format, ...)
{
	int errno_before = errno;
	char text[MESSAGE_MAX + 1];
	struct timespec now;
	va_list args;

	if (line_admit(level, &now)) {
		errno = errno_before; /* for %m */
		va_start(args, format);
		if (vsnprintf(text, sizeof text, format, args) < 0)
			snprintf(text, sizeof text, "a line that could not be printed");
		va_end(args);
		line_write(&now, level, text, NULL, 0);
	}
	errno = errno_before;
}

void log_event(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
	int errno_before = errno;
	struct timespec now;

	if (line_admit(level, &now))
		line_write(&now, level, message, fields, n);
	errno = errno_before;
}
