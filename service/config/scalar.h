/* scalar - one value as people write it, to the wire encoding of a field.
 *
 * What is written depends on the field's type alone, never on how the text looks: `off` is a name
 * where an enum is expected, and `1e3` a string where a string is.
 */
#ifndef SLUICE_SERVICE_CONFIG_SCALAR_H
#define SLUICE_SERVICE_CONFIG_SCALAR_H

#include "service/config/problem.h"
#include "service/schema/schema.h"

struct scalar {
	struct bytes text;
	bool quoted; /* 12 is a number and "12" is none */
};

/* scalar_fits - whether the field's values, or its list's items, are scalars: all but messages other
 * than google.protobuf.Duration. */
bool scalar_fits(const struct schema_field *field);

/* scalar_encode - tag and value, appended to ret.
 *
 *	bool            true, false
 *	integers        12, -3, 1_000; of a field whose name has "bytes" in it also 64KiB, 4MB
 *	float, double   1, 0.5, 1e3
 *	string          any text; bytes too
 *	enum            a value's name, or its last part in small letters: GPU_MODE_OFF, off
 *	Duration        20s, 500ms, 1m30s, 1.5h
 *
 * Gives NULL; or the rule that is broken ("yaml.type", "yaml.enum", "yaml.duration"), with a
 * sentence in the arena, and appends nothing. */
const char *scalar_encode(const struct schema_field *field, struct scalar scalar,
			  struct arena *arena, struct buffer *ret, const char **ret_sentence);

/* scalar_enum_name - the last part in small letters of an enum value's name; in the arena. NULL
 * without memory. */
const char *scalar_enum_name(struct arena *arena, const struct schema_enum *enumeration,
			     const char *name);

/* scalar_is_unspecified - value 0 whose name ends in _UNSPECIFIED: what is not set has it, and
 * nobody writes it. */
bool scalar_is_unspecified(const struct schema_enum_value *value);

#endif
