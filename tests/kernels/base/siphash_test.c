#include "kernels/base/siphash.h"

#include <criterion/criterion.h>

/* As in the paper's appendix and the authors' vectors: the key counts from 0, and so do the data. */
static const struct {
	size_t size;
	uint8_t of_64[8], of_128[16];
} cases[] = {
	{0,
	 {0x31, 0x0E, 0x0E, 0xDD, 0x47, 0xDB, 0x6F, 0x72},
	 {0xA3, 0x81, 0x7F, 0x04, 0xBA, 0x25, 0xA8, 0xE6, 0x6D, 0xF6, 0x72, 0x14, 0xC7, 0x55, 0x02,
	  0x93}},
	{1,
	 {0xFD, 0x67, 0xDC, 0x93, 0xC5, 0x39, 0xF8, 0x74},
	 {0xDA, 0x87, 0xC1, 0xD8, 0x6B, 0x99, 0xAF, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9B, 0x22, 0xFC,
	  0x45}},
};

static void count_up(uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)i;
}

Test(siphash, gives_what_its_authors_give)
{
	uint8_t key[SIPHASH_KEY_BYTES], data[16], found[SIPHASH_TAG_BYTES];

	count_up(key, sizeof key);
	count_up(data, sizeof data);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes bytes = bytes_of(data, cases[i].size);

		store_u64(found, siphash64(key, bytes));
		cr_assert_arr_eq(found, cases[i].of_64, 8, "%zu bytes", cases[i].size);
		siphash128(key, bytes, found);
		cr_assert_arr_eq(found, cases[i].of_128, 16, "%zu bytes", cases[i].size);
	}
	cr_assert_eq(siphash64(key, bytes_of(data, 15)), 0xA129CA6149BE45E5U);
}

Test(siphash, depends_on_every_bit_of_key_and_data)
{
	uint8_t key[SIPHASH_KEY_BYTES] = {1}, data[37] = {2}, whole[SIPHASH_TAG_BYTES];
	struct bytes bytes = bytes_of(data, sizeof data);
	const uint64_t short_one = siphash64(key, bytes);

	siphash128(key, bytes, whole);
	for (size_t bit = 0; bit < 8 * (sizeof key + sizeof data); bit++) {
		size_t at = bit / 8;
		uint8_t *byte = at < sizeof key ? &key[at] : &data[at - sizeof key];
		uint8_t changed[SIPHASH_TAG_BYTES];

		*byte ^= (uint8_t)(1 << bit % 8);
		siphash128(key, bytes, changed);
		cr_assert_neq(siphash64(key, bytes), short_one, "bit %zu", bit);
		cr_assert_neq(memcmp(changed, whole, sizeof whole), 0, "bit %zu", bit);
		*byte ^= (uint8_t)(1 << bit % 8);
	}
}
