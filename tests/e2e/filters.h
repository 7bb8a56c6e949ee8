/* filters - values, conditions and filters as messages, for tests that ask with them.
 *
 * All are in the session's arena (world.h) and assert that there is memory.
 */
#ifndef SLUICE_TESTS_E2E_FILTERS_H
#define SLUICE_TESTS_E2E_FILTERS_H

#include "sluice/v1/filter.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* session_make - cleared. */
void *session_make(size_t size);

Sluice__V1__MetadataValue *value_text(const char *string);
Sluice__V1__MetadataValue *value_integer(int64_t number);
Sluice__V1__MetadataValue *value_number(double of);
Sluice__V1__MetadataValue *value_boolean(bool of);
Sluice__V1__MetadataValue *value_labels(const char *first, const char *second);

Sluice__V1__Condition *condition_equal(const char *field, Sluice__V1__MetadataValue *value);
Sluice__V1__Condition *condition_one_of(const char *field, Sluice__V1__MetadataValue *a,
					Sluice__V1__MetadataValue *b);
/* condition_between - gte and lt; NULL: no such bound. */
Sluice__V1__Condition *condition_between(const char *field, Sluice__V1__MetadataValue *from,
					 Sluice__V1__MetadataValue *below);
Sluice__V1__Condition *condition_exists(const char *field, bool there);
Sluice__V1__Condition *condition_begins(const char *field, const char *prefix);

/* filter_new - that names nothing. */
Sluice__V1__Filter *filter_new(void);
/* filter_all - b may be NULL. */
Sluice__V1__Filter *filter_all(Sluice__V1__Condition *a, Sluice__V1__Condition *b);
Sluice__V1__Filter *filter_none(Sluice__V1__Condition *a);
Sluice__V1__Filter *filter_any(Sluice__V1__Condition *a, Sluice__V1__Condition *b);
Sluice__V1__Filter *filter_documents(const char *a, const char *b);

#endif
