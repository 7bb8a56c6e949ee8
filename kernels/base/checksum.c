/* checksum - CRC-32C by instruction or by table, and SipHash-2-4. */
#include "kernels/base/checksum.h"

/* What bit b of a byte adds to the remainder: the polynomial's table is linear, so eight numbers
 * give all 256. */
#define BIT_0 0xF26B8303U
#define BIT_1 0xE13B70F7U
#define BIT_2 0xC79A971FU
#define BIT_3 0x8AD958CFU
#define BIT_4 0x105EC76FU
#define BIT_5 0x20BD8EDEU
#define BIT_6 0x417B1DBCU
#define BIT_7 0x82F63B78U
#define PICK(i, bit) (((i) >> bit & 1U) * BIT_##bit)
#define ROW_1(i)                                                                                   \
	(PICK(i, 0) ^ PICK(i, 1) ^ PICK(i, 2) ^ PICK(i, 3) ^ PICK(i, 4) ^ PICK(i, 5) ^             \
	 PICK(i, 6) ^ PICK(i, 7))
#define ROW_4(i) ROW_1(i), ROW_1((i) + 1U), ROW_1((i) + 2U), ROW_1((i) + 3U)
#define ROW_16(i) ROW_4(i), ROW_4((i) + 4U), ROW_4((i) + 8U), ROW_4((i) + 12U)
#define ROW_64(i) ROW_16(i), ROW_16((i) + 16U), ROW_16((i) + 32U), ROW_16((i) + 48U)

static const uint32_t crc32c_table[256] = {ROW_64(0U), ROW_64(64U), ROW_64(128U), ROW_64(192U)};

uint32_t checksum_crc32c_portable(uint32_t crc, struct bytes data)
{
	crc = ~crc;
	for (size_t i = 0; i < data.size; i++)
		crc = crc >> 8 ^ crc32c_table[(crc ^ data.data[i]) & 0xFF];
	return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, struct bytes data)
{
	uint64_t wide = ~crc;
	size_t i = 0;

	for (; data.size - i >= 8; i += 8)
		wide = __builtin_ia32_crc32di(wide, load_u64(data.data + i));
	crc = (uint32_t)wide;
	for (; i < data.size; i++)
		crc = __builtin_ia32_crc32qi(crc, data.data[i]);
	return ~crc;
}

uint32_t checksum_crc32c(uint32_t crc, struct bytes data)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, data);
	return checksum_crc32c_portable(crc, data);
}

#else

uint32_t checksum_crc32c(uint32_t crc, struct bytes data)
{
	return checksum_crc32c_portable(crc, data);
}

#endif

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotate(s->b, 13) ^ s->a;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a = rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotate(s->b, 17) ^ s->c;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c = rotate(s->c, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	sip_round(s);
	s->a ^= word;
}

static uint64_t sip_end(struct sip *s)
{
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

/* The state after all of data; wide for the 128-bit result. */
static struct sip sip_absorb(const uint8_t key[HASH_KEY_BYTES], struct bytes data, bool wide)
{
	uint64_t k0 = load_u64(key), k1 = load_u64(key + 8);
	struct sip s = {
		.a = k0 ^ UINT64_C(0x736f6d6570736575),
		.b = k1 ^ UINT64_C(0x646f72616e646f6d) ^ (wide ? 0xEE : 0),
		.c = k0 ^ UINT64_C(0x6c7967656e657261),
		.d = k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)data.size << 56;
	size_t i = 0;

	for (; data.size - i >= 8; i += 8)
		sip_word(&s, load_u64(data.data + i));
	for (unsigned shift = 0; i < data.size; i++, shift += 8)
		last |= (uint64_t)data.data[i] << shift;
	sip_word(&s, last);
	s.c ^= wide ? 0xEE : 0xFF;
	return s;
}

void hash_128(const uint8_t key[HASH_KEY_BYTES], struct bytes data, uint8_t ret[HASH_128_BYTES])
{
	struct sip s = sip_absorb(key, data, true);

	store_u64(ret, sip_end(&s));
	s.b ^= 0xDD;
	store_u64(ret + 8, sip_end(&s));
}

uint64_t hash_64(const uint8_t key[HASH_KEY_BYTES], struct bytes data)
{
	struct sip s = sip_absorb(key, data, false);

	return sip_end(&s);
}
