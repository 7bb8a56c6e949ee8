/* backup_file - the files of a snapshot, one at a time: read, copied, linked, never changed. */
#ifndef SLUICE_INDEX_BACKUP_FILE_H
#define SLUICE_INDEX_BACKUP_FILE_H

#include "index/backup.h"

/* backup_file_copy - reads a file to its end and fills bytes and checksum of ret.
 * to  a new file, synced, where it is written at the same time; NULL: it is read alone. What is left of
 *     one that failed is the caller's to remove.
 * Heap: 1 MiB. The deadline is looked at once a MiB. Fails: as index/directory.h, and
 * DEADLINE_EXCEEDED CANCELLED */
status backup_file_copy(const char *from, const char *to, const struct deadline *deadline,
			struct arena *arena, struct backup_file *ret);

/* backup_file_link - another name for a file that is never changed, or a copy where there can be none. */
status backup_file_link(const char *from, const char *to, const struct deadline *deadline,
			struct arena *arena);

/* backup_path - DIR/snapshots/NAME.ID, or .NAME.ID and a suffix; NULL without memory. */
const char *backup_path(const char *directory, const struct backup *backup, const char *suffix,
			struct arena *arena);

#endif
