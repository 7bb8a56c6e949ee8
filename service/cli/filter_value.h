/* filter_value - the text of a filter, taken piece by piece, and the values in it. */
#ifndef SLUICE_SERVICE_CLI_FILTER_VALUE_H
#define SLUICE_SERVICE_CLI_FILTER_VALUE_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "sluice/v1/chunk.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"

struct filter_text {
	struct arena *arena;
	const char *begin, *at; /* up to a NUL */
};

/* filter_text_skip - white space. */
void filter_text_skip(struct filter_text *text);

/* filter_text_take - the sign, if it is the next thing behind white space.
 * filter_text_take_word - the same, but that no letter, digit or _ may follow. */
bool filter_text_take(struct filter_text *text, const char *sign);
bool filter_text_take_word(struct filter_text *text, const char *word);

/* filter_text_wrong - INVALID_ARGUMENT: "filter, at character N: " and the rest. */
status filter_text_wrong(const struct filter_text *text, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* filter_value_read - a word up to the next comma or closing bracket, or a JSON string, as a value
 * for a field. A whole number that is too large for an int is a double.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status filter_value_read(struct filter_text *text, const Sluice__V1__FieldSchema *field,
			 Sluice__V1__MetadataValue **ret);

#endif
