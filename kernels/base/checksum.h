/* checksum - CRC-32C (Castagnoli) for damage, and a keyed 64-bit hash for tables and for telling
 * byte strings apart.
 */
#ifndef SLUICE_KERNELS_BASE_CHECKSUM_H
#define SLUICE_KERNELS_BASE_CHECKSUM_H

#include "kernels/base/bytes.h"

/* checksum_crc32c - of data, going on from crc (0 to begin). Polynomial 0x1EDC6F41, reflected;
 * "123456789" gives 0xE3069283. Uses the processor's instruction where it has it. */
uint32_t checksum_crc32c(uint32_t crc, struct bytes data);

/* checksum_crc32c_portable - the same without the instruction; what machines that lack it run. */
uint32_t checksum_crc32c_portable(uint32_t crc, struct bytes data);

#define HASH_KEY_BYTES 16
#define HASH_128_BYTES 16

/* hash_128 - SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, 2012). Whoever has not the key
 * can neither tell the hash of bytes of his own nor find two strings of one hash. */
void hash_128(const uint8_t key[HASH_KEY_BYTES], struct bytes data, uint8_t ret[HASH_128_BYTES]);

/* hash_64 - SipHash-2-4 with a 64-bit result. */
uint64_t hash_64(const uint8_t key[HASH_KEY_BYTES], struct bytes data);

#endif
