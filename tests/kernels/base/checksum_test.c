#include "kernels/base/checksum.h"

#include "tests/kernels/random.h"

#include <criterion/criterion.h>

/* RFC 3720, B.4, and the customary check value. */
Test(checksum, crc32c_of_known_data)
{
	uint8_t zeros[32] = {0}, ones[32], up[32];

	for (size_t i = 0; i < 32; i++) {
		ones[i] = 0xFF;
		up[i] = (uint8_t)i;
	}
	cr_assert_eq(checksum_crc32c(0, bytes_of_string("123456789")), 0xE3069283U);
	cr_assert_eq(checksum_crc32c(0, bytes_of(zeros, 32)), 0x8A9136AAU);
	cr_assert_eq(checksum_crc32c(0, bytes_of(ones, 32)), 0x62A8AB43U);
	cr_assert_eq(checksum_crc32c(0, bytes_of(up, 32)), 0x46DD794EU);
	cr_assert_eq(checksum_crc32c(0, bytes_of(NULL, 0)), 0);
}

static uint32_t crc32c_bit_by_bit(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xFFFFFFFFU;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
	}
	return ~crc;
}

Test(checksum, crc32c_is_the_same_by_table_by_instruction_and_in_parts)
{
	struct random random = {99};
	uint8_t data[300];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)random_bits(&random);
	for (size_t size = 0; size < sizeof data; size++) {
		uint32_t want = crc32c_bit_by_bit(data, size);
		size_t cut = random_below(&random, size + 1);
		uint32_t head = checksum_crc32c(0, bytes_of(data, cut));

		cr_assert_eq(checksum_crc32c(0, bytes_of(data, size)), want, "size %zu", size);
		cr_assert_eq(checksum_crc32c_portable(0, bytes_of(data, size)), want, "size %zu",
			     size);
		cr_assert_eq(checksum_crc32c(head, bytes_of(data + cut, size - cut)), want,
			     "size %zu cut at %zu", size, cut);
	}
}

/* Of the reference implementation: key 00 .. 0f, input 00, 01, ... of each length. */
Test(checksum, siphash_of_known_data)
{
	static const struct {
		size_t size;
		uint64_t want;
	} cases_64[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)},
	};
	static const struct {
		size_t size;
		uint8_t want[16];
	} cases_128[] = {
		{0,
		 {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
		  0x55, 0x02, 0x93}},
		{1,
		 {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
		  0x22, 0xfc, 0x45}},
	};
	uint8_t key[16], data[64];

	for (size_t i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < 64; i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof cases_64 / sizeof *cases_64; i++)
		cr_assert_eq(hash_64(key, bytes_of(data, cases_64[i].size)), cases_64[i].want,
			     "size %zu", cases_64[i].size);
	for (size_t i = 0; i < sizeof cases_128 / sizeof *cases_128; i++) {
		uint8_t got[16];

		hash_128(key, bytes_of(data, cases_128[i].size), got);
		cr_assert_arr_eq(got, cases_128[i].want, 16, "size %zu", cases_128[i].size);
	}
}

Test(checksum, siphash_depends_on_every_bit_of_key_and_data)
{
	uint8_t key[HASH_KEY_BYTES] = {1}, data[37] = {2}, whole[HASH_128_BYTES];
	struct bytes bytes = bytes_of(data, sizeof data);
	const uint64_t short_one = hash_64(key, bytes);

	hash_128(key, bytes, whole);
	for (size_t bit = 0; bit < 8 * (sizeof key + sizeof data); bit++) {
		size_t at = bit / 8;
		uint8_t *byte = at < sizeof key ? &key[at] : &data[at - sizeof key];
		uint8_t changed[HASH_128_BYTES];

		*byte ^= (uint8_t)(1 << bit % 8);
		hash_128(key, bytes, changed);
		cr_assert_neq(hash_64(key, bytes), short_one, "bit %zu", bit);
		cr_assert_neq(memcmp(changed, whole, sizeof whole), 0, "bit %zu", bit);
		*byte ^= (uint8_t)(1 << bit % 8);
	}
}
