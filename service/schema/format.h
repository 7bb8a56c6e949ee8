/* format - the well-known formats of strings and bytes, as protovalidate defines them.
 *
 * Each is a function of the bytes alone: no name is looked up, nothing is allocated.
 */
#ifndef SLUICE_SERVICE_SCHEMA_FORMAT_H
#define SLUICE_SERVICE_SCHEMA_FORMAT_H

#include "kernels/base/bytes.h"

#include <stdbool.h>

enum format {
	FORMAT_EMAIL,    /* the HTML standard's valid email address */
	FORMAT_HOSTNAME, /* RFC 1034 3.5, at most 253; a last label of digits alone is none */
	FORMAT_IP,       /* FORMAT_IPV4 or FORMAT_IPV6 */
	FORMAT_IPV4,
	FORMAT_IPV6, /* RFC 4291, with a zone id of RFC 4007 */
	FORMAT_IP_WITH_PREFIXLEN,
	FORMAT_IPV4_WITH_PREFIXLEN,
	FORMAT_IPV6_WITH_PREFIXLEN,
	FORMAT_IP_PREFIX, /* with no bit set behind the prefix */
	FORMAT_IPV4_PREFIX,
	FORMAT_IPV6_PREFIX,
	FORMAT_URI,     /* RFC 3986, with a scheme */
	FORMAT_URI_REF, /* RFC 3986, a URI or a relative reference */
	FORMAT_ADDRESS, /* a hostname or an IP address */
	FORMAT_UUID,    /* 8-4-4-4-12 hex digits */
	FORMAT_TUUID,   /* a UUID without dashes */
	FORMAT_ULID,
	FORMAT_HOST_AND_PORT,     /* the port is required */
	FORMAT_PROTOBUF_FQN,      /* a.b.C */
	FORMAT_PROTOBUF_DOT_FQN,  /* .a.b.C */
	FORMAT_HTTP_HEADER_NAME,  /* RFC 7230 token, or a pseudo header; loose: no NUL, CR, LF */
	FORMAT_HTTP_HEADER_VALUE, /* no control characters but tab; loose: no NUL, CR, LF */
	/* Of bytes fields: 4 or 16 bytes, 4 bytes, 16 bytes, 16 bytes. */
	FORMAT_BYTES_IP,
	FORMAT_BYTES_IPV4,
	FORMAT_BYTES_IPV6,
	FORMAT_BYTES_UUID,
};

/* format_matches - strict  only looked at for header names and values. */
bool format_matches(enum format format, struct bytes text, bool strict);

/* format_name - "an email address", for messages. */
const char *format_name(enum format format);

/* The parameters that the formats above leave at their defaults. version: 0 either, 4, 6. */
bool format_is_ip(struct bytes text, int version);
bool format_is_ip_prefix(struct bytes text, int version, bool strict);
bool format_is_host_and_port(struct bytes text, bool port_required);

#endif
