/* snapshot_codec - a snapshot as a message. Internal to this folder. */
#ifndef SLUICE_SERVICE_ADMIN_SNAPSHOT_CODEC_H
#define SLUICE_SERVICE_ADMIN_SNAPSHOT_CODEC_H

#include "google/protobuf/timestamp.pb-c.h"
#include "index/backup.h"
#include "sluice/v1/admin_service.pb-c.h"

struct snapshot_message {
	Sluice__V1__Snapshot message;
	Google__Protobuf__Timestamp create_time;
};

/* snapshot_to_message - it borrows from the backup, and lasts no longer. */
void snapshot_to_message(const struct backup *backup, struct snapshot_message *ret);

#endif
