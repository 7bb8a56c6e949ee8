/* message - a request's bytes to a message that is safe to read.
 *
 * The bytes are checked against the contract first (schema/check.h): what is unpacked is known to parse,
 * to be within every limit of the .proto, and to hold only strings that are C strings.
 */
#ifndef SLUICE_SERVICE_CODEC_MESSAGE_H
#define SLUICE_SERVICE_CODEC_MESSAGE_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <protobuf-c/protobuf-c.h>

/* message_unpack - contract_init must have succeeded.
 * ret  of the descriptor's type, in the arena: never free_unpacked.
 * Fails: INVALID_ARGUMENT (SCHEMA_VIOLATION, with every violation; MALFORMED_MESSAGE)
 * RESOURCE_EXHAUSTED (it unpacks to more than the arena takes) */
status message_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		      struct bytes bytes, ProtobufCMessage **ret);

/* message_peek - a number of the outermost message, also of one that will be refused: the varint
 * field's last value as far as the bytes parse, 0 where there is none. */
uint64_t message_peek(struct bytes bytes, uint32_t field);

/* message_peek_bytes - likewise a string or a message within it, in bytes; empty where there is none. */
struct bytes message_peek_bytes(struct bytes bytes, uint32_t field);

#endif
