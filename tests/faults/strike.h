/* strike - the nth call of a kind fails, of index/, kernels/ and of LMDB in this process.
 *
 * Memory: malloc, calloc, realloc, reallocarray, aligned_alloc and strdup of our own code. LMDB: each
 * function of it that can fail. Files: each system call on them, LMDB's own too. Threads:
 * pthread_create. Link with STRIKE_LINKOPTS (strike.bzl).
 * The thread of the test is exempt, but between strike_enter and strike_leave.
 */
#ifndef SLUICE_TESTS_FAULTS_STRIKE_H
#define SLUICE_TESTS_FAULTS_STRIKE_H

#include <stdbool.h>

enum strike_kind {
	STRIKE_MEMORY,
	STRIKE_LMDB,
	STRIKE_LMDB_WRITE, /* of those that change something: put, del, drop, commit */
	STRIKE_FILE,
	STRIKE_FILE_WAITS, /* of those that a signal may end: not of names, and not mmap */
	STRIKE_THREAD,
};

/* Of files: in the place of an errno, of a write that ends in its middle. */
#define STRIKE_SHORT (-1)

struct strike {
	enum strike_kind kind;
	long nth;  /* 0 is the next one; below 0: none, calls are counted */
	int error; /* an errno, or a result of LMDB's; of memory and threads it is not asked */
};

/* strike_begin - forgets what was before. The caller's thread becomes exempt. */
void strike_begin(const struct strike *strike);

/* strike_end - none fails any more. Gives how many calls of the kind there were. */
long strike_end(void);

/* strike_struck - whether one has failed; strike_name - which function. */
bool strike_struck(void);
const char *strike_name(void);

void strike_enter(void);
void strike_leave(void);

#endif
