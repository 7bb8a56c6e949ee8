/* trace_context - digits. */
#include "service/telemetry/trace_context.h"

/* Where what stands; a dash is before each but the version. */
enum {
	AT_TRACE_ID = 3,
	AT_SPAN_ID = AT_TRACE_ID + 2 * TRACE_ID_BYTES + 1,
	AT_FLAGS = AT_SPAN_ID + 2 * SPAN_ID_BYTES + 1,
	AT_END = AT_FLAGS + 2,
};

/* -1: none, capital letters included. */
static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ret  [n] */
static bool take(const uint8_t *at, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		int high = digit(at[2 * i]), low = digit(at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

bool trace_context_parse(struct bytes header, struct trace_context *ret)
{
	struct trace_context found;
	const uint8_t *at = header.data;
	uint8_t version;

	if (header.size < AT_END || !take(at, 1, &version) || version == 0xff)
		return false;
	if (at[AT_TRACE_ID - 1] != '-' || at[AT_SPAN_ID - 1] != '-' || at[AT_FLAGS - 1] != '-')
		return false;
	if (header.size > AT_END && (version == 0 || at[AT_END] != '-'))
		return false;
	if (!take(at + AT_TRACE_ID, TRACE_ID_BYTES, found.trace_id) ||
	    !take(at + AT_SPAN_ID, SPAN_ID_BYTES, found.span_id) ||
	    !take(at + AT_FLAGS, 1, &found.flags))
		return false;
	if (is_zero(found.trace_id, TRACE_ID_BYTES) || is_zero(found.span_id, SPAN_ID_BYTES))
		return false;
	*ret = found;
	return true;
}

void hex_print(char *ret, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * n] = 0;
}
