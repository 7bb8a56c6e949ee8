/* otlp_pairs - cut at commas, cut at the first equals sign, decoded. */
#include "service/telemetry/otlp_pairs.h"

#include "kernels/base/bytes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Without the spaces around it. */
static struct bytes trim(struct bytes text)
{
	while (text.size && isspace(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size && isspace(text.data[text.size - 1]))
		text.size--;
	return text;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (uint8_t)tolower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: a percent sign without two digits, a NUL, or no UTF-8. */
static const char *decode(struct bytes text, struct arena *arena)
{
	char *decoded = arena_copy(arena, text.data, text.size);
	size_t n = 0;

	if (!decoded)
		return NULL;
	for (size_t i = 0; i < text.size; i++) {
		int high, low;

		if (text.data[i] != '%') {
			decoded[n++] = (char)text.data[i];
			continue;
		}
		if (text.size - i < 3)
			return NULL;
		high = hex_digit(text.data[i + 1]);
		low = hex_digit(text.data[i + 2]);
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return NULL;
		decoded[n++] = (char)(high << 4 | low);
		i += 2;
	}
	decoded[n] = 0;
	return bytes_is_utf8(bytes_of_string(decoded)) ? decoded : NULL;
}

static bool put(struct otlp_pair_text pair, struct otlp_pair_text *ret, size_t max, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(ret[i].name, pair.name) == 0) {
			ret[i] = pair;
			return true;
		}
	}
	if (*n == max)
		return false;
	ret[(*n)++] = pair;
	return true;
}

static bool take(struct bytes part, struct arena *arena, struct otlp_pair_text *ret, size_t max,
		 size_t *n)
{
	const uint8_t *equals = memchr(part.data, '=', part.size);
	struct otlp_pair_text pair;
	struct bytes name, value;

	if (!equals)
		return false;
	name = trim(bytes_of(part.data, (size_t)(equals - part.data)));
	value = trim(bytes_of(equals + 1, (size_t)(part.data + part.size - (equals + 1))));
	if (!name.size)
		return false;
	pair.name = decode(name, arena);
	pair.value = decode(value, arena);
	return pair.name && pair.value && put(pair, ret, max, n);
}

bool otlp_pairs_parse(const char *text, struct arena *arena, struct otlp_pair_text *ret, size_t max,
		      size_t *ret_n)
{
	bool good = true;

	*ret_n = 0;
	while (*text) {
		size_t size = strcspn(text, ",");
		struct bytes part = trim(bytes_of(text, size));

		/* A comma too many is nobody's mistake to look for. */
		if (part.size)
			good &= take(part, arena, ret, max, ret_n);
		text += size + (text[size] == ',');
	}
	return good;
}
