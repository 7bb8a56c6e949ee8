/* check_report - what the child of a check says to its parent, through a pipe.
 *
 * Each message is a byte of kind, u32 size and so many bytes: two strings with their NULs, or numbers.
 */
#ifndef SLUICE_INDEX_CHECK_REPORT_H
#define SLUICE_INDEX_CHECK_REPORT_H

#include "index/check.h"

enum check_message {
	CHECK_DAMAGE = 'd', /* file, what */
	CHECK_NOTE = 'n',   /* file, what */
	CHECK_PART = 'p',   /* what is read next: file, part */
	CHECK_FAILED = 'f', /* "", why the check could not be done */
	CHECK_COUNTS = 'c', /* struct check_counts */
};

/* check_say, check_say_counts - the child's. It ends where nobody listens. */
void check_say(int descriptor, enum check_message kind, const char *file, const char *what);
void check_say_counts(int descriptor, const struct check_counts *counts);

struct check_said {
	enum check_message kind;
	const char *file, *what; /* in the arena */
	struct check_counts counts;
};

/* check_hear - the next message; false at the end, or where it breaks off. */
bool check_hear(int descriptor, struct arena *arena, struct check_said *ret);

/* check_collection_run - all that is to be said of a collection. The child's.
 * directory  the collection's; name  what its store must say. */
void check_collection_run(int descriptor, const char *directory, const char *name,
			  struct arena *arena);

#endif
