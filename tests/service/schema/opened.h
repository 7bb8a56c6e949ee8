/* opened - the embedded sets of this folder as schemas, for the tests of schemas and rules. */
#ifndef SLUICE_TESTS_SERVICE_SCHEMA_OPENED_H
#define SLUICE_TESTS_SERVICE_SCHEMA_OPENED_H

#include "service/schema/rules.h"

/* What a failed call said, good until the next one. */
struct arena *opened_detail(void);

/* opened_rules - numbers, strings, lists, messages, second and refused; schema_close it. */
struct schema *opened_rules(void);
struct schema *opened_described(void);
struct schema *opened_editions(void);

/* opened_message, opened_field - fail the test where there is none. */
struct schema_message *opened_message(const struct schema *schema, const char *full_name);
struct schema_field *opened_field(const struct schema *schema, const char *message,
				  const char *field);

/* opened_must - fails the test with what the status says. */
void opened_must(status s);

#endif
