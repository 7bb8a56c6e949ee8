/* json - commas, and texts with what JSON would take for its own escaped. */
#include "service/telemetry/json.h"

#include "service/telemetry/exposition.h"

static void append_char(struct json *json, char c)
{
	buffer_append(json->out, &c, 1);
}

static void append_text(struct json *json, const char *text)
{
	bool is_utf8 = bytes_is_utf8(bytes_of_string(text));

	append_char(json, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			buffer_printf(json->out, "\\%c", c);
		else if (c < 0x20)
			buffer_printf(json->out, "\\u%04x", c);
		else
			append_char(json, c > 0x7f && !is_utf8 ? '?' : *text);
	}
	append_char(json, '"');
}

void json_begin(struct json *json, const char *name)
{
	if (json->follows)
		append_char(json, ',');
	json->follows = true;
	if (!name)
		return;
	append_text(json, name);
	append_char(json, ':');
}

void json_open(struct json *json, const char *name, char bracket)
{
	json_begin(json, name);
	append_char(json, bracket);
	json->follows = false;
}

void json_close(struct json *json, char bracket)
{
	append_char(json, bracket);
	json->follows = true;
}

void json_put_number(struct json *json, const char *name, uint64_t number)
{
	json_begin(json, name);
	buffer_printf(json->out, "%llu", (unsigned long long)number);
}

void json_put_seconds(struct json *json, const char *name, int64_t ns)
{
	json_begin(json, name);
	buffer_printf(json->out, "%.6f", (double)ns / 1e9);
}

void json_put_flag(struct json *json, const char *name, bool flag)
{
	json_begin(json, name);
	buffer_printf(json->out, flag ? "true" : "false");
}

void json_put_text(struct json *json, const char *name, const char *text)
{
	json_begin(json, name);
	if (text)
		append_text(json, text);
	else
		buffer_printf(json->out, "null");
}
