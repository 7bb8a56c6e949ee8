/* raw_client - HTTP/2 by hand over a socket, for what no library would send. */
#ifndef SLUICE_TESTS_SERVICE_RPC_RAW_CLIENT_H
#define SLUICE_TESTS_SERVICE_RPC_RAW_CLIENT_H

#include "kernels/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/* raw_connect - a TCP socket to "127.0.0.1:PORT"; nothing is sent yet. */
int raw_connect(const char *address);

/* raw_send - all of it; false where the peer has closed. */
bool raw_send(int fd, struct bytes data);

/* raw_begin - preface, settings, and the headers of stream 1. encoding  of grpc-encoding, or NULL.
 */
void raw_begin(int fd, const char *path, const char *encoding);

/* raw_message - one DATA frame of stream 1 with the 5 bytes before a message.
 * flag  1: says that it is compressed. claimed  the length in front, true or not. */
void raw_message(int fd, uint8_t flag, uint32_t claimed, struct bytes message, bool end);

/* raw_status - reads until a grpc-status comes, and gives it; -1 where the connection ends first or
 * 10 s pass. */
int raw_status(int fd);

#endif
