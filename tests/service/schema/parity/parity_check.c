/* parity_check - the checker and the JSON Schemas for a test in another language.
 *
 *	parity_check SET schema MESSAGE    prints the JSON Schema of a message
 *	parity_check SET check             reads lines of a message's name and its bytes in hexadecimal,
 *	                                   prints for each "ok", or what is wrong with it
 *
 * SET is a file with a FileDescriptorSet. The limits are the server's.
 */
#include "service/schema/check.h"
#include "service/schema/json_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)256 << 20)

struct findings {
	unsigned n;
};

static bool report(void *context, const struct violation *violation)
{
	struct findings *findings = context;
	char path[512];

	check_path_print(violation->path, path, sizeof path);
	printf("%s%s %s", findings->n++ ? "; " : "", path, violation->rule_id);
	return true;
}

static status file_read(const char *path, struct buffer *ret)
{
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file)
		return status_make(STATUS_NOT_FOUND, "cannot open the set");
	do {
		uint8_t *room = buffer_reserve(ret, 65536);

		n = room ? fread(room, 1, 65536, file) : 0;
		ret->size += n;
	} while (n > 0);
	fclose(file);
	return status_ok();
}

static status message_find(struct schema *schema, const char *name, struct arena *arena,
			   struct schema_message **ret)
{
	struct schema_message *message = schema_message(schema, name);

	if (!message)
		return status_format(arena, STATUS_NOT_FOUND, "no message %s", name);
	TRY(schema_compile(schema, message, arena));
	*ret = message;
	return status_ok();
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Decodes over the digits themselves. */
static struct bytes hexadecimal(char *digits)
{
	size_t n = strlen(digits) / 2;

	for (size_t i = 0; i < n; i++)
		digits[i] = (char)(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
	return bytes_of(digits, n);
}

static status line_check(struct schema *schema, char *line, struct arena *arena)
{
	struct findings findings = {0};
	const struct check_options options = {
		.limits = &check_limits_strict,
		.report = report,
		.context = &findings,
	};
	struct schema_message *message;
	char *space = strchr(line, ' ');
	status checked;

	line[strcspn(line, "\n")] = '\0';
	if (!space)
		return status_make(STATUS_INVALID_ARGUMENT, "a line without a message");
	*space = '\0';
	TRY(message_find(schema, line, arena, &message));
	checked = check_message(message, hexadecimal(space + 1), &options, arena);
	if (status_failed(checked))
		printf("%s%s", findings.n ? "; " : "", checked.detail);
	else if (findings.n == 0)
		printf("ok");
	printf("\n");
	return status_ok();
}

static status lines_check(struct schema *schema, struct arena *arena)
{
	char *line = NULL;
	size_t size = 0;
	status done = status_ok();

	while (!status_failed(done) && getline(&line, &size, stdin) > 0)
		done = line_check(schema, line, arena);
	free(line);
	return done;
}

static status run(int argc, char **argv, struct arena *arena)
{
	struct buffer set_memory = {0}, text_memory = {0};
	SCOPED(buffer) set = &set_memory;
	SCOPED(buffer) text = &text_memory;
	SCOPED(schema) schema = NULL;
	struct schema_message *message;

	if (argc < 3)
		return status_make(STATUS_INVALID_ARGUMENT, "usage: see the head of the file");
	TRY(file_read(argv[1], set));
	TRY(schema_open(bytes_of(set->data, set->size), arena, &schema));
	if (strcmp(argv[2], "check") == 0)
		return lines_check(schema, arena);
	TRY(message_find(schema, argc > 3 ? argv[3] : "", arena, &message));
	TRY(json_schema_print(message, JSON_FULL, arena, text));
	fwrite(text->data, 1, text->size, stdout);
	return status_ok();
}

int main(int argc, char **argv)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	status done;

	arena_init(arena, ARENA_BYTES);
	done = run(argc, argv, arena);
	if (!status_failed(done))
		return 0;
	fprintf(stderr, "parity_check: %s\n", done.detail);
	return 1;
}
