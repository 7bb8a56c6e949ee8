/* format - each format's name and function. */
#include "service/schema/format.h"

#include "service/schema/format_parts.h"

#define IPV4_BYTES 4
#define IPV6_BYTES 16
#define UUID_RAW_BYTES 16

static bool is_protobuf_dot_name(struct bytes text)
{
	return text.size > 0 && text.data[0] == '.' && format_is_protobuf_name(from(text, 1));
}

bool format_matches(enum format format, struct bytes text, bool strict)
{
	switch (format) {
	case FORMAT_EMAIL:
		return format_is_email(text);
	case FORMAT_HOSTNAME:
		return format_is_hostname(text);
	case FORMAT_IP:
		return format_is_ip(text, 0);
	case FORMAT_IPV4:
		return format_is_ip(text, 4);
	case FORMAT_IPV6:
		return format_is_ip(text, 6);
	case FORMAT_IP_WITH_PREFIXLEN:
		return format_is_ip_prefix(text, 0, false);
	case FORMAT_IPV4_WITH_PREFIXLEN:
		return format_is_ip_prefix(text, 4, false);
	case FORMAT_IPV6_WITH_PREFIXLEN:
		return format_is_ip_prefix(text, 6, false);
	case FORMAT_IP_PREFIX:
		return format_is_ip_prefix(text, 0, true);
	case FORMAT_IPV4_PREFIX:
		return format_is_ip_prefix(text, 4, true);
	case FORMAT_IPV6_PREFIX:
		return format_is_ip_prefix(text, 6, true);
	case FORMAT_URI:
		return format_is_uri(text);
	case FORMAT_URI_REF:
		return format_is_uri_reference(text);
	case FORMAT_ADDRESS:
		return format_is_hostname(text) || format_is_ip(text, 0);
	case FORMAT_UUID:
		return format_is_uuid(text);
	case FORMAT_TUUID:
		return format_is_trimmed_uuid(text);
	case FORMAT_ULID:
		return format_is_ulid(text);
	case FORMAT_HOST_AND_PORT:
		return format_is_host_and_port(text, true);
	case FORMAT_PROTOBUF_FQN:
		return format_is_protobuf_name(text);
	case FORMAT_PROTOBUF_DOT_FQN:
		return is_protobuf_dot_name(text);
	case FORMAT_HTTP_HEADER_NAME:
		return format_is_header_name(text, strict);
	case FORMAT_HTTP_HEADER_VALUE:
		return format_is_header_value(text, strict);
	case FORMAT_BYTES_IP:
		return text.size == IPV4_BYTES || text.size == IPV6_BYTES;
	case FORMAT_BYTES_IPV4:
		return text.size == IPV4_BYTES;
	case FORMAT_BYTES_IPV6:
		return text.size == IPV6_BYTES;
	case FORMAT_BYTES_UUID:
		return text.size == UUID_RAW_BYTES;
	}
	return false; /* no such format */
}

const char *format_name(enum format format)
{
	static const char *const names[] = {
		[FORMAT_EMAIL] = "an email address",
		[FORMAT_HOSTNAME] = "a hostname",
		[FORMAT_IP] = "an IP address",
		[FORMAT_IPV4] = "an IPv4 address",
		[FORMAT_IPV6] = "an IPv6 address",
		[FORMAT_IP_WITH_PREFIXLEN] = "an IP address with a prefix length",
		[FORMAT_IPV4_WITH_PREFIXLEN] = "an IPv4 address with a prefix length",
		[FORMAT_IPV6_WITH_PREFIXLEN] = "an IPv6 address with a prefix length",
		[FORMAT_IP_PREFIX] = "an IP prefix",
		[FORMAT_IPV4_PREFIX] = "an IPv4 prefix",
		[FORMAT_IPV6_PREFIX] = "an IPv6 prefix",
		[FORMAT_URI] = "a URI",
		[FORMAT_URI_REF] = "a URI or a relative reference",
		[FORMAT_ADDRESS] = "a hostname or an IP address",
		[FORMAT_UUID] = "a UUID",
		[FORMAT_TUUID] = "a UUID without dashes",
		[FORMAT_ULID] = "a ULID",
		[FORMAT_HOST_AND_PORT] = "a host with a port",
		[FORMAT_PROTOBUF_FQN] = "a full Protobuf name",
		[FORMAT_PROTOBUF_DOT_FQN] = "a full Protobuf name after a dot",
		[FORMAT_HTTP_HEADER_NAME] = "an HTTP header name",
		[FORMAT_HTTP_HEADER_VALUE] = "an HTTP header value",
		[FORMAT_BYTES_IP] = "an IP address of 4 or 16 bytes",
		[FORMAT_BYTES_IPV4] = "an IPv4 address of 4 bytes",
		[FORMAT_BYTES_IPV6] = "an IPv6 address of 16 bytes",
		[FORMAT_BYTES_UUID] = "a UUID of 16 bytes",
	};

	return names[format];
}
