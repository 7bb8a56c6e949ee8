/* bytes - comparing, checking, and the two ends of our own formats: buffer writes, reader reads. */
#include "kernels/base/bytes.h"

#include <stdlib.h>

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t shared = a.size < b.size ? a.size : b.size;
	int order = shared ? memcmp(a.data, b.data, shared) : 0;

	if (order)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The length of the character at at, 0 where there is none. What the second byte may be depends
 * on the first: that is where overlong forms, surrogates and values above 10FFFF are refused. */
static size_t utf8_length(const uint8_t *at, size_t left)
{
	uint8_t low = 0x80, high = 0xBF;
	size_t length;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xC2 || at[0] > 0xF4)
		return 0;
	length = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
	if (left < length)
		return 0;
	if (at[0] == 0xE0)
		low = 0xA0;
	else if (at[0] == 0xED)
		high = 0x9F;
	else if (at[0] == 0xF0)
		low = 0x90;
	else if (at[0] == 0xF4)
		high = 0x8F;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	}
	return length;
}

bool bytes_is_utf8(struct bytes text)
{
	size_t i = 0;

	while (i < text.size) {
		size_t length;

		/* Most text is ASCII: eight bytes at once. */
		if (text.size - i >= 8 &&
		    (load_u64(text.data + i) & UINT64_C(0x8080808080808080)) == 0) {
			i += 8;
			continue;
		}
		length = utf8_length(text.data + i, text.size - i);
		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

void text_mend(char *text)
{
	if (bytes_is_utf8(bytes_of_string(text)))
		return;
	for (; *text; text++)
		if ((unsigned char)*text > 0x7F)
			*text = '?';
}

void buffer_finish(struct buffer *buffer)
{
	if (!buffer)
		return;
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void *buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t need, capacity;
	uint8_t *data;

	if (buffer->failed)
		return NULL;
	if (size > SIZE_MAX / 2 - buffer->size) {
		buffer->failed = true;
		return NULL;
	}
	need = buffer->size + size;
	if (need <= buffer->capacity && buffer->data)
		return buffer->data + buffer->size;
	capacity = buffer->capacity < 64 ? 64 : buffer->capacity;
	while (capacity < need)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = true;
		return NULL;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return data + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	void *place = buffer_reserve(buffer, size);

	if (!place || size == 0)
		return;
	memcpy(place, data, size);
	buffer->size += size;
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
	buffer_append(buffer, &value, sizeof value);
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
	buffer_append(buffer, &value, sizeof value);
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
	buffer_append(buffer, &value, sizeof value);
}

void buffer_append_varint(struct buffer *buffer, uint64_t value)
{
	uint8_t coded[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		coded[n++] = (uint8_t)(value | 0x80);
	coded[n++] = (uint8_t)value;
	buffer_append(buffer, coded, n);
}

struct bytes reader_take(struct reader *reader, size_t size)
{
	const uint8_t *at = reader->at;

	if (reader->failed || size > (size_t)(reader->end - at)) {
		reader->failed = true;
		return (struct bytes){0};
	}
	if (size)
		reader->at = at + size;
	return (struct bytes){at, size};
}

uint8_t reader_u8(struct reader *reader)
{
	struct bytes taken = reader_take(reader, 1);

	return taken.size ? taken.data[0] : 0;
}

uint32_t reader_u32(struct reader *reader)
{
	struct bytes taken = reader_take(reader, sizeof(uint32_t));

	return taken.size ? load_u32(taken.data) : 0;
}

uint64_t reader_u64(struct reader *reader)
{
	struct bytes taken = reader_take(reader, sizeof(uint64_t));

	return taken.size ? load_u64(taken.data) : 0;
}

uint64_t reader_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(reader);

		/* The tenth byte has room for one bit. */
		if (reader->failed || (shift == 63 && byte > 1))
			break;
		value |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	reader->failed = true;
	return 0;
}
