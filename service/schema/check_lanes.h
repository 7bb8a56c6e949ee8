/* check_lanes - what a check asks of many bytes at once, sixteen at a time.
 *
 * Optimisations that cannot change an answer: text and vectors are most of what clients send.
 */
#ifndef SLUICE_SERVICE_SCHEMA_CHECK_LANES_H
#define SLUICE_SERVICE_SCHEMA_CHECK_LANES_H

#include "kernels/base/bytes.h"

typedef int8_t lanes_i8 __attribute__((vector_size(16)));
typedef uint32_t lanes_u32 __attribute__((vector_size(16)));

/* All ones in the exponent is an infinity or a NaN. */
#define FLOAT_EXPONENT 0x7F800000U

static inline bool lanes_are_set(lanes_i8 lanes)
{
	uint64_t halves[2];

	memcpy(halves, &lanes, sizeof halves);
	return (halves[0] & halves[1]) == UINT64_MAX;
}

/* Which bytes of a block are above 0, as signed ones: ASCII without a NUL. */
static inline lanes_i8 lanes_plain(const uint8_t *at)
{
	lanes_i8 block;

	memcpy(&block, at, sizeof block);
	return (lanes_i8)(block > 0);
}

/* The same of eight bytes: a zero borrows from the bit that says "not ASCII". */
static inline bool word_is_plain(uint64_t word)
{
	return (((word - UINT64_C(0x0101010101010101)) | word) & UINT64_C(0x8080808080808080)) == 0;
}

/* Of 15 bytes at most; ends may overlap. */
static inline bool short_is_plain(const uint8_t *at, size_t size)
{
	if (size >= 8)
		return word_is_plain(load_u64(at)) && word_is_plain(load_u64(at + size - 8));
	if (size >= 4)
		return word_is_plain(load_u32(at) | (uint64_t)load_u32(at + size - 4) << 32);
	for (size_t i = 0; i < size; i++)
		if ((uint8_t)(at[i] - 1) >= 127)
			return false;
	return true;
}

/* text_is_plain - whether text is ASCII without a NUL: sound for whoever asks. */
static inline bool text_is_plain(struct bytes text)
{
	const uint8_t *at = text.data;
	size_t i = 0;
	lanes_i8 plain;

	if (text.size < 16)
		return short_is_plain(at, text.size);
	for (; text.size - i >= 64; i += 64) {
		plain = lanes_plain(at + i) & lanes_plain(at + i + 16) & lanes_plain(at + i + 32) &
			lanes_plain(at + i + 48);
		if (!lanes_are_set(plain))
			return false;
	}
	plain = lanes_plain(at + text.size - 16);
	for (; text.size - i >= 16; i += 16)
		plain &= lanes_plain(at + i);
	return lanes_are_set(plain);
}

/* Which of four floats are not finite. */
static inline lanes_u32 lanes_infinite(const uint8_t *at)
{
	lanes_u32 four;

	memcpy(&four, at, sizeof four);
	return (lanes_u32)((four & FLOAT_EXPONENT) == FLOAT_EXPONENT);
}

/* floats_finite - the first value of a run that is not finite; their number where all are. */
static inline size_t floats_finite(struct bytes packed)
{
	size_t n = packed.size / 4, at = 0;

	for (; at + 32 <= n; at += 32) {
		const uint8_t *from = packed.data + 4 * at;
		lanes_u32 left = (lanes_infinite(from) | lanes_infinite(from + 16)) |
				 (lanes_infinite(from + 32) | lanes_infinite(from + 48));
		lanes_u32 right = (lanes_infinite(from + 64) | lanes_infinite(from + 80)) |
				  (lanes_infinite(from + 96) | lanes_infinite(from + 112));

		if (!lanes_are_set((lanes_i8) ~(left | right)))
			break;
	}
	while (at < n && (load_u32(packed.data + 4 * at) & FLOAT_EXPONENT) != FLOAT_EXPONENT)
		at++;
	return at;
}

#endif
