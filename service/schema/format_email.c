/* format_email - the address that the HTML standard takes: a narrow RFC 5322 without quotes,
 * comments or literals, since no more than that is of use in a form. */
#include "service/schema/format_parts.h"

static bool is_local(struct bytes text)
{
	if (text.size == 0)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		if (!is_letter(c) && !is_digit(c) && !is_one_of(c, ".!#$%&'*+/=?^_`{|}~-"))
			return false;
	}
	return true;
}

bool format_is_email(struct bytes text)
{
	size_t at = find(text, '@');
	bool all_digits;

	/* Not a hostname: digits alone and any length are taken, a dot at the end is not. */
	return at < text.size && is_local(bytes_of(text.data, at)) &&
	       format_is_labels(from(text, at + 1), &all_digits);
}
