/* backup_manifest - what a snapshot says of itself, as lines that people can read:
 *
 *	sluice-snapshot 1
 *	version 0.1.0
 *	collection docs
 *	id 20261126T061000Z-0f9a12bc
 *	incarnation 00112233445566778899aabbccddeeff
 *	store-format 3
 *	created 1764137400123456789
 *	generation 41
 *	chunks 1200
 *	file data.mdb 65536 0f1e2d3c
 *	file 0000000000000001.segment 123456 4b5a6978
 *	end 8796a5b4
 *
 * The last line is the CRC-32C of all before it. Of a newer format no more than the first line has to be
 * like this.
 */
#ifndef SLUICE_INDEX_BACKUP_MANIFEST_H
#define SLUICE_INDEX_BACKUP_MANIFEST_H

#include "index/backup.h"

/* backup_manifest_write - into the directory, synced. Fails: as directory_write_file */
status backup_manifest_write(const char *directory, const struct backup *backup,
			     struct arena *arena);

/* backup_manifest_read - every number and name of ret is within its bounds, and the files' names are
 * those that a snapshot has, each once.
 * Fails: DATA_LOSS FAILED_PRECONDITION (a newer format) NOT_FOUND RESOURCE_EXHAUSTED
 * PERMISSION_DENIED INTERNAL, naming the file */
status backup_manifest_read(const char *directory, struct arena *arena, struct backup *ret);

/* backup_file_judge - what is wrong with a file that was found, beside what the manifest says; NULL: nothing. */
const char *backup_file_judge(const struct backup_file *wanted, const struct backup_file *found);

/* backup_manifest_parse - the same of its text. path  for details. */
status backup_manifest_parse(struct bytes text, const char *path, struct arena *arena,
			     struct backup *ret);

#endif
