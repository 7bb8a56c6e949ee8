/* retention - which generations may still be asked for: those that were pinned, or the newest, within
 * a time.
 *
 * The least generation of each sixteenth of the time is noted, so the time is kept to that precision
 * and never shorter. Whoever changes the least generation in use says so before: then what was not
 * noted is not below what was. Not thread safe.
 */
#ifndef SLUICE_INDEX_RETENTION_H
#define SLUICE_INDEX_RETENTION_H

#include <stdint.h>

#define RETENTION_PARTS 16

struct retention {
	int64_t keep_ns; /* 0: nothing is kept */
	struct {
		int64_t part; /* of time, counted from the clock's beginning; 0: none */
		uint64_t least;
	} parts[RETENTION_PARTS + 1];
};

void retention_init(struct retention *retention, int64_t keep_ns);

/* retention_note - generation  the least in use now. now_ns  on clock_ns. */
void retention_note(struct retention *retention, int64_t now_ns, uint64_t generation);

/* retention_least - the least that was in use within the time, or is now. */
uint64_t retention_least(const struct retention *retention, int64_t now_ns, uint64_t generation);

#endif
