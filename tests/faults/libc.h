/* libc - a stand-in for libc's calls on files, for liblmdb.so too.
 *
 * The test program defines the symbols that the library calls, so that they come here; what index/ does
 * comes by file_io_set. A descriptor's stream write is a pwrite here.
 */
#ifndef SLUICE_TESTS_FAULTS_LIBC_H
#define SLUICE_TESTS_FAULTS_LIBC_H

#include "index/file/file_io.h"

/* libc_stand_in - for both, from here on; NULL: libc. What LMDB calls by fdatasync is fsync. */
void libc_stand_in(const struct file_io *stand_in);

/* What the stand-in calls in turn: libc itself. */
extern struct file_io libc_real;

#endif
