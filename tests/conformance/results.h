/* results - violations and results as buf.validate and its conformance protocol encode them. */
#ifndef SLUICE_TESTS_CONFORMANCE_RESULTS_H
#define SLUICE_TESTS_CONFORMANCE_RESULTS_H

#include "kernels/base/bytes.h"
#include "service/schema/check.h"

/* Fields of TestResult. */
enum result {
	RESULT_SUCCESS = 1,
	RESULT_VALIDATION_ERROR = 2,
	RESULT_COMPILATION_ERROR = 3,
	RESULT_RUNTIME_ERROR = 4,
	RESULT_UNEXPECTED_ERROR = 5,
};

/* violation_encode - appends to the bytes of a buf.validate.Violations. */
void violation_encode(struct buffer *violations, const struct violation *violation);

/* violation_append - the same for one that is encoded already. */
void violation_append(struct buffer *violations, struct bytes violation);

void result_encode(struct buffer *to, enum result result, struct bytes value);
void result_encode_text(struct buffer *to, enum result result, const char *text);
void result_encode_success(struct buffer *to);

/* response_append - one named TestResult to the bytes of a TestConformanceResponse. */
void response_append(struct buffer *response, struct bytes name, struct bytes result);

/* encode_bytes, encode_number - one field. */
void encode_bytes(struct buffer *to, uint32_t number, struct bytes value);
void encode_number(struct buffer *to, uint32_t number, uint64_t value);

#endif
