/* json_schema_pattern - patterns of RE2 as ECMA-262 has them.
 *
 * JSON Schema means ECMA-262's regular expressions, with Unicode's code points; validators in Python
 * use Python's. What is written here means the same in both: classes are spelled out, since \d, \w and
 * \s differ, and so does the dot; only what has to be escaped is, since a u flag refuses the rest. A
 * character that is not ASCII stands as itself. Flags and Unicode's properties are not translated.
 */
#include "service/schema/json_schema_maker.h"

#include <stdio.h>
#include <stdlib.h>

struct translation {
	struct bytes in;
	size_t at;
	struct buffer out;
	bool failed; /* there is no such pattern */
};

static void text_append(struct translation *t, const char *text)
{
	buffer_append(&t->out, text, strlen(text));
}

static int peek(const struct translation *t, size_t ahead)
{
	return t->at + ahead < t->in.size ? t->in.data[t->at + ahead] : -1;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool starts(const struct translation *t, const char *text)
{
	size_t size = strlen(text);

	return t->in.size - t->at >= size && memcmp(t->in.data + t->at, text, size) == 0;
}

static void code_point_append(struct translation *t, uint32_t c, const char *special)
{
	char text[8];

	if (c < 0x20 || c == 0x7f) {
		snprintf(text, sizeof text, "\\x%02x", (unsigned)c);
		text_append(t, text);
	} else if (c < 0x80) {
		if (strchr(special, (int)c))
			buffer_append_u8(&t->out, '\\');
		buffer_append_u8(&t->out, (uint8_t)c);
	} else if (c < 0x800) {
		buffer_append_u8(&t->out, (uint8_t)(0xC0 | c >> 6));
		buffer_append_u8(&t->out, (uint8_t)(0x80 | (c & 0x3F)));
	} else if (c < 0x10000) {
		buffer_append_u8(&t->out, (uint8_t)(0xE0 | c >> 12));
		buffer_append_u8(&t->out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
		buffer_append_u8(&t->out, (uint8_t)(0x80 | (c & 0x3F)));
	} else {
		buffer_append_u8(&t->out, (uint8_t)(0xF0 | c >> 18));
		buffer_append_u8(&t->out, (uint8_t)(0x80 | (c >> 12 & 0x3F)));
		buffer_append_u8(&t->out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
		buffer_append_u8(&t->out, (uint8_t)(0x80 | (c & 0x3F)));
	}
}

static const char outside_special[] = "^$\\.*+?()[]{}|";
static const char class_special[] = "^\\[]-";

/* A byte of the text as itself: bytes above ASCII are parts of a code point. */
static void byte_append(struct translation *t, int byte, const char *special)
{
	if (byte < 0x80)
		code_point_append(t, (uint32_t)byte, special);
	else
		buffer_append_u8(&t->out, (uint8_t)byte);
}

/* What stands for \d, \w, \s in a class, or NULL. */
static const char *perl_class(int c)
{
	switch (c) {
	case 'd':
	case 'D':
		return "0-9";
	case 'w':
	case 'W':
		return "0-9A-Za-z_";
	case 's':
	case 'S':
		return "\\t\\n\\f\\r ";
	default:
		return NULL;
	}
}

/* \x7F, \x{10FFFF}; t->at is behind the x. */
static uint32_t hexadecimal(struct translation *t)
{
	char digits[8] = "";
	size_t n = 0;
	bool braces = peek(t, 0) == '{';

	t->at += braces;
	while (n < (braces ? 7 : 2) && peek(t, 0) > 0 &&
	       strchr("0123456789abcdefABCDEF", peek(t, 0)))
		digits[n++] = (char)t->in.data[t->at++];
	if (braces && peek(t, 0) == '}')
		t->at++;
	else if (braces)
		t->failed = true;
	return (uint32_t)strtoul(digits, NULL, 16);
}

static uint32_t octal(struct translation *t)
{
	uint32_t value = 0;

	for (int n = 0; n < 3 && peek(t, 0) >= '0' && peek(t, 0) <= '7'; n++)
		value = value * 8 + (uint32_t)(t->in.data[t->at++] - '0');
	return value;
}

/* An escape that is one character; t->at is at what stands behind the backslash. */
static void escaped_character(struct translation *t, const char *special)
{
	static const char letters[] = "tnrfva", meanings[] = "\t\n\r\f\v\a";
	int c = peek(t, 0);
	const char *letter;

	if (c <= 0) {
		t->failed = true;
		return;
	}
	letter = strchr(letters, c);
	if (is_digit(c)) {
		code_point_append(t, octal(t), special);
		return;
	}
	t->at++;
	if (c == 'x')
		code_point_append(t, hexadecimal(t), special);
	else if (letter)
		code_point_append(t, (uint32_t)meanings[letter - letters], special);
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		t->failed = true; /* \p, \C: nothing says the same */
	else
		byte_append(t, c, special);
}

static void quoted(struct translation *t)
{
	while (t->at < t->in.size && !starts(t, "\\E"))
		byte_append(t, t->in.data[t->at++], outside_special);
	if (t->at < t->in.size)
		t->at += 2;
}

static void escape(struct translation *t)
{
	int c = peek(t, 0);
	const char *perl = perl_class(c);

	if (perl) {
		text_append(t, c >= 'a' ? "[" : "[^");
		text_append(t, perl);
		text_append(t, "]");
	} else if (c == 'A') {
		text_append(t, "^");
	} else if (c == 'z') {
		text_append(t, "$");
	} else if (c == 'b' || c == 'B') {
		text_append(t, c == 'b' ? "\\b" : "\\B");
	} else if (c == 'Q') {
		t->at++;
		quoted(t);
		return;
	} else {
		escaped_character(t, outside_special);
		return;
	}
	t->at++;
}

/* [:alpha:] in a class; false: it is none. */
static bool named_class(struct translation *t)
{
	static const struct {
		const char *name, *ranges;
	} classes[] = {
		{"[:alnum:]", "0-9A-Za-z"},
		{"[:alpha:]", "A-Za-z"},
		{"[:ascii:]", "\\x00-\\x7f"},
		{"[:blank:]", "\\t "},
		{"[:cntrl:]", "\\x00-\\x1f\\x7f"},
		{"[:digit:]", "0-9"},
		{"[:graph:]", "!-~"},
		{"[:lower:]", "a-z"},
		{"[:print:]", " -~"},
		{"[:punct:]", "!-\\/:-@\\[-`{-~"},
		{"[:space:]", "\\t\\n\\v\\f\\r "},
		{"[:upper:]", "A-Z"},
		{"[:word:]", "0-9A-Za-z_"},
		{"[:xdigit:]", "0-9A-Fa-f"},
	};

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (starts(t, classes[i].name)) {
			text_append(t, classes[i].ranges);
			t->at += strlen(classes[i].name);
			return true;
		}
	t->failed |= starts(t, "[:^");
	return false;
}

/* A class; t->at is behind its bracket. */
static void class(struct translation *t)
{
	bool first = true, after_class = false;

	text_append(t, "[");
	if (peek(t, 0) == '^') {
		text_append(t, "^");
		t->at++;
	}
	for (; peek(t, 0) >= 0 && (first || peek(t, 0) != ']'); first = false) {
		int c = peek(t, 0);
		bool was_class = after_class;

		after_class = false;
		if (c == '[' && peek(t, 1) == ':' && named_class(t)) {
			after_class = true;
			continue;
		}
		t->at++;
		if (c == '\\' && perl_class(peek(t, 0))) {
			t->failed |= peek(t, 0) < 'a';
			text_append(t, perl_class(peek(t, 0)));
			t->at++;
			after_class = true;
		} else if (c == '\\') {
			escaped_character(t, class_special);
		} else if (c == '-' && (!was_class || peek(t, 0) == ']')) {
			text_append(t, "-"); /* of a range, or at an end */
		} else {
			byte_append(t, c, class_special);
		}
	}
	t->failed |= peek(t, 0) != ']';
	t->at++;
	text_append(t, "]");
}

/* (?P<name> and (?<name> lose their name; flags cannot be said. t->at is behind the parenthesis. */
static void group(struct translation *t)
{
	text_append(t, "(");
	if (peek(t, 0) != '?')
		return;
	if (starts(t, "?:")) {
		text_append(t, "?:");
		t->at += 2;
	} else if (starts(t, "?P<") || starts(t, "?<")) {
		text_append(t, "?:");
		while (peek(t, 0) >= 0 && peek(t, 0) != '>')
			t->at++;
		t->at++;
	} else {
		t->failed = true;
	}
}

/* {n}, {n,} and {n,m}; any other brace is a character. */
static bool repetition(struct translation *t)
{
	size_t n = 0;

	while (is_digit(peek(t, n)))
		n++;
	if (n == 0)
		return false;
	n += peek(t, n) == ',';
	while (is_digit(peek(t, n)))
		n++;
	if (peek(t, n) != '}')
		return false;
	text_append(t, "{");
	buffer_append(&t->out, t->in.data + t->at, n + 1);
	t->at += n + 1;
	return true;
}

static void translate(struct translation *t)
{
	while (t->at < t->in.size && !t->failed) {
		int c = t->in.data[t->at++];

		if (c == '\\')
			escape(t);
		else if (c == '[')
			class(t);
		else if (c == '(')
			group(t);
		else if (c == '.')
			text_append(t, "[^\\n]");
		else if (c == '{' ? repetition(t) : false)
			continue;
		else
			byte_append(t, c, "{}]");
	}
}

const char *json_pattern(struct arena *arena, struct bytes pattern)
{
	struct translation t = {.in = pattern};
	const char *ret = NULL;

	translate(&t);
	if (!t.failed && !t.out.failed)
		ret = arena_copy(arena, t.out.size ? (const void *)t.out.data : "", t.out.size);
	buffer_finish(&t.out);
	return ret;
}

const char *json_escape(struct arena *arena, struct bytes text)
{
	struct translation t = {.in = text};
	const char *ret = NULL;

	while (t.at < text.size)
		byte_append(&t, text.data[t.at++], outside_special);
	if (!t.out.failed)
		ret = arena_copy(arena, t.out.size ? (const void *)t.out.data : "", t.out.size);
	buffer_finish(&t.out);
	return ret;
}
