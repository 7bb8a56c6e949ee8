/* scratch - a folder for one test; nothing outside it is ever removed. */
#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* mkdtemp wants six of the letter X at the end, and makes a name of them. */
enum { wildcards = 6 };

void scratch_open(struct scratch *scratch)
{
	const char *parent = getenv("TEST_TMPDIR");
	int length = snprintf(scratch->path, sizeof scratch->path - wildcards - 1, "%s/sluice-",
			      parent ? parent : "/tmp");

	if (length >= (int)sizeof scratch->path - wildcards - 1) {
		fprintf(stderr, "the path of TEST_TMPDIR is too long: %s\n", parent);
		abort();
	}
	memset(scratch->path + length, 'X', wildcards);
	scratch->path[length + wildcards] = '\0';
	if (!mkdtemp(scratch->path)) {
		perror(scratch->path);
		abort();
	}
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void scratch_close(struct scratch *scratch)
{
	if (!scratch->path[0])
		return;
	/* What is within a folder first; links are removed, not followed. */
	nftw(scratch->path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
	scratch->path[0] = '\0';
}
