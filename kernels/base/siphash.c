/* siphash - two rounds a word of eight bytes, four at the end. */
#include "kernels/base/siphash.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void rounds(struct state *s, int n)
{
	for (; n > 0; n--) {
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
}

static void absorb(struct state *s, uint64_t word)
{
	s->d ^= word;
	rounds(s, 2);
	s->a ^= word;
}

static struct state begin(const uint8_t key[SIPHASH_KEY_BYTES])
{
	uint64_t low = load_u64(key), high = load_u64(key + 8);

	/* The constants are "somepseudorandomlygeneratedbytes". */
	return (struct state){
		low ^ 0x736F6D6570736575U,
		high ^ 0x646F72616E646F6DU,
		low ^ 0x6C7967656E657261U,
		high ^ 0x7465646279746573U,
	};
}

static void absorb_all(struct state *s, struct bytes data)
{
	size_t at = 0;
	uint64_t last = (uint64_t)data.size << 56;

	for (; data.size - at >= 8; at += 8)
		absorb(s, load_u64(data.data + at));
	for (size_t i = 0; at + i < data.size; i++)
		last |= (uint64_t)data.data[at + i] << (8 * i);
	absorb(s, last);
}

static uint64_t squeeze(struct state *s)
{
	rounds(s, 4);
	return s->a ^ s->b ^ s->c ^ s->d;
}

uint64_t siphash64(const uint8_t key[SIPHASH_KEY_BYTES], struct bytes data)
{
	struct state s = begin(key);

	absorb_all(&s, data);
	s.c ^= 0xFF;
	return squeeze(&s);
}

void siphash128(const uint8_t key[SIPHASH_KEY_BYTES], struct bytes data,
		uint8_t ret[SIPHASH_TAG_BYTES])
{
	struct state s = begin(key);

	s.b ^= 0xEE;
	absorb_all(&s, data);
	s.c ^= 0xEE;
	store_u64(ret, squeeze(&s));
	s.b ^= 0xDD;
	store_u64(ret + 8, squeeze(&s));
}
