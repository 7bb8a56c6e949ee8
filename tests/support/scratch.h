/* scratch - a folder for one test, empty when it starts and gone when it ends. */
#ifndef SLUICE_TESTS_SUPPORT_SCRATCH_H
#define SLUICE_TESTS_SUPPORT_SCRATCH_H

struct scratch {
	char path[256]; /* absolute, without a slash at its end */
};

/* scratch_open - makes the folder, under TEST_TMPDIR where Bazel gives one, else under /tmp.
 * Ends the program where it cannot: there is nothing to test then. */
void scratch_open(struct scratch *scratch);

/* scratch_close - removes the folder and all that is in it. Fine on a zeroed struct. */
void scratch_close(struct scratch *scratch);

#endif
