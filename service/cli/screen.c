/* screen - works on UTF-8 byte by byte; characters that are no ASCII are handed on whole. */
#include "service/cli/screen.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool screen_colours(FILE *out)
{
	const char *refused = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(refused && refused[0]);
}

/* The bytes of the character at text: one for what is no UTF-8. */
static size_t character_size(const char *text)
{
	unsigned char c = (unsigned char)*text;
	size_t size = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < size; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 1;
	return size;
}

/* C0, DEL, and C1, which terminals obey too (U+0080 to U+009F). */
static bool is_control(const char *character, size_t size)
{
	unsigned char c = (unsigned char)character[0];

	if (size == 1)
		return c < 0x20 || c >= 0x7f;
	return size == 2 && c == 0xc2 && (unsigned char)character[1] < 0xa0;
}

static void character_append(struct buffer *buffer, const char *character, size_t size)
{
	if (is_control(character, size))
		buffer_append_u8(buffer, ' ');
	else
		buffer_append(buffer, character, size);
}

void screen_line(struct buffer *buffer, const char *text, size_t columns)
{
	static const char ellipsis[] = "…";
	size_t end, last = buffer->size, n = 0;

	text += strspn(text, " \t\r\n");
	end = strcspn(text, "\r\n");
	for (size_t i = 0; i < end; n++) {
		size_t size = character_size(text + i);

		if (n + 1 == columns)
			last = buffer->size;
		if (n == columns) {
			buffer->size = last;
			buffer_append(buffer, ellipsis, sizeof ellipsis - 1);
			return;
		}
		character_append(buffer, text + i, size);
		i += size;
	}
}

void screen_block(struct buffer *buffer, const char *text, const char *indent)
{
	while (*text) {
		size_t end = strcspn(text, "\n");

		buffer_append(buffer, indent, strlen(indent));
		for (size_t i = 0; i < end;) {
			size_t size = character_size(text + i);

			character_append(buffer, text + i, size);
			i += size;
		}
		buffer_append_u8(buffer, '\n');
		text += end + (text[end] ? 1 : 0);
	}
}
