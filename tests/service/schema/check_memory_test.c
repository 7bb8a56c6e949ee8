/* What a message of 4 MiB may cost the process, at its worst: one that is refused twice its size, one that
 * is unpacked what its arena may hold.
 *
 * Each is read in a child of its own, whose peak is the kernel's to count.
 */
#include "service/codec/message.h"
#include "service/schema/contract.h"
#include "service/schema/violations.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"
#include "tests/service/schema/checked.h"
#include "tests/service/schema/encode.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX ((size_t)4 << 20)
/* As the server has it: so many times the message, so much at least and at most. */
#define ARENA_FACTOR 64
#define ARENA_BYTES_MIN ((size_t)1 << 20)
#define ARENA_BYTES_MAX ((size_t)64 << 20)
/* Stack, page tables, and what malloc keeps. */
#define SLACK_BYTES ((size_t)1 << 20)

struct outcome {
	bool accepted;
	bool exhausted;
	size_t growth_bytes;
};

/* A line of /proc/self/status, in bytes. */
static size_t status_line(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	size_t kilobytes = 0;

	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, name, strlen(name)) == 0)
			kilobytes = strtoul(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return kilobytes << 10;
}

/* The peak starts again at what is resident now. */
static void peak_reset(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "5", 1) != 1)
		abort();
	close(fd);
}

static size_t arena_bytes(size_t message_bytes)
{
	size_t bytes = ARENA_FACTOR * message_bytes;

	if (bytes < ARENA_BYTES_MIN)
		return ARENA_BYTES_MIN;
	return bytes < ARENA_BYTES_MAX ? bytes : ARENA_BYTES_MAX;
}

/* descriptor NULL: a message of our own, which is only checked. */
static struct outcome measure(const ProtobufCMessageDescriptor *descriptor,
			      const struct schema_message *schema, struct bytes bytes)
{
	struct outcome outcome = {0};
	struct arena arena;
	ProtobufCMessage *message;
	size_t before;
	status done;

	peak_reset();
	before = status_line("VmRSS:");
	arena_init(&arena, arena_bytes(bytes.size));
	done = descriptor ? message_unpack(&arena, descriptor, bytes, &message)
			  : violations_check(schema, bytes, &arena);
	outcome.accepted = !status_failed(done);
	outcome.exhausted = arena.exhausted;
	outcome.growth_bytes = status_line("VmHWM:") - before;
	return outcome;
}

static struct outcome measure_in_child(const ProtobufCMessageDescriptor *descriptor,
				       const struct schema_message *schema, struct bytes bytes)
{
	struct outcome outcome = {0};
	int pipe_ends[2], ended;
	pid_t child;

	cr_assert_eq(pipe(pipe_ends), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		outcome = measure(descriptor, schema, bytes);
		_exit(write(pipe_ends[1], &outcome, sizeof outcome) != sizeof outcome);
	}
	cr_assert_eq(read(pipe_ends[0], &outcome, sizeof outcome), sizeof outcome);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	waitpid(child, &ended, 0);
	return outcome;
}

static void contract_open(void)
{
	SCOPED(arena) arena = &(struct arena){0};
	status opened;

	arena_init(arena, 4096);
	opened = contract_init(arena);
	cr_assert_not(status_failed(opened), "%s", opened.detail);
}

#define UPSERT &sluice__v1__upsert_chunks_request__descriptor
#define SEARCH &sluice__v1__search_request__descriptor
#define GET &sluice__v1__get_chunks_request__descriptor
#define COUNT &sluice__v1__count_chunks_request__descriptor

struct memory_case {
	const char *name;
	const ProtobufCMessageDescriptor *descriptor; /* NULL: our own, by its name */
	const char *own;
	const char *text; /* of encode.h */
};

static struct outcome measure_case(const struct memory_case *memory)
{
	SCOPED(buffer) bytes = &(struct buffer){0};
	struct outcome outcome;

	encode(bytes, memory->text);
	cr_assert_leq(bytes->size, MESSAGE_BYTES_MAX, "%s: %zu bytes", memory->name, bytes->size);
	outcome = measure_in_child(memory->descriptor,
				   memory->own ? checked_message(memory->own) : NULL,
				   bytes_of(bytes->data, bytes->size));
	printf("%s: %zu KiB, %s, %zu KiB more\n", memory->name, bytes->size >> 10,
	       outcome.accepted    ? "accepted"
	       : outcome.exhausted ? "past its arena"
				   : "refused",
	       outcome.growth_bytes >> 10);
	return outcome;
}

