/* format_ip - addresses of RFC 791 and RFC 4291, and prefixes of RFC 4632 and RFC 4291. */
#include "service/schema/format.h"
#include "service/schema/format_parts.h"

bool format_ipv4_parse(struct bytes text, uint8_t ret[4])
{
	for (size_t i = 0; i < 4; i++) {
		size_t dot = find(text, '.');
		uint32_t octet;

		if ((dot == text.size) != (i == 3) ||
		    !format_number_parse(bytes_of(text.data, dot), 255, &octet))
			return false;
		ret[i] = (uint8_t)octet;
		if (i < 3)
			text = from(text, dot + 1);
	}
	return true;
}

/* Sixteen bits: one to four hex digits. */
static bool group_parse(struct bytes text, uint8_t ret[2])
{
	unsigned group = 0;

	if (text.size == 0 || text.size > 4)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (!is_hex(text.data[i]))
			return false;
		group = group << 4 | hex_value(text.data[i]);
	}
	ret[0] = (uint8_t)(group >> 8);
	ret[1] = (uint8_t)group;
	return true;
}

#define NO_GAP 17

/* Bytes before and behind the "::", without those that it stands for. */
struct ipv6_parts {
	uint8_t bytes[16];
	size_t n;
	size_t gap; /* where in bytes the "::" is; NO_GAP: there is none */
};

/* The last part may be an IPv4 address, which fills two groups. */
static bool part_parse(struct ipv6_parts *parts, struct bytes text, bool is_last)
{
	size_t size = is_last && find(text, '.') < text.size ? 4 : 2;

	if (parts->n + size > sizeof parts->bytes)
		return false;
	if (!(size == 4 ? format_ipv4_parse(text, parts->bytes + parts->n)
			: group_parse(text, parts->bytes + parts->n)))
		return false;
	parts->n += size;
	return true;
}

static bool parts_parse(struct ipv6_parts *parts, struct bytes text)
{
	if (text.size >= 2 && text.data[0] == ':' && text.data[1] == ':') {
		parts->gap = 0;
		text = from(text, 2);
		if (text.size == 0)
			return true;
	}
	for (;;) {
		size_t colon = find(text, ':');

		if (!part_parse(parts, bytes_of(text.data, colon), colon == text.size))
			return false;
		if (colon == text.size)
			return true;
		text = from(text, colon + 1);
		if (text.size == 0 || text.data[0] != ':')
			continue; /* a single colon at the end leaves an empty part: refused */
		if (parts->gap != NO_GAP)
			return false;
		parts->gap = parts->n;
		text = from(text, 1);
		if (text.size == 0)
			return true;
	}
}

bool format_ipv6_parse(struct bytes text, uint8_t ret[16])
{
	struct ipv6_parts parts = {.gap = NO_GAP};
	size_t behind;

	if (!parts_parse(&parts, text))
		return false;
	if (parts.gap == NO_GAP) {
		if (parts.n < sizeof parts.bytes)
			return false;
		memcpy(ret, parts.bytes, sizeof parts.bytes);
		return true;
	}
	/* A gap stands for one group at least. */
	if (parts.n == sizeof parts.bytes)
		return false;
	behind = parts.n - parts.gap;
	memset(ret, 0, sizeof parts.bytes);
	memcpy(ret, parts.bytes, parts.gap);
	memcpy(ret + sizeof parts.bytes - behind, parts.bytes + parts.gap, behind);
	return true;
}

/* With a zone of RFC 4007 behind a percent sign: any characters but NUL. */
static bool is_ipv6(struct bytes text)
{
	size_t percent = find(text, '%');
	uint8_t address[16];

	if (percent < text.size) {
		struct bytes zone = from(text, percent + 1);

		if (zone.size == 0 || find(zone, '\0') < zone.size)
			return false;
	}
	return format_ipv6_parse(bytes_of(text.data, percent), address);
}

bool format_is_ip(struct bytes text, int version)
{
	uint8_t address[4];

	switch (version) {
	case 0:
		return format_ipv4_parse(text, address) || is_ipv6(text);
	case 4:
		return format_ipv4_parse(text, address);
	case 6:
		return is_ipv6(text);
	default:
		return false;
	}
}

/* Whether all bits behind the first n_bits are zero. */
static bool is_clear_behind(const uint8_t *address, size_t size, uint32_t n_bits)
{
	for (size_t i = n_bits / 8; i < size; i++) {
		unsigned kept = i == n_bits / 8 ? n_bits % 8 : 0;

		if ((address[i] & (0xFFU >> kept)) != 0)
			return false;
	}
	return true;
}

bool format_is_ip_prefix(struct bytes text, int version, bool strict)
{
	size_t slash = find(text, '/');
	struct bytes host = bytes_of(text.data, slash), length;
	uint8_t address[16];
	size_t size;
	uint32_t n_bits;

	if (slash == text.size)
		return false;
	length = from(text, slash + 1);
	if ((version == 0 || version == 4) && format_ipv4_parse(host, address))
		size = 4;
	else if ((version == 0 || version == 6) && format_ipv6_parse(host, address))
		size = 16;
	else
		return false;
	return format_number_parse(length, (uint32_t)size * 8, &n_bits) &&
	       (!strict || is_clear_behind(address, size, n_bits));
}
