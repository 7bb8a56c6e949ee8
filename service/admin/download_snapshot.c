/* download_snapshot - AdminService.DownloadSnapshot: a piece of a file for each message that its reader
 * takes. One that is deleted meanwhile ends at the next file.
 */
#include "index/backup.h"
#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/admin_service.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)1 << 20)
#define MANIFEST_ARENA_BYTES ((size_t)32 << 20)

struct download_snapshot {
	struct arena arena;   /* of what follows */
	struct backup backup; /* the manifest comes behind its files */
	const char *path;
	uint8_t *piece; /* [PIECE_BYTES] */

	size_t i;       /* of the file; n_files: the manifest */
	int descriptor; /* below 0: not open */
	uint64_t offset, size;
};

static status download_snapshot_request(struct rpc_call *call, struct bytes message)
{
	struct download_snapshot *download = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__DownloadSnapshotRequest *request;

	download->descriptor = -1;
	arena_init(&download->arena, MANIFEST_ARENA_BYTES);
	TRY(message_unpack(arena, &sluice__v1__download_snapshot_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__DownloadSnapshotRequest *)unpacked;
	TRY(backup_find(services->database, bytes_of_string(request->collection),
			bytes_of_string(request->snapshot_id), &download->arena, &download->backup,
			&download->path));
	download->piece = arena_alloc(&download->arena, PIECE_BYTES);
	return download->piece ? status_ok()
			       : status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a piece");
}

static const char *file_name(const struct download_snapshot *download)
{
	return download->i < download->backup.n_files ? download->backup.files[download->i].name
						      : BACKUP_MANIFEST;
}

static status is_lost(struct download_snapshot *download, const char *how)
{
	const struct backup *backup = &download->backup;
	status s = status_format(&download->arena, STATUS_DATA_LOSS, "snapshot %s of %s: %s: %s",
				 backup->id, backup->collection, file_name(download), how);

	return status_reason(s, &download->arena, REASON_DATA_CORRUPT, "collection",
			     backup->collection, NULL);
}

static status open_next(struct download_snapshot *download)
{
	const char *path =
		arena_printf(&download->arena, "%s/%s", download->path, file_name(download));
	struct stat about;

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	download->descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (download->descriptor < 0 || fstat(download->descriptor, &about))
		return errno == EMFILE || errno == ENFILE
			       ? status_as(status_make(STATUS_RESOURCE_EXHAUSTED,
						       "no more files can be opened"),
					   REASON_LIMIT_REACHED)
			       : is_lost(download, "it cannot be opened");
	download->size = (uint64_t)about.st_size;
	download->offset = 0;
	if (download->i < download->backup.n_files &&
	    download->size != download->backup.files[download->i].bytes)
		return is_lost(download, "it is not as long as it was");
	return status_ok();
}

static status read_piece(struct download_snapshot *download, size_t *ret_size)
{
	uint64_t left = download->size - download->offset;
	size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;

	for (size_t at = 0; at < size;) {
		ssize_t n = pread(download->descriptor, download->piece + at, size - at,
				  (off_t)(download->offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return is_lost(download, "it cannot be read");
		at += (size_t)n;
	}
	*ret_size = size;
	return status_ok();
}

static void pack_piece(const struct download_snapshot *download, size_t size, struct buffer *ret)
{
	Sluice__V1__DownloadSnapshotResponse response =
		SLUICE__V1__DOWNLOAD_SNAPSHOT_RESPONSE__INIT;

	response.file = (char *)(uintptr_t)file_name(download); /* protobuf-c takes no const */
	response.size_bytes = download->size;
	response.offset = download->offset;
	response.data = (ProtobufCBinaryData){size, download->piece};
	response.data_crc32c = checksum_crc32c(0, bytes_of(download->piece, size));
	buffer_pack(ret, &response.base);
}

static enum rpc_step download_snapshot_next(struct rpc_call *call, struct buffer *ret)
{
	struct download_snapshot *download = rpc_state(call);
	size_t size = 0;
	status s = status_ok();

	if (download->i > download->backup.n_files)
		return RPC_END;
	if (rpc_drain_phase(call) == RPC_ENDING)
		return rpc_fail(call, rpc_draining());
	if (download->descriptor < 0)
		s = open_next(download);
	if (!status_failed(s))
		s = read_piece(download, &size);
	if (status_failed(s))
		return rpc_fail(call, s);
	pack_piece(download, size, ret);
	download->offset += size;
	if (download->offset == download->size) {
		close(download->descriptor);
		download->descriptor = -1;
		download->i++;
	}
	return RPC_MESSAGE;
}

static void download_snapshot_close(struct rpc_call *call)
{
	struct download_snapshot *download = rpc_state(call);

	if (download->arena.cap_bytes && download->descriptor >= 0)
		close(download->descriptor);
	arena_finish(&download->arena);
}

const struct rpc_method download_snapshot_method = {
	.path = "/sluice.v1.AdminService/DownloadSnapshot",
	.state_size = sizeof(struct download_snapshot),
	.request = download_snapshot_request,
	.next = download_snapshot_next,
	.close = download_snapshot_close,
	.is_long = services_always_long,
};