Test(check_memory, what_is_refused_takes_twice_the_message_at_most)
{
	static const struct memory_case cases[] = {
		{"empty map entries", UPSERT, NULL, "1:\"docs\" 3:{1:\"a\" 2097000*6:{}}"},
		{"empty map entries of many chunks", UPSERT, NULL, "1:\"docs\" 500*3:{4096*6:{}}"},
		{"empty chunks", UPSERT, NULL, "1:\"docs\" 2097000*3:{}"},
		{"unknown varints", UPSERT, NULL, "1:\"docs\" 2097000*15:0"},
		{"unknown strings", UPSERT, NULL, "1:\"docs\" 2097000*15:\"\""},
		{"groups", UPSERT, NULL, "4194304*=7b"},
		{"groups that end", UPSERT, NULL, "2097000*15:()"},
		{"empty strings", GET, NULL, "1:\"docs\" 2097000*2:\"\""},
		{"strings of a letter", GET, NULL, "1:\"docs\" 1398000*2:\"a\""},
		{"floats one by one", SEARCH, NULL, "1:\"docs\" 2:{838000*1:f0}"},
		{"floats in a run", SEARCH, NULL, "1:\"docs\" 2:{=0a8092f401 1000000*=00000000}"},
		{"labels", UPSERT, NULL,
		 "1:\"docs\" 3:{1:\"a\" 6:{1:\"k\" 2:{5:{2097000*1:\"\"}}}}"},
		{"a oneof's members in turn", UPSERT, NULL,
		 "1:\"docs\" 3:{1:\"a\" 6:{1:\"k\" 2:{500000*=2a00 500000*=1000}}}"},
		{"mask paths", GET, NULL, "1:\"docs\" 2:\"a\" 3:{2097000*1:\"\"}"},
		{"empty conditions", COUNT, NULL, "1:\"docs\" 2:{2097000*2:{}}"},
		{"document ids", COUNT, NULL, "1:\"docs\" 2:{1:{2097000*1:\"\"}}"},
		{"values of a set", COUNT, NULL, "1:\"docs\" 2:{2:{1:\"f\" 3:{2097000*1:{}}}}"},
		/* Lists of a type that no request has. */
		{"packed numbers", NULL, "Lists", "3:[1] =1afcffff01 4194000*=00"},
		{"unique numbers", NULL, "Unique", "2097000*1:1"},
		{"unique numbers in a run", NULL, "Unique", "=0afbffff01 4194299*=00"},
		{"empty trees", NULL, "Tree", "1:-1 2096000*3:{}"},
		{"named trees", NULL, "Tree", "1:-1 500*3:{4096*4:{}}"},
		{"unique numbers that are compared", NULL, "Unique", "65536*1:1 65536*6:1"},
	};

	contract_open();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct outcome outcome = measure_case(&cases[i]);

		cr_expect_not(outcome.accepted, "%s", cases[i].name);
		cr_expect_not(outcome.exhausted, "%s", cases[i].name);
		cr_expect_leq(outcome.growth_bytes, 2 * MESSAGE_BYTES_MAX, "%s: %zu", cases[i].name,
			      outcome.growth_bytes);
	}
}

/* Each message but the innermost holds one other, and nothing more. */
Test(check_memory, depth_takes_no_memory)
{
	enum { LEVELS = 400000 };
	struct buffer bytes = {0};
	/* Written backwards: from the innermost out. */
	uint8_t *reversed = malloc((size_t)LEVELS * 6);
	size_t n = 0;
	struct outcome outcome;

	for (size_t level = 0; level < LEVELS; level++) {
		struct buffer length = {0};

		buffer_append_varint(&length, n);
		for (size_t i = length.size; i > 0; i--)
			reversed[n++] = length.data[i - 1];
		reversed[n++] = 2 << 3 | 2;
		buffer_finish(&length);
	}
	for (size_t i = n; i > 0; i--)
		buffer_append_u8(&bytes, reversed[i - 1]);
	outcome = measure_in_child(NULL, checked_message("Tree"), bytes_of(bytes.data, bytes.size));

	cr_assert_leq(bytes.size, MESSAGE_BYTES_MAX);
	cr_assert_not(outcome.accepted);
	cr_assert_leq(outcome.growth_bytes, SLACK_BYTES);
	buffer_finish(&bytes);
	free(reversed);
}

/* Each map is in an entry of the one around it, so that the entries of all are looked at together. */
Test(check_memory, maps_in_maps_take_twice_the_message_at_most)
{
	char text[2048] = "";
	size_t at = 0;
	struct outcome outcome;

	for (int i = 0; i < 32; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "4095*4:{} 4:{1:\"k\" 2:{");
	at += (size_t)snprintf(text + at, sizeof text - at, "1:-1");
	for (int i = 0; i < 32; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "}}");
	outcome = measure_case(&(struct memory_case){"maps in maps", NULL, "Tree", text});

	cr_assert_not(outcome.accepted);
	cr_assert_leq(outcome.growth_bytes, 2 * MESSAGE_BYTES_MAX, "%zu", outcome.growth_bytes);
}

Test(check_memory, what_is_accepted_takes_what_its_arena_may_hold)
{
	static const struct memory_case cases[] = {
		{"small chunks", UPSERT, NULL, "1:\"docs\" 2048*3:{1:\"a\" 7:{1:[f1]}}"},
		{"large vectors", UPSERT, NULL,
		 "1:\"docs\" 120*3:{1:\"a\" 7:{=0a80fa01 8000*=0000803f}}"},
		{"texts", UPSERT, NULL, "1:\"docs\" 60*3:{1:\"a\" =22e8fb03 65000*=78}"},
		{"unknown fields", UPSERT, NULL, "1:\"docs\" 1024*15:{4000*=78} 3:{1:\"a\"}"},
		{"ids", GET, NULL, "1:\"docs\" 1000*2:\"a\""},
		{"mask paths", GET, NULL, "1:\"docs\" 2:\"a\" 3:{1000000*1:\"id\"}"},
		{"sets of values", COUNT, NULL,
		 "1:\"docs\" 2:{64*2:{1:\"f\" 3:{1024*1:{4:0}}} 3:{64*1:{1:\"f\" 3:{1024*1:{4:0}}}}"
		 " 64*4:{1:\"f\" 3:{1024*1:{4:0}}}}"},
	};

	contract_open();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SCOPED(buffer) bytes = &(struct buffer){0};
		struct outcome outcome = measure_case(&cases[i]);

		encode(bytes, cases[i].text);
		cr_expect(outcome.accepted, "%s", cases[i].name);
		cr_expect_leq(outcome.growth_bytes, arena_bytes(bytes->size) + SLACK_BYTES,
			      "%s: %zu", cases[i].name, outcome.growth_bytes);
	}
}
