/* sha256 - FIPS 180-4, in one piece: a key is short, and all that is hashed here. */
#ifndef SLUICE_SERVICE_ACCESS_SHA256_H
#define SLUICE_SERVICE_ACCESS_SHA256_H

#include "kernels/base/bytes.h"

#define SHA256_BYTES 32

void sha256(struct bytes message, uint8_t ret[SHA256_BYTES]);

#endif
