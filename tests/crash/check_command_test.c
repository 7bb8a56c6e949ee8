/* check_command - `sluice check` as a user runs it. */
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

TestSuite(check_command, .init = world_open, .fini = world_close, .timeout = 240);

#define ROWS 1200

/* With a segment and an index beside it. */
static void make(void)
{
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = ROWS};
	const char *const create[] = {
		"create", "docs",     "--dimension",        "8", "--index", "ivf", "--metric",
		"l2",     "--server", world.server.address, NULL};
	struct said said = command_run(create);

	cr_assert_eq(said.result, 0, "%s", said.err);
	rows_make(&rows, 3);
	rows_upsert(&rows, 0, ROWS);
	optimize_now("docs");
}

static struct said check(const char *option)
{
	const char *const arguments[] = {"check", world.scratch.path, option, NULL};

	return command_run(arguments);
}

static void want_word(const char *text, const char *word)
{
	cr_assert(strstr(text, word), "no \"%s\" in: %s", word, text);
}

/* The last bit of a byte in the middle of the only file of a pattern. */
static const char *damage(const char *pattern)
{
	const char *path;
	uint8_t byte;
	glob_t found;
	off_t at;
	int fd;

	cr_assert_eq(glob(text_of("%s/collections/docs/%s", world.scratch.path, pattern), 0, NULL,
			  &found),
		     0, "%s", pattern);
	path = text_of("%s", found.gl_pathv[0]);
	globfree(&found);
	fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	at = lseek(fd, 0, SEEK_END) / 2;
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	return strrchr(path, '/') + 1;
}

Test(check_command, says_what_is_damaged_and_exits_by_it)
{
	const char *index, *segment;
	struct said said;

	make();
	said = check(NULL);
	cr_assert_eq(said.result, 1);
	want_word(said.err, text_of("process %d ", (int)world.server.pid));

	cr_assert_eq(server_stop(&world.server, 60), 0);
	said = check(NULL);
	cr_assert_eq(said.result, 0, "%s%s", said.out, said.err);
	want_word(said.out, "docs: fine: chunks 1,200, values ");
	want_word(said.out, "segments 1, indexes 1, ");
	said = check("--json");
	cr_assert_eq(said.result, 0, "%s%s", said.out, said.err);
	want_word(said.out, "\"fine\": true");
	want_word(said.out, "\"chunks\": 1200");
	want_word(said.out, "\"damages\": []");

	index = damage("*.ann");
	segment = damage("*.segment");
	said = check(NULL);
	cr_assert_eq(said.result, 1);
	want_word(said.out, text_of("docs/%s: damaged: ", segment));
	want_word(said.out, "docs: DAMAGED");
	want_word(said.err, "1 of 1 collections");
	damage("*.segment");
	said = check("--json");
	cr_assert_eq(said.result, 1);
	want_word(said.out, "\"fine\": false");
	want_word(said.out, text_of("\"file\": \"%s\"", index));

	world_restart(&(struct server_options){0});
}
