/* format_parts - what the formats are made of. Each answers about the bytes it is given, all of
 * them; none allocates. */
#ifndef SLUICE_SERVICE_SCHEMA_FORMAT_PARTS_H
#define SLUICE_SERVICE_SCHEMA_FORMAT_PARTS_H

#include "kernels/base/bytes.h"

#include <stdbool.h>

/* ASCII alone, whatever the locale. */
static inline bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* hex_value - of a hex digit. */
static inline uint8_t hex_value(uint8_t c)
{
	return (uint8_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* is_one_of - whether c is in a string, whose end is no member. */
static inline bool is_one_of(uint8_t c, const char *members)
{
	return c != '\0' && strchr(members, c) != NULL;
}

/* from - what stands behind the first at bytes. */
static inline struct bytes from(struct bytes text, size_t at)
{
	return at == 0 ? text : bytes_of(text.data + at, text.size - at);
}

/* find, find_last - the first and last place of c; text.size: there is none. */
static inline size_t find(struct bytes text, uint8_t c)
{
	const uint8_t *found = text.size ? memchr(text.data, c, text.size) : NULL;

	return found ? (size_t)(found - text.data) : text.size;
}

static inline size_t find_last(struct bytes text, uint8_t c)
{
	const uint8_t *found = text.size ? memrchr(text.data, c, text.size) : NULL;

	return found ? (size_t)(found - text.data) : text.size;
}

/* format_number_parse - decimal digits with no zero before them, of at most max, which is below
 * 1,000,000. */
bool format_number_parse(struct bytes text, uint32_t max, uint32_t *ret);

/* format_ipv4_parse, format_ipv6_parse - an address alone, without zone or prefix, in network
 * order. */
bool format_ipv4_parse(struct bytes text, uint8_t ret[4]);
bool format_ipv6_parse(struct bytes text, uint8_t ret[16]);

/* format_is_labels - one or more labels of RFC 1034 between dots, each of 1 to 63 bytes.
 * ret_all_digits  whether the last one has nothing but digits. */
bool format_is_labels(struct bytes text, bool *ret_all_digits);
bool format_is_hostname(struct bytes text);

bool format_is_email(struct bytes text);

bool format_is_uri(struct bytes text);
bool format_is_uri_reference(struct bytes text);

bool format_is_uuid(struct bytes text);
bool format_is_trimmed_uuid(struct bytes text);
bool format_is_ulid(struct bytes text);
/* format_is_protobuf_name - identifiers between dots. */
bool format_is_protobuf_name(struct bytes text);
bool format_is_header_name(struct bytes text, bool strict);
bool format_is_header_value(struct bytes text, bool strict);

#endif
