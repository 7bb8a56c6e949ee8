/* check_batch - what the check says of messages of Sluice's own, for a test in another language.
 *
 *	check_batch strict|lenient <MESSAGES >ANSWERS
 *
 * A message is the length of its full name (4 bytes, little-endian), the name, the length of its bytes
 * and the bytes. An answer is a line: each violation as its path, a space and the rule's id, those
 * parted by tabs; or "! " and the detail of a failure.
 */
#include "service/schema/check.h"
#include "service/schema/contract.h"

#include <stdio.h>
#include <stdlib.h>

static bool run_read(struct buffer *to)
{
	uint8_t size[4];
	void *room;

	if (fread(size, 1, sizeof size, stdin) != sizeof size)
		return false;
	to->size = 0;
	room = buffer_reserve(to, load_u32(size) + 1);
	if (!room || fread(room, 1, load_u32(size), stdin) != load_u32(size))
		return false;
	to->size = load_u32(size);
	to->data[to->size] = 0;
	return true;
}

static bool answer(void *context, const struct violation *violation)
{
	bool *first = (bool *)context;
	char path[4096];

	check_path_print(violation->path, path, sizeof path);
	printf("%s%s %s", *first ? "" : "\t", path, violation->rule_id);
	*first = false;
	return true;
}

static bool message_check(const char *name, struct bytes bytes, const struct check_limits *limits)
{
	SCOPED(arena) arena = &(struct arena){0};
	const struct schema_message *message = contract_message(name);
	bool first = true;
	const struct check_options options = {
		.limits = limits,
		.report = answer,
		.context = &first,
	};
	status checked;

	arena_init(arena, 4096);
	if (!message) {
		fprintf(stderr, "check_batch: no message %s\n", name);
		return false;
	}
	checked = check_message(message, bytes, &options, arena);
	if (status_failed(checked))
		printf("%s! %s", first ? "" : "\t", checked.detail);
	putchar('\n');
	return true;
}

int main(int argc, char **argv)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct buffer buffers[2] = {0};
	SCOPED(buffer) name = &buffers[0];
	SCOPED(buffer) bytes = &buffers[1];
	const struct check_limits *limits = &check_limits_strict;
	status opened;

	arena_init(arena, 4096);
	if (argc == 2 && strcmp(argv[1], "lenient") == 0)
		limits = &check_limits_lenient;
	else if (argc != 2 || strcmp(argv[1], "strict") != 0)
		return 2;
	opened = contract_init(arena);
	if (status_failed(opened)) {
		fprintf(stderr, "check_batch: %s\n", opened.detail);
		return 1;
	}
	while (run_read(name)) {
		if (!run_read(bytes) || !message_check((const char *)name->data,
						       bytes_of(bytes->data, bytes->size), limits))
			return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
