/* wire_strings - what protobuf-c lets pass in the strings of a message.
 *
 * A proto3 string is UTF-8, and here holds no NUL: unpacked, it is a C string, and what stands behind
 * a NUL would be gone without a word, so that two ids become one. Found in the bytes, before or after
 * they are unpacked; allocates nothing but details.
 */
#ifndef SLUICE_SERVICE_SCHEMA_WIRE_STRINGS_H
#define SLUICE_SERVICE_SCHEMA_WIRE_STRINGS_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <protobuf-c/protobuf-c.h>

/* wire_check_strings - every string field of a message and of those within it. Bytes that do not
 * parse are left to whoever parses them: OK.
 * Fails: INVALID_ARGUMENT, naming the field */
status wire_check_strings(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
			  struct bytes message);

#endif
