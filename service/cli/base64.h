/* base64 - bytes as text, in the standard alphabet, padded (RFC 4648). */
#ifndef SLUICE_SERVICE_CLI_BASE64_H
#define SLUICE_SERVICE_CLI_BASE64_H

#include "kernels/base/bytes.h"

/* base64_append - without line breaks and without a NUL. */
void base64_append(struct buffer *text, struct bytes bytes);

/* base64_decode - appends what the text stands for; also without its padding. False, and perhaps
 * something appended, where it is no such text. */
bool base64_decode(const char *text, struct buffer *ret);

#endif
