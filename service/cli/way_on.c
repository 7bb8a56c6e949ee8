/* way_on - the line is made ready when a token comes, so that a signal has but to write it. */
#include "service/cli/way_on.h"

#include "service/cli/base64.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* 512 bytes of token, and words. */
#define LINE_BYTES 800

/* Two lines in turns: a signal writes the one that is whole. */
static struct {
	char text[LINE_BYTES];
	size_t size;
} lines[2];
static atomic_int current;

void way_on_note(struct bytes token)
{
	int next = 1 - atomic_load(&current);
	SCOPED(buffer) text = &(struct buffer){0};
	int size = 0;

	base64_append(text, token);
	if (text->size > 0 && !text->failed)
		size = snprintf(lines[next].text, LINE_BYTES, "go on with: --resume %.*s\n",
				(int)text->size, (const char *)text->data);
	lines[next].size = size > 0 && size < LINE_BYTES ? (size_t)size : 0;
	atomic_store(&current, next);
}

void way_on_say(void)
{
	int i = atomic_load(&current);

	if (lines[i].size > 0 && write(STDERR_FILENO, lines[i].text, lines[i].size) < 0)
		return;
}

static void on_interrupt(int number)
{
	way_on_say();
	/* It was reset by being delivered. */
	raise(number);
}

void way_on_watch(void)
{
	struct sigaction action = {.sa_handler = on_interrupt,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}
