/* command - the child has this process's standard output and error, so those are files meanwhile. */
#include "tests/e2e/command.h"

#include "tests/e2e/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS 60

struct capture {
	int number, file, saved;
};

static void capture_begin(struct capture *capture, int number)
{
	const char *path = text_of("%s/said%d", world.scratch.path, number);

	*capture = (struct capture){
		.number = number,
		.file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		.saved = fcntl(number, F_DUPFD_CLOEXEC, 3),
	};
	cr_assert(capture->file >= 0 && capture->saved >= 0);
	fflush(stdout);
	dup2(capture->file, number);
}

static void capture_end(const struct capture *capture)
{
	dup2(capture->saved, capture->number);
	close(capture->saved);
}

static const char *capture_read(const struct capture *capture)
{
	struct stat file;
	char *text;

	cr_assert_eq(fstat(capture->file, &file), 0);
	text = arena_alloc(&world.session.arena, (size_t)file.st_size + 1);
	cr_assert_not_null(text);
	cr_assert_eq(pread(capture->file, text, (size_t)file.st_size, 0), file.st_size);
	text[file.st_size] = '\0';
	close(capture->file);
	return text;
}

struct said command_run(const char *const *arguments)
{
	struct capture out, err;
	struct said said;
	pid_t pid;

	capture_begin(&out, 1);
	capture_begin(&err, 2);
	pid = program_start(arguments, NULL);
	capture_end(&err);
	capture_end(&out);
	said.result = program_await(pid, SECONDS);
	said.out = capture_read(&out);
	said.err = capture_read(&err);
	return said;
}
