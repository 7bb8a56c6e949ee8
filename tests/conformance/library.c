/* library - found in the bytes of a message's options, answered from the bytes of its value. */
#include "tests/conformance/library.h"

#include "service/schema/format.h"
#include "service/schema/wire.h"
#include "tests/conformance/results.h"

#include <string.h>

/* Field numbers: of buf.validate.message in MessageOptions, and in MessageRules and Rule. */
#define OPTION_MESSAGE 1159
#define RULES_CEL 3
#define RULE_ID 1
#define RULE_EXPRESSION 3

static const struct {
	const char *call;
	enum library_function function;
} functions[] = {
	{"this.val.isHostname(", LIBRARY_HOSTNAME},
	{"this.val.isHostAndPort(", LIBRARY_HOST_AND_PORT},
	{"this.val.isIpPrefix(", LIBRARY_IP_PREFIX},
	{"this.val.isIp(", LIBRARY_IP},
	{"this.val.isEmail(", LIBRARY_EMAIL},
	{"this.val.isUriRef(", LIBRARY_URI_REF},
	{"this.val.isUri(", LIBRARY_URI},
};

/* The length-delimited fields of a number: the last one, and how many. */
static struct bytes find(struct bytes message, uint32_t number, size_t *ret_n)
{
	struct wire wire = wire_of(message);
	struct bytes found = {NULL, 0};

	*ret_n = 0;
	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		struct bytes value;

		if (tag.type == WIRE_LENGTH) {
			value = wire_length_delimited(&wire);
			if (tag.number == number) {
				found = value;
				++*ret_n;
			}
		} else if (tag.type == WIRE_VARINT) {
			wire_varint(&wire);
		} else {
			break;
		}
	}
	return found;
}

bool library_find(const struct schema_message *message, struct library_call *ret)
{
	size_t n, n_rules;
	struct bytes rules = find(message->options, OPTION_MESSAGE, &n);
	struct bytes rule = find(rules, RULES_CEL, &n_rules);
	struct bytes expression;

	if (n != 1 || n_rules != 1)
		return false;
	expression = find(rule, RULE_EXPRESSION, &n);
	for (size_t i = 0; n == 1 && i < sizeof functions / sizeof *functions; i++) {
		const char *call = functions[i].call;

		if (!memmem(expression.data, expression.size, call, strlen(call)))
			continue;
		*ret = (struct library_call){message, functions[i].function,
					     find(rule, RULE_ID, &n)};
		return true;
	}
	return false;
}

/* What a number field of the value holds; -1 where it is not set. */
static int64_t argument(const struct library_call *call, struct bytes value, const char *name)
{
	const struct schema_field *field = schema_field_by_name(call->message, name);
	struct wire wire = wire_of(value);
	int64_t found = -1;

	while (field && wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		uint64_t number = 0;

		if (tag.type == WIRE_LENGTH)
			wire_length_delimited(&wire);
		else
			number = wire_varint(&wire);
		if (tag.type == WIRE_VARINT && tag.number == field->number)
			found = (int64_t)number;
	}
	return found;
}

bool library_holds(const struct library_call *call, struct bytes value)
{
	const struct schema_field *field = schema_field_by_name(call->message, "val");
	int64_t version = argument(call, value, "version");
	size_t n;
	struct bytes text;

	if (!field)
		return false;
	text = find(value, field->number, &n);
	switch (call->function) {
	case LIBRARY_HOSTNAME:
		return format_matches(FORMAT_HOSTNAME, text, true);
	case LIBRARY_HOST_AND_PORT:
		return format_is_host_and_port(text, argument(call, value, "port_required") == 1);
	case LIBRARY_IP_PREFIX:
		return format_is_ip_prefix(text, version < 0 ? 0 : (int)version,
					   argument(call, value, "strict") == 1);
	case LIBRARY_IP:
		return format_is_ip(text, version < 0 ? 0 : (int)version);
	case LIBRARY_EMAIL:
		return format_matches(FORMAT_EMAIL, text, true);
	case LIBRARY_URI_REF:
		return format_matches(FORMAT_URI_REF, text, true);
	case LIBRARY_URI:
		return format_matches(FORMAT_URI, text, true);
	}
	return false;
}

void library_encode(struct buffer *violations, const struct library_call *call)
{
	SCOPED(buffer) out = &(struct buffer){0};

	encode_bytes(out, 2, call->id);
	encode_bytes(out, 3, bytes_of_string("must be what its rule asks for"));
	violation_append(violations, bytes_of(out->data, out->size));
}
