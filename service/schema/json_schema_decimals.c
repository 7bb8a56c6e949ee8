/* json_schema_decimals - ranges of decimals as patterns: what minimum and maximum are to a number, for
 * the strings that proto3 JSON writes 64-bit integers as. */
#include "service/schema/json_schema_maker.h"

#include <stdio.h>

#define DIGITS_MAX 20

static void text_append(struct buffer *pattern, const char *text)
{
	buffer_append(pattern, text, strlen(text));
}

static bool all_are(const char *digits, char digit)
{
	for (; *digits; digits++)
		if (*digits != digit)
			return false;
	return true;
}

/* One digit of a range, and n more of any kind. */
static void digits_append(struct buffer *pattern, char low, char high, size_t n)
{
	char text[40];

	if (low == high)
		snprintf(text, sizeof text, "%c", low);
	else
		snprintf(text, sizeof text, "[%c-%c]", low, high);
	text_append(pattern, text);
	if (n == 0)
		return;
	if (n == 1)
		snprintf(text, sizeof text, "[0-9]");
	else
		snprintf(text, sizeof text, "[0-9]{%zu}", n);
	text_append(pattern, text);
}

/* low and high have as many digits; as deep as these are. */
static void same_length(struct buffer *pattern, const char *low, const char *high)
{
	static const char nines[] = "99999999999999999999", zeros[] = "00000000000000000000";
	size_t n = strlen(low);
	const char *none = zeros + DIGITS_MAX - (n - 1), *all = nines + DIGITS_MAX - (n - 1);
	char first = low[0], last = high[0];
	bool many = false;

	if (all_are(low + 1, '0') && all_are(high + 1, '9')) {
		digits_append(pattern, first, last, n - 1);
		return;
	}
	if (first == last) {
		digits_append(pattern, first, first, 0);
		same_length(pattern, low + 1, high + 1);
		return;
	}
	text_append(pattern, "(?:");
	if (!all_are(low + 1, '0')) {
		digits_append(pattern, first, first, 0);
		same_length(pattern, low + 1, all);
		first++;
		many = true;
	}
	if (!all_are(high + 1, '9'))
		last--;
	if (first <= last) {
		text_append(pattern, many ? "|" : "");
		digits_append(pattern, first, last, n - 1);
		many = true;
	}
	if (last < high[0]) {
		text_append(pattern, many ? "|" : "");
		digits_append(pattern, high[0], high[0], 0);
		same_length(pattern, none, high + 1);
	}
	text_append(pattern, ")");
}

/* 10 to the n-th, for n below 20. */
static uint64_t power(unsigned n)
{
	uint64_t ret = 1;

	while (n-- > 0)
		ret *= 10;
	return ret;
}

static void one_length(struct buffer *pattern, uint64_t low, uint64_t high)
{
	char from[DIGITS_MAX + 1], to[DIGITS_MAX + 1];

	snprintf(from, sizeof from, "%llu", (unsigned long long)low);
	snprintf(to, sizeof to, "%llu", (unsigned long long)high);
	same_length(pattern, from, to);
}

/* From low = 10^n on: every number of from more digits up to to more. */
static void whole_lengths(struct buffer *pattern, unsigned from, unsigned to)
{
	char text[40];

	if (to == 0)
		snprintf(text, sizeof text, "[1-9]");
	else if (from == to)
		snprintf(text, sizeof text, "[1-9][0-9]{%u}", from);
	else
		snprintf(text, sizeof text, "[1-9][0-9]{%u,%u}", from, to);
	text_append(pattern, text);
}

void json_decimals(struct buffer *pattern, uint64_t low, uint64_t high)
{
	bool many = false;

	text_append(pattern, "(?:");
	if (low == 0) {
		text_append(pattern, high == 0 ? "0" : "0|");
		low = 1;
	}
	for (unsigned n = 0; n < DIGITS_MAX && low <= high; n++) {
		bool last = n == DIGITS_MAX - 1;
		uint64_t end = last ? UINT64_MAX : power(n + 1) - 1;
		unsigned whole = n;

		if (low > end)
			continue;
		text_append(pattern, many ? "|" : "");
		many = true;
		/* Lengths of which every number is in go together. */
		while (low == power(n) && whole < DIGITS_MAX - 1 && power(whole + 1) - 1 <= high)
			whole++;
		if (whole > n) {
			whole_lengths(pattern, n, whole - 1);
			n = whole - 1;
			low = power(whole);
			continue;
		}
		one_length(pattern, low, high < end ? high : end);
		if (last || high <= end)
			break;
		low = end + 1;
	}
	text_append(pattern, ")");
}

void json_signed_decimals(struct buffer *pattern, int64_t low, int64_t high)
{
	if (low >= 0) {
		json_decimals(pattern, (uint64_t)low, (uint64_t)high);
		return;
	}
	text_append(pattern, high >= 0 ? "(?:-" : "-");
	json_decimals(pattern, high >= 0 ? 1 : 0 - (uint64_t)high, 0 - (uint64_t)low);
	if (high >= 0) {
		text_append(pattern, "|");
		json_decimals(pattern, 0, (uint64_t)high);
		text_append(pattern, ")");
	}
}
