/* base64 - three bytes as four letters of six bits. */
#include "service/cli/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buffer *text, struct bytes bytes)
{
	for (size_t at = 0; at < bytes.size; at += 3) {
		size_t n = bytes.size - at < 3 ? bytes.size - at : 3;
		uint32_t bits = 0;
		char letters[4] = {'=', '=', '=', '='};

		for (size_t i = 0; i < n; i++)
			bits |= (uint32_t)bytes.data[at + i] << (16 - 8 * i);
		for (size_t i = 0; i <= n; i++)
			letters[i] = alphabet[bits >> (18 - 6 * i) & 63];
		buffer_append(text, letters, sizeof letters);
	}
}

bool base64_decode(const char *text, struct buffer *ret)
{
	size_t size = strlen(text), n_letters = size;
	uint32_t bits = 0;

	while (n_letters > 0 && size - n_letters < 2 && text[n_letters - 1] == '=')
		n_letters--;
	if (n_letters % 4 == 1 || (n_letters < size && size % 4 != 0))
		return false;
	for (size_t i = 0; i < n_letters; i++) {
		const char *letter = strchr(alphabet, text[i]);

		if (!letter)
			return false;
		bits = bits << 6 | (uint32_t)(letter - alphabet);
		/* A byte is full after every letter but the first of four. */
		if (i % 4 > 0)
			buffer_append_u8(ret, (uint8_t)(bits >> (6 - 2 * (i % 4))));
	}
	return !ret->failed;
}
