/* fixture_files - what stands in the fixture's directory, and how it is damaged. */
#include "tests/index/fixture.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

const char *fixture_segment(const char *name)
{
	static char paths[2][512];
	static unsigned turn;
	char *path = paths[turn++ % 2], pattern[512];
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/collections/%s/*.segment", fixture.directory, name);
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
	snprintf(path, sizeof paths[0], "%s", found.gl_pathv[0]);
	globfree(&found);
	return path;
}

void fixture_flip(const char *path, off_t at, uint8_t mask)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= mask;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}
