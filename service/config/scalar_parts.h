/* scalar_parts - what the files of scalar share. */
#ifndef SLUICE_SERVICE_CONFIG_SCALAR_PARTS_H
#define SLUICE_SERVICE_CONFIG_SCALAR_PARTS_H

#include "service/config/scalar.h"
#include "service/schema/wire.h"

#define NUMBER_MAX_BYTES 64

/* What goes on while a value is read. */
struct reading {
	const struct schema_field *field;
	struct scalar scalar;
	struct arena *arena;
	const char *sentence;
};

/* reading_refuse - notes "must be WANTED, found ..."; gives the rule. */
const char *reading_refuse(struct reading *reading, const char *rule, const char *wanted);

/* Each gives NULL, or the rule that is broken. */
const char *scalar_encode_unsigned(struct reading *reading, struct buffer *ret);
const char *scalar_encode_signed(struct reading *reading, struct buffer *ret);
const char *scalar_encode_real(struct reading *reading, struct buffer *ret);
const char *scalar_encode_duration(struct reading *reading, struct buffer *ret);

/* scalar_number_text - the text without underscores between digits, as a C string; false where it
 * cannot be a number. */
bool scalar_number_text(struct bytes text, char ret[NUMBER_MAX_BYTES]);

static inline void scalar_append_tag(struct buffer *ret, uint32_t number, enum wire_type type)
{
	buffer_append_varint(ret, (uint64_t)number << 3 | type);
}

#endif
