/* encode - a message's bytes, written as one reads them.
 *
 *	1:5 1:-5      field 1, a varint            1:z-5      zigzag
 *	1:f0.5 1:dnan a float, a double            1:i7 1:l7  fixed of 4 and of 8 bytes
 *	1:"a\x00b"    a string                     1:{2:5}    a message
 *	1:[1 z-2 f3]  packed values                1:(2:5)    a group
 *	=08ff         bytes as they are            1000*1:5   that, so many times
 *
 * Pieces are parted by spaces. What is no such text ends the test.
 */
#ifndef SLUICE_TESTS_SERVICE_SCHEMA_ENCODE_H
#define SLUICE_TESTS_SERVICE_SCHEMA_ENCODE_H

#include "kernels/base/bytes.h"

/* encode - appends the message to a buffer. */
void encode(struct buffer *to, const char *text);

#endif
