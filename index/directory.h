/* directory - what the database does to the file system, with failures that name the path.
 *
 * A failure's code: ENOSPC, EDQUOT, EMFILE, ENFILE and ENOMEM are RESOURCE_EXHAUSTED, EACCES, EPERM
 * and EROFS are PERMISSION_DENIED, ENOENT and ENOTDIR are NOT_FOUND, EEXIST is ALREADY_EXISTS, the
 * rest is INTERNAL.
 */
#ifndef SLUICE_INDEX_DIRECTORY_H
#define SLUICE_INDEX_DIRECTORY_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

/* directory_failure - of the call that has just failed, by errno.
 * what  it was at: "reading" */
status directory_failure(struct arena *arena, const char *what, const char *path);

/* directory_make - with its parents, which are synced; being there already is fine. Only for the
 * owner (0700). */
status directory_make(const char *path, struct arena *arena);

/* directory_make_new - one level; fails where it is there already. */
status directory_make_new(const char *path, struct arena *arena);

/* directory_sync - the names in it are on disk when it returns. */
status directory_sync(const char *path, struct arena *arena);

/* directory_rename - neither has to be synced for the rename to be whole; the parent has to be for
 * it to last. */
status directory_rename(const char *from, const char *to, struct arena *arena);

/* directory_remove - the directory and the files in it, for a directory of files alone. OK where it
 * is not there. */
status directory_remove(const char *path, struct arena *arena);

/* directory_lock - takes the lock file for this process, as long as the descriptor is open.
 * ret_unsettled  whoever had it before ended without directory_settle: by a signal, or with its machine.
 * Fails: FAILED_PRECONDITION, naming the pid of who has it */
status directory_lock(const char *path, struct arena *arena, int *ret_descriptor,
		      bool *ret_unsettled);

/* directory_settle - all is as it should be: before the descriptor is closed. */
void directory_settle(int descriptor);

/* directory_lock_shared - has no server take the lock, as long as the descriptor is open, and writes
 * nothing. Fails: as directory_lock; NOT_FOUND where there is no lock file */
status directory_lock_shared(const char *path, struct arena *arena, int *ret_descriptor);

/* directory_read_file - the first bytes of a small file, up to room; ret_size says how many. */
status directory_read_file(const char *path, void *ret, size_t room, size_t *ret_size,
			   struct arena *arena);

/* directory_write_file - a new file that only its owner reads (0600), whole or not there and synced;
 * its name lasts once the directory is synced. What has the name is replaced. */
status directory_write_file(const char *path, struct bytes bytes, struct arena *arena);

/* directory_each - calls visit for each entry but "." and "..", in no order, until one fails. name
 * is borrowed for the call. */
status directory_each(const char *path, struct arena *arena,
		      status (*visit)(void *context, const char *name), void *context);

#endif
