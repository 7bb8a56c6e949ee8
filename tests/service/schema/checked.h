/* checked - what the check says of a message, in one line that a test can compare.
 *
 * The messages are those of the .proto files beside this one.
 */
#ifndef SLUICE_TESTS_SERVICE_SCHEMA_CHECKED_H
#define SLUICE_TESTS_SERVICE_SCHEMA_CHECKED_H

#include "kernels/base/bytes.h"
#include "service/schema/check.h"

/* A row of a table. */
struct check_case {
	const char *message; /* its name in package cases, or a full one */
	const char *text;    /* of encode.h */
	const char *says;
};

/* Where now is, for the rules that ask: 2001-09-09T01:46:40Z. */
#define CHECKED_NOW_S 1000000000

/* checked - "" where nothing is wrong; else "path rule_id" of each violation, sorted, parted by "; ",
 * " (key)" behind one for a map's key, or "! " and the detail of a failure alone, without the message's
 * name in front. Valid until the next call. */
const char *checked(const struct check_limits *limits, const char *message, struct bytes bytes);
const char *checked_text(const struct check_limits *limits, const char *message, const char *text);

/* check_cases - each row under the server's limits; a failure's detail may be longer than `says`. */
void check_cases(const struct check_case *cases, size_t n);
void check_cases_under(const struct check_limits *limits, const struct check_case *cases, size_t n);

#define CHECK_CASES(cases) check_cases((cases), sizeof(cases) / sizeof *(cases))

/* checked_message - compiled; ends the test where there is none. */
const struct schema_message *checked_message(const char *name);

#endif
