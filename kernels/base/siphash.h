/* siphash - a short keyed hash: SipHash-2-4 (Aumasson and Bernstein, 2012), of 64 and of 128 bits.
 *
 * Whoever has not the key can neither tell a tag for bytes of his own nor find two strings of one
 * hash.
 */
#ifndef SLUICE_KERNELS_BASE_SIPHASH_H
#define SLUICE_KERNELS_BASE_SIPHASH_H

#include "kernels/base/bytes.h"

#define SIPHASH_KEY_BYTES 16
#define SIPHASH_TAG_BYTES 16

uint64_t siphash64(const uint8_t key[SIPHASH_KEY_BYTES], struct bytes data);
void siphash128(const uint8_t key[SIPHASH_KEY_BYTES], struct bytes data,
		uint8_t ret[SIPHASH_TAG_BYTES]);

#endif
