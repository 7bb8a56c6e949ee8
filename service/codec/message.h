/* message - a request's bytes to a message that is safe to read. */
#ifndef SLUICE_SERVICE_CODEC_MESSAGE_H
#define SLUICE_SERVICE_CODEC_MESSAGE_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <protobuf-c/protobuf-c.h>

/* message_unpack - ret  of the descriptor's type, in the arena: never free_unpacked.
 * Fails: INVALID_ARGUMENT (does not parse, or a string with a NUL or not UTF-8)
 * RESOURCE_EXHAUSTED */
status message_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		      struct bytes bytes, ProtobufCMessage **ret);

/* message_parse - the same without the look at the strings, which wire_check_strings has to follow:
 * for what has to be read even of a message that is refused. */
status message_parse(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		     struct bytes bytes, ProtobufCMessage **ret);

#endif
