/* backup_receive - the directory of a snapshot, put together from the pieces of its files.
 *
 * It is written as PATH.part, and gets its name when all of it is there and as its manifest says. What
 * comes is not trusted: neither names nor lengths. Used by one thread.
 */
#ifndef SLUICE_INDEX_BACKUP_RECEIVE_H
#define SLUICE_INDEX_BACKUP_RECEIVE_H

#include "index/backup.h"

struct backup_receiving;

/* backup_receive_open - path  must not be there; a PATH.part from before is removed.
 * Fails: ALREADY_EXISTS, and as index/directory.h */
status backup_receive_open(const char *path, struct arena *arena, struct backup_receiving **ret);

struct backup_piece {
	const char *file;
	uint64_t offset;
	struct bytes data;
	uint32_t checksum; /* CRC-32C of the data */
};

/* backup_receive_piece - those of a file follow each other. Fails: DATA_LOSS (damaged on its way, or out of
 * order) RESOURCE_EXHAUSTED INTERNAL */
status backup_receive_piece(struct backup_receiving *receiving, const struct backup_piece *piece);

/* backup_receive_end - all have come. Fails: DATA_LOSS (files are missing or others than the manifest
 * says) and as backup_manifest_read and index/directory.h */
status backup_receive_end(struct backup_receiving *receiving, struct backup *ret);

/* backup_receive_close - removes what has not got its name. NULL is fine. */
void backup_receive_close(struct backup_receiving *receiving);

SCOPE_DEFINE(backup_receiving, backup_receive_close)

#endif
