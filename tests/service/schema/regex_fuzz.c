/* A pattern that compiles keeps to its cap of states, and says the same of a text in a group.
 *
 * The first byte chooses how the rest is read: as it is, or each byte of the pattern as a piece of one;
 * the second is the pattern's share of the rest.
 */
#include "service/schema/regex.h"

#include <stdlib.h>

#define STATES_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pieces[] = {
	"a",
	"b",
	"k",
	"(",
	")",
	"|",
	"*",
	"+",
	"?",
	"{2}",
	"{0,3}",
	"{2,}",
	"{30}",
	"{,2}",
	"[",
	"]",
	"[^",
	"a-c",
	"[a-z0-9_]",
	"[^\\d\\s]",
	"\\w",
	"\\W",
	"\\b",
	"\\B",
	"^",
	"$",
	"\\A",
	"\\z",
	".",
	"(?i)",
	"(?m)",
	"(?s)",
	"(?i:",
	"(?:",
	"(?P<n>",
	"(?-i)",
	"\\Q",
	"\\E",
	"\\x{e9}",
	"\\n",
	"\\101",
	"\\x{",
	"[[:alpha:]]",
	"[:",
	":]",
	"-",
	"\\",
	"\xc3\xa9",
	"\xe6\x97\xa5",
	"\xf0\x9f\x98\x80",
	"\\1",
	"(?=",
	"\xff",
	",",
	"}",
};

#define N_PIECES (sizeof pieces / sizeof *pieces)

static void make_pattern(struct buffer *pattern, bool of_pieces, struct bytes data)
{
	if (!of_pieces) {
		buffer_append(pattern, data.data, data.size);
		return;
	}
	for (size_t i = 0; i < data.size; i++) {
		const char *piece = pieces[data.data[i] % N_PIECES];

		buffer_append(pattern, piece, strlen(piece));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct buffer bytes[2] = {0};
	SCOPED(buffer) pattern = &bytes[0];
	SCOPED(buffer) group = &bytes[1];
	const struct regex *regex, *grouped;
	struct bytes text;
	size_t share;

	arena_init(arena, 8 << 20);
	if (size < 2)
		return 0;
	share = data[1] < size - 2 ? data[1] : size - 2;
	text = bytes_of(data + 2 + share, size - 2 - share);
	make_pattern(pattern, data[0] % 2, bytes_of(data + 2, share));
	if (status_failed(regex_compile(arena, bytes_of(pattern->data, pattern->size), STATES_MAX,
					&regex)))
		return 0;
	if (regex_states(regex) > STATES_MAX)
		abort();
	buffer_append(group, "(?:", 3);
	buffer_append(group, pattern->data, pattern->size);
	buffer_append(group, ")", 1);
	/* It may be one group too many, or the parenthesis be quoted. */
	if (status_failed(
		    regex_compile(arena, bytes_of(group->data, group->size), STATES_MAX, &grouped)))
		return 0;
	if (regex_match(regex, text) != regex_match(grouped, text))
		abort();
	return 0;
}
