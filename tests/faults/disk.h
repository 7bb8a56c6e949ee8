/* disk - every change of files under a directory, in order, and what a disk may have of them when the power
 * goes.
 *
 * A file's bytes are sure once it is synced, or were written to a descriptor that syncs each write; names
 * are sure once their directory is synced. Of all else that came before the power went any part may be
 * there, in any combination: of a write each 512 bytes, of a name its making, its going and its renaming, of a size its
 * growth. That is more than file systems do wrong.
 */
#ifndef SLUICE_TESTS_FAULTS_DISK_H
#define SLUICE_TESTS_FAULTS_DISK_H

#include "tests/e2e/random.h"

#include <stdbool.h>
#include <stddef.h>

struct disk;

/* disk_open - records from here on, of this process; what lies in the directory is sure. One at a time. */
struct disk *disk_open(const char *directory);

/* disk_stop - records no more. */
void disk_stop(struct disk *disk);
void disk_close(struct disk *disk); /* NULL is fine */

/* disk_mark - notes something between the changes, from any thread. */
void disk_mark(struct disk *disk, const void *what);

/* disk_length - changes and marks so far. disk_syncs - how many of them were syncs. */
size_t disk_length(const struct disk *disk);
size_t disk_syncs(const struct disk *disk);

/* disk_advance - what is sure and what is not becomes that behind the first n; n never falls.
 * mark  called for each mark on the way. */
void disk_advance(struct disk *disk, size_t n, void (*mark)(void *context, const void *what),
		  void *context);

/* disk_lose_power - writes into a directory, which is made, what may be there now; the next change may have
 * been under way. */
void disk_lose_power(const struct disk *disk, struct random *random, const char *directory);

#endif
