/* bytes - a borrowed run of bytes, a growing buffer of owned ones, and the
 * little-endian numbers that files and keys are made of.
 */
#ifndef SLUICE_KERNELS_BASE_BYTES_H
#define SLUICE_KERNELS_BASE_BYTES_H

#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed; whoever hands one out says for how long. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
	return (struct bytes){(const uint8_t *)data, size};
}

static inline struct bytes bytes_of_string(const char *string)
{
	return (struct bytes){(const uint8_t *)string, string ? strlen(string) : 0};
}

/* bytes_compare - as memcmp, a prefix before what it begins. */
int bytes_compare(struct bytes a, struct bytes b);
bool bytes_equal(struct bytes a, struct bytes b);

/* bytes_is_utf8 - strict UTF-8: no overlong forms, surrogates or values above 10FFFF. */
bool bytes_is_utf8(struct bytes text);

/* text_mend - where the string is not UTF-8, puts a question mark for each byte that is not ASCII. */
void text_mend(char *text);

/* buffer - owned bytes that grow. Life cycle: all zero is empty, buffer_finish frees.
 * An append that cannot get memory, or would pass SIZE_MAX / 2, sets failed and from then on
 * appends do nothing: check once, at the end. */
struct buffer {
	uint8_t *data;
	size_t size, capacity;
	bool failed;
};

void buffer_finish(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
/* buffer_reserve - room for size more bytes at the returned place, which buffer->size does not
 * count yet; NULL without memory. */
void *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u32(struct buffer *buffer, uint32_t value);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
/* buffer_append_varint - base 128, low bits first: at most 10 bytes. */
void buffer_append_varint(struct buffer *buffer, uint64_t value);

SCOPE_DEFINE(buffer, buffer_finish)

/* Little-endian numbers at any alignment. */
static inline uint32_t load_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline void store_u32(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof v);
}

static inline void store_u64(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof v);
}

/* Big-endian: a key that sorts as its number under memcmp. */
static inline uint64_t load_u64_be(const void *p)
{
	return __builtin_bswap64(load_u64(p));
}

static inline void store_u64_be(void *p, uint64_t v)
{
	store_u64(p, __builtin_bswap64(v));
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "files are little-endian and so is every machine this is built for"
#endif

/* reader - takes numbers and runs off the front of bytes. Past the end it sets failed and gives
 * zeros: check once, at the end. */
struct reader {
	const uint8_t *at, *end;
	bool failed;
};

static inline struct reader reader_of(struct bytes bytes)
{
	return (struct reader){bytes.data, bytes.data ? bytes.data + bytes.size : NULL, false};
}

uint8_t reader_u8(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
/* reader_varint - at most 10 bytes and 64 bits, or it fails. */
uint64_t reader_varint(struct reader *reader);
/* reader_take - the next size bytes, borrowed; empty, with failed set, where they are not there. */
struct bytes reader_take(struct reader *reader, size_t size);

#endif
