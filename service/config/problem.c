/* problem - notes what is wrong, and prints it. */
#include "service/config/problem.h"

#include <string.h>

#define QUOTE_MAX 64

void problems_note(struct problems *problems, struct place place, const char *path,
		   const char *rule, const char *format, ...)
{
	const char *sentence;
	va_list args;

	if (!problems->list)
		problems->list = ARENA_ARRAY(problems->arena, struct problem, PROBLEMS_MAX);
	if (!problems->list || problems->n == PROBLEMS_MAX) {
		problems->n_dropped++;
		return;
	}
	va_start(args, format);
	sentence = arena_vprintf(problems->arena, format, args);
	va_end(args);
	problems->list[problems->n++] = (struct problem){
		.place = place,
		.path = path ? path : "",
		.rule = rule,
		.sentence = sentence ? sentence : "no memory is left to say what is wrong",
	};
}

static bool is_before(struct place a, struct place b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

void problems_sort(struct problems *problems)
{
	for (size_t i = 1; i < problems->n; i++) {
		struct problem moved = problems->list[i];
		size_t at = i;

		for (; at > 0 && is_before(moved.place, problems->list[at - 1].place); at--)
			problems->list[at] = problems->list[at - 1];
		problems->list[at] = moved;
	}
}

void problems_print(FILE *out, const char *file, const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *problem = &problems->list[i];

		fputs(file, out);
		if (problem->place.line)
			fprintf(out, ":%u:%u", problem->place.line, problem->place.column);
		fprintf(out, ": %s%s%s (%s)\n", problem->path, *problem->path ? ": " : "",
			problem->sentence, problem->rule);
	}
	if (problems->n_dropped)
		fprintf(out, "%s: and %zu more\n", file, problems->n_dropped);
}

const char *problem_quote(struct arena *arena, struct bytes found)
{
	static const char digits[] = "0123456789abcdef";
	char text[QUOTE_MAX * 4 + sizeof "\"\"..."];
	size_t n = 0, cut = found.size > QUOTE_MAX ? QUOTE_MAX : found.size;
	const char *copy;

	/* Not within a character. */
	while (cut < found.size && cut > 0 && (found.data[cut] & 0xC0) == 0x80)
		cut--;
	text[n++] = '"';
	for (size_t i = 0; i < cut; i++) {
		uint8_t c = found.data[i];

		if (c >= 0x20 && c != 0x7F && c != '"' && c != '\\') {
			text[n++] = (char)c;
			continue;
		}
		text[n++] = '\\';
		if (c != '"' && c != '\\') {
			text[n++] = 'x';
			text[n++] = digits[c >> 4];
			text[n++] = digits[c & 15];
		} else {
			text[n++] = (char)c;
		}
	}
	text[n++] = '"';
	if (cut < found.size)
		for (int i = 0; i < 3; i++)
			text[n++] = '.';
	copy = arena_copy(arena, text, n);
	return copy ? copy : "what was found";
}
