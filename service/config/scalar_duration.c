/* scalar_duration - "1m30s" to google.protobuf.Duration. */
#include "service/config/scalar_parts.h"

#include <ctype.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* In nanoseconds, in the order in which they may follow each other. */
static const struct unit time_units[] = {
	{"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000},
	{"ms", 1000000},      {"us", 1000},       {"ns", 1},
};

/* As google.protobuf.Duration has it: ten thousand years. */
#define DURATION_SECONDS_MAX 315576000000

static const struct unit *time_unit(const char *text, size_t size)
{
	for (size_t i = 0; i < sizeof time_units / sizeof *time_units; i++)
		if (strlen(time_units[i].name) == size &&
		    memcmp(time_units[i].name, text, size) == 0)
			return &time_units[i];
	return NULL;
}

/* The nanoseconds of "1.5s", in two parts; false where there are more of them than fit. */
static bool add_part(const char *number, const struct unit *unit, __int128 *sum)
{
	__int128 whole = 0, part = 0, scale = 1;
	const char *at = number;

	for (; isdigit((unsigned char)*at); at++) {
		whole = whole * 10 + (*at - '0');
		if (whole > (__int128)DURATION_SECONDS_MAX * 1000000000)
			return false;
	}
	if (*at == '.')
		for (at++; isdigit((unsigned char)*at) && scale < 1000000000; at++) {
			part = part * 10 + (*at - '0');
			scale *= 10;
		}
	*sum += whole * (__int128)unit->factor + part * (__int128)unit->factor / scale;
	return *sum <= (__int128)DURATION_SECONDS_MAX * 1000000000;
}

/* Numbers with units, each unit smaller than the one before. */
static bool read_duration(struct bytes bytes, __int128 *ret)
{
	char text[NUMBER_MAX_BYTES];
	const struct unit *last = NULL;
	const char *at = text;

	*ret = 0;
	if (!scalar_number_text(bytes, text))
		return false;
	while (*at) {
		size_t digits = strspn(at, "0123456789"), letters;
		const char *end = at + digits;
		const struct unit *unit;

		if (digits == 0)
			return false;
		if (*end == '.') {
			digits = strspn(end + 1, "0123456789");
			if (digits == 0)
				return false;
			end += 1 + digits;
		}
		letters = strspn(end, "hmsun");
		unit = time_unit(end, letters);
		if (!unit || (last && unit <= last) || !add_part(at, unit, ret))
			return false;
		last = unit;
		at = end + letters;
	}
	return true;
}

const char *scalar_encode_duration(struct reading *reading, struct buffer *ret)
{
	struct buffer owned = {0};
	SCOPED(buffer) value = &owned;
	__int128 ns;

	if (!read_duration(reading->scalar.text, &ns))
		return reading_refuse(reading, "yaml.duration",
				      "a duration with units, such as 20s, 500ms or 1m30s");
	scalar_append_tag(value, 1, WIRE_VARINT);
	buffer_append_varint(value, (uint64_t)(ns / 1000000000));
	scalar_append_tag(value, 2, WIRE_VARINT);
	buffer_append_varint(value, (uint64_t)(ns % 1000000000));
	scalar_append_tag(ret, reading->field->number, WIRE_LENGTH);
	buffer_append_varint(ret, value->size);
	buffer_append(ret, value->data, value->size);
	ret->failed |= value->failed;
	return NULL;
}
