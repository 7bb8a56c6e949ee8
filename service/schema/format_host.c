/* format_host - names of hosts, and hosts with ports. */
#include "service/schema/format.h"
#include "service/schema/format_parts.h"

#define LABEL_MAX_BYTES 63
/* 255 of RFC 1034 are on the wire: a length before the first label and a zero behind the last. */
#define HOSTNAME_MAX_BYTES 253
#define PORT_MAX 65535

bool format_number_parse(struct bytes text, uint32_t max, uint32_t *ret)
{
	uint32_t number = 0;

	/* Six digits cannot overflow, and no limit here has more. */
	if (text.size == 0 || text.size > 6 || (text.size > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (!is_digit(text.data[i]))
			return false;
		number = number * 10 + (uint32_t)(text.data[i] - '0');
	}
	if (number > max)
		return false;
	*ret = number;
	return true;
}

static bool is_label(struct bytes label, bool *ret_all_digits)
{
	bool all_digits = true;

	if (label.size == 0 || label.size > LABEL_MAX_BYTES || label.data[0] == '-' ||
	    label.data[label.size - 1] == '-')
		return false;
	for (size_t i = 0; i < label.size; i++) {
		if (is_digit(label.data[i]))
			continue;
		if (!is_letter(label.data[i]) && label.data[i] != '-')
			return false;
		all_digits = false;
	}
	*ret_all_digits = all_digits;
	return true;
}

bool format_is_labels(struct bytes text, bool *ret_all_digits)
{
	for (;;) {
		size_t dot = find(text, '.');

		if (!is_label(bytes_of(text.data, dot), ret_all_digits))
			return false;
		if (dot == text.size)
			return true;
		text = from(text, dot + 1);
	}
}

bool format_is_hostname(struct bytes text)
{
	bool all_digits;

	/* The root may be named. */
	if (text.size > 0 && text.data[text.size - 1] == '.')
		text.size--;
	return text.size <= HOSTNAME_MAX_BYTES && format_is_labels(text, &all_digits) &&
	       !all_digits;
}

bool format_is_host_and_port(struct bytes text, bool port_required)
{
	size_t host_end = find_last(text, ':');
	bool bracketed = text.size > 0 && text.data[0] == '[';
	uint32_t port;

	if (bracketed) {
		/* The colons within are the address's own, and a zone may hold brackets. */
		size_t bracket = find_last(text, ']');

		if (bracket == text.size)
			return false;
		if (bracket + 1 == text.size)
			host_end = text.size;
		else if (host_end != bracket + 1)
			return false;
	}
	if (host_end == text.size ? port_required
				  : !format_number_parse(from(text, host_end + 1), PORT_MAX, &port))
		return false;
	text.size = host_end;
	if (bracketed)
		return format_is_ip(bytes_of(text.data + 1, text.size - 2), 6);
	return format_is_hostname(text) || format_is_ip(text, 4);
}
