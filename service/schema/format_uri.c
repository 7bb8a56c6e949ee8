/* format_uri - RFC 3986, with the zones of RFC 6874.
 *
 * The grammar needs no looking back: each component ends at the first of a few characters that it
 * cannot hold itself. Percent-encoding in a host has to be UTF-8, elsewhere it may be any octets.
 */
#include "service/schema/format_parts.h"

#define SUB_DELIMS "!$&'()*+,;="

static bool is_unreserved(uint8_t c)
{
	return is_letter(c) || is_digit(c) || is_one_of(c, "-._~");
}

/* The length of what stands at the beginning and is unreserved, percent-encoded or one of more. */
static size_t run_length(struct bytes text, const char *more)
{
	size_t i = 0;

	while (i < text.size) {
		uint8_t c = text.data[i];

		if (is_unreserved(c) || is_one_of(c, more))
			i++;
		else if (c == '%' && text.size - i > 2 && is_hex(text.data[i + 1]) &&
			 is_hex(text.data[i + 2]))
			i += 3;
		else
			break;
	}
	return i;
}

static bool is_run(struct bytes text, const char *more)
{
	return run_length(text, more) == text.size;
}

/* Whether the percent-encoded octets of a well-formed run, each stretch of them, are UTF-8. */
static bool is_encoded_utf8(struct bytes text)
{
	uint8_t character[4];
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '%') {
			if (n > 0)
				return false;
			continue;
		}
		character[n++] =
			(uint8_t)(hex_value(text.data[i + 1]) << 4 | hex_value(text.data[i + 2]));
		i += 2;
		if (bytes_is_utf8(bytes_of(character, n)))
			n = 0;
		else if (n == sizeof character)
			return false;
	}
	return n == 0;
}

/* "v" 1*HEXDIG "." and something */
static bool is_ip_future(struct bytes text)
{
	size_t dot = find(text, '.');

	if (text.size == 0 || (text.data[0] | 0x20) != 'v' || dot < 2 || text.size - dot < 2)
		return false;
	for (size_t i = 1; i < dot; i++)
		if (!is_hex(text.data[i]))
			return false;
	text = from(text, dot + 1);
	/* Nothing is percent-encoded here. */
	return is_run(text, SUB_DELIMS ":") && find(text, '%') == text.size;
}

/* What stands in brackets. */
static bool is_ip_literal(struct bytes text)
{
	size_t percent = find(text, '%');
	uint8_t address[16];

	if (is_ip_future(text))
		return true;
	if (percent < text.size) {
		struct bytes zone;

		/* A zone's percent sign is encoded itself. */
		if (text.size - percent < 4 || memcmp(text.data + percent, "%25", 3) != 0)
			return false;
		zone = from(text, percent + 3);
		if (!is_run(zone, "") || !is_encoded_utf8(zone))
			return false;
	}
	return format_ipv6_parse(bytes_of(text.data, percent), address);
}

static bool is_digits(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_digit(text.data[i]))
			return false;
	return true;
}

/* [ userinfo "@" ] host [ ":" port ], any of them empty. */
static bool is_authority(struct bytes text)
{
	size_t at = find(text, '@'), end;

	if (at < text.size) {
		if (!is_run(bytes_of(text.data, at), SUB_DELIMS ":"))
			return false;
		text = from(text, at + 1);
	}
	if (text.size > 0 && text.data[0] == '[') {
		end = find(text, ']');
		if (end == text.size || !is_ip_literal(bytes_of(text.data + 1, end - 1)))
			return false;
		end++;
	} else {
		struct bytes name = bytes_of(text.data, find(text, ':'));

		if (!is_run(name, SUB_DELIMS) || !is_encoded_utf8(name))
			return false;
		end = name.size;
	}
	if (end == text.size)
		return true;
	return text.data[end] == ':' && is_digits(from(text, end + 1));
}

/* The length of an authority: up to a path, a query, a fragment or the end. */
static size_t authority_length(struct bytes text)
{
	size_t i = 0;

	while (i < text.size && !is_one_of(text.data[i], "/?#"))
		i++;
	return i;
}

/* Takes c off the front if it is there. */
static bool take(struct bytes *text, uint8_t c)
{
	if (text->size == 0 || text->data[0] != c)
		return false;
	*text = from(*text, 1);
	return true;
}

/* All that may follow a scheme, or be a relative reference: [ "//" authority ] path [ "?" query ]
 * [ "#" fragment ]. A path of two slashes would be an authority, and is read as one. */
static bool is_hierarchical(struct bytes text, bool relative)
{
	if (text.size >= 2 && text.data[0] == '/' && text.data[1] == '/') {
		struct bytes authority;

		text = from(text, 2);
		authority = bytes_of(text.data, authority_length(text));
		if (!is_authority(authority))
			return false;
		text = from(text, authority.size);
	} else if (relative) {
		/* A colon in the first segment would make it a scheme. */
		text = from(text, run_length(text, SUB_DELIMS "@"));
		if (text.size > 0 && text.data[0] == ':')
			return false;
	}
	text = from(text, run_length(text, SUB_DELIMS ":@/"));
	if (take(&text, '?'))
		text = from(text, run_length(text, SUB_DELIMS ":@/?"));
	if (take(&text, '#'))
		text = from(text, run_length(text, SUB_DELIMS ":@/?"));
	return text.size == 0;
}

bool format_is_uri(struct bytes text)
{
	size_t colon = find(text, ':');

	if (colon == text.size || !is_letter(text.data[0]))
		return false;
	for (size_t i = 1; i < colon; i++) {
		uint8_t c = text.data[i];

		if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "+-."))
			return false;
	}
	return is_hierarchical(from(text, colon + 1), false);
}

bool format_is_uri_reference(struct bytes text)
{
	return format_is_uri(text) || is_hierarchical(text, true);
}
