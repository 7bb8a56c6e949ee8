/* progress - a bar on standard error: how far, how fast, how long still. */
#ifndef SLUICE_SERVICE_CLI_PROGRESS_H
#define SLUICE_SERVICE_CLI_PROGRESS_H

#include "service/cli/arguments.h"

#include <stdint.h>

struct progress {
	bool shown;
	bool drawn;                /* there is a bar on the screen */
	int64_t start_ns, next_ns; /* begin; not before then the next picture */
	char word[24];             /* of the part that is shown; "": there are no parts */
};

/* progress_start - by --progress always|never|auto; auto is on a terminal only.
 * Fails: INVALID_ARGUMENT */
status progress_start(struct progress *progress, struct arguments *arguments);

/* progress_show - at most ten times a second. share  of the work done, 0 to 1; below 0: unknown. */
void progress_show(struct progress *progress, uint64_t chunks, double share);

/* progress_show_part - the same for work that has parts: what is done now, and its own share. Another
 * word is shown at once; it is borrowed for the call. */
void progress_show_part(struct progress *progress, const char *word, double share);

/* progress_end - wipes the bar. Call it before anything else is printed, as often as you like. */
void progress_end(struct progress *progress);

double progress_seconds(const struct progress *progress);

/* progress_line - the picture without the way back to the line's begin: for tests.
 * ret  at least 128 bytes. */
void progress_line(char *ret, size_t size, uint64_t chunks, double share, double seconds);

#endif
