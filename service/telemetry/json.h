/* json - objects and lists, written as they come.
 *
 *	struct json json = {.out = &out};
 *
 *	json_open(&json, NULL, '{');
 *	json_put_number(&json, "calls", 3);
 *	json_close(&json, '}');
 *
 * name  of a member; NULL in a list, and of the outermost.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_JSON_H
#define SLUICE_SERVICE_TELEMETRY_JSON_H

#include "kernels/base/bytes.h"

struct json {
	struct buffer *out;
	bool follows; /* something stands before it on its level */
};

void json_open(struct json *json, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                  /* '}' or ']' */
void json_put_number(struct json *json, const char *name, uint64_t number);
void json_put_seconds(struct json *json, const char *name, int64_t ns);
void json_put_flag(struct json *json, const char *name, bool flag);
/* json_text - any bytes: what is no UTF-8 is mended. NULL: null. */
void json_put_text(struct json *json, const char *name, const char *text);
/* json_begin - the name alone: the value, which is JSON already, is appended by the caller. */
void json_begin(struct json *json, const char *name);

#endif
