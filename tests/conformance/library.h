/* library - the calls of CEL's string formats, as the one rule of a message.
 *
 * CEL itself is not evaluated. A message whose rule asks whether this.val is a hostname, an email, an
 * IP address or the like is recognised by the function's name, and answered by service/schema/format,
 * so that the formats can be put to the test through every door that protovalidate has to them.
 */
#ifndef SLUICE_TESTS_CONFORMANCE_LIBRARY_H
#define SLUICE_TESTS_CONFORMANCE_LIBRARY_H

#include "kernels/base/bytes.h"
#include "service/schema/schema.h"

#include <stdbool.h>

enum library_function {
	LIBRARY_HOSTNAME,
	LIBRARY_HOST_AND_PORT, /* port_required */
	LIBRARY_IP_PREFIX,     /* version, strict */
	LIBRARY_IP,            /* version */
	LIBRARY_EMAIL,
	LIBRARY_URI_REF,
	LIBRARY_URI,
};

struct library_call {
	const struct schema_message *message;
	enum library_function function;
	struct bytes id; /* the rule's */
};

/* library_find - whether the message has one rule in CEL, and that a call from above. */
bool library_find(const struct schema_message *message, struct library_call *ret);

/* library_holds - of a message's bytes. */
bool library_holds(const struct library_call *call, struct bytes value);

/* library_encode - the violation. */
void library_encode(struct buffer *violations, const struct library_call *call);

#endif
