/* scalar_number - integers, sizes and reals. */
#include "service/config/scalar_parts.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"KiB", (uint64_t)1 << 10},
	{"MiB", (uint64_t)1 << 20},
	{"GiB", (uint64_t)1 << 30},
	{"TiB", (uint64_t)1 << 40},
	{"kB", 1000},
	{"KB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"TB", 1000000000000},
	{"B", 1},
};

bool scalar_number_text(struct bytes text, char ret[NUMBER_MAX_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '_' && i > 0 && i + 1 < text.size &&
		    isdigit(text.data[i - 1]) && isdigit(text.data[i + 1]))
			continue;
		if (text.data[i] == 0 || n == NUMBER_MAX_BYTES - 1)
			return false;
		ret[n++] = (char)text.data[i];
	}
	ret[n] = 0;
	return n > 0;
}

static bool field_takes_sizes(const struct schema_field *field)
{
	return strstr(field->name, "bytes") != NULL;
}

/* Whether text is a unit that the field takes: "" is one. */
static bool size_factor(const struct schema_field *field, const char *text, uint64_t *ret)
{
	*ret = 1;
	if (!*text)
		return true;
	if (!field_takes_sizes(field))
		return false;
	for (size_t i = 0; i < sizeof size_units / sizeof *size_units; i++)
		if (strcmp(text, size_units[i].name) == 0) {
			*ret = size_units[i].factor;
			return true;
		}
	return false;
}

/* -digits with a unit behind. ret  the amount, ret_negative  its sign.
 * Gives NULL, or what is wanted. */
static const char *read_integer(const struct reading *reading, uint64_t *ret, bool *ret_negative)
{
	const char *wanted = field_takes_sizes(reading->field)
				     ? "a whole number of bytes, such as 4194304, 64KiB or 4MiB"
				     : "a whole number";
	char text[NUMBER_MAX_BYTES], *end;
	unsigned long long number;
	uint64_t factor;
	const char *digits;

	if (reading->scalar.quoted || !scalar_number_text(reading->scalar.text, text))
		return wanted;
	*ret_negative = text[0] == '-';
	digits = text + *ret_negative;
	if (!isdigit((unsigned char)*digits))
		return wanted;
	errno = 0;
	number = strtoull(digits, &end, 10);
	if (!size_factor(reading->field, end, &factor))
		return wanted;
	if (errno || __builtin_mul_overflow((uint64_t)number, factor, ret))
		return "a number of at most 18446744073709551615";
	return NULL;
}

const char *scalar_encode_unsigned(struct reading *reading, struct buffer *ret)
{
	enum schema_type type = reading->field->type;
	bool is_short = type == SCHEMA_UINT32 || type == SCHEMA_FIXED32;
	bool negative = false;
	uint64_t number = 0;
	const char *wanted = read_integer(reading, &number, &negative);

	if (!wanted && negative && number > 0)
		wanted = "a whole number of at least 0";
	if (!wanted && is_short && number > UINT32_MAX)
		wanted = "a number of at most 4294967295";
	if (wanted)
		return reading_refuse(reading, "yaml.type", wanted);
	switch (type) {
	case SCHEMA_FIXED32:
		scalar_append_tag(ret, reading->field->number, WIRE_32);
		buffer_append_u32(ret, (uint32_t)number);
		return NULL;
	case SCHEMA_FIXED64:
		scalar_append_tag(ret, reading->field->number, WIRE_64);
		buffer_append_u64(ret, number);
		return NULL;
	default:
		scalar_append_tag(ret, reading->field->number, WIRE_VARINT);
		buffer_append_varint(ret, number);
		return NULL;
	}
}

const char *scalar_encode_signed(struct reading *reading, struct buffer *ret)
{
	enum schema_type type = reading->field->type;
	bool is_short = type == SCHEMA_INT32 || type == SCHEMA_SINT32 || type == SCHEMA_SFIXED32;
	uint64_t number = 0, most = is_short ? INT32_MAX : INT64_MAX;
	bool negative = false;
	const char *wanted = read_integer(reading, &number, &negative);

	if (!wanted && number > most + negative)
		wanted = is_short ? "a number of -2147483648 to 2147483647"
				  : "a number of -9223372036854775808 to 9223372036854775807";
	if (wanted)
		return reading_refuse(reading, "yaml.type", wanted);
	if (negative)
		number = 0 - number;
	switch (type) {
	case SCHEMA_SFIXED32:
		scalar_append_tag(ret, reading->field->number, WIRE_32);
		buffer_append_u32(ret, (uint32_t)number);
		return NULL;
	case SCHEMA_SFIXED64:
		scalar_append_tag(ret, reading->field->number, WIRE_64);
		buffer_append_u64(ret, number);
		return NULL;
	case SCHEMA_SINT32:
	case SCHEMA_SINT64:
		scalar_append_tag(ret, reading->field->number, WIRE_VARINT);
		buffer_append_varint(ret, number << 1 ^ (0 - (number >> 63)));
		return NULL;
	default:
		scalar_append_tag(ret, reading->field->number, WIRE_VARINT);
		buffer_append_varint(ret, number);
		return NULL;
	}
}

const char *scalar_encode_real(struct reading *reading, struct buffer *ret)
{
	char text[NUMBER_MAX_BYTES], *end = text;
	double number = 0;
	uint64_t bits64;
	uint32_t bits32;
	float single;

	/* strtod would also take hexadecimal, names and blanks. */
	if (!reading->scalar.quoted && scalar_number_text(reading->scalar.text, text) &&
	    text[strspn(text, "0123456789+-.eE")] == 0)
		number = strtod(text, &end);
	if (end == text || *end || !isfinite(number))
		return reading_refuse(reading, "yaml.type", "a number");
	if (reading->field->type == SCHEMA_DOUBLE) {
		memcpy(&bits64, &number, sizeof bits64);
		scalar_append_tag(ret, reading->field->number, WIRE_64);
		buffer_append_u64(ret, bits64);
		return NULL;
	}
	single = (float)number;
	if (!isfinite(single))
		return reading_refuse(reading, "yaml.type", "a number of at most 3.4e38");
	memcpy(&bits32, &single, sizeof bits32);
	scalar_append_tag(ret, reading->field->number, WIRE_32);
	buffer_append_u32(ret, bits32);
	return NULL;
}
