/* backup_receive - a file at a time, with its checksum, held against the manifest in the end. */
#include "index/backup_receive.h"

#include "index/backup_manifest.h"
#include "index/directory.h"
#include "index/file/file_io.h"
#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct backup_receiving {
	struct arena *arena; /* borrowed */
	const char *path, *part;
	int descriptor;            /* of the last file; -1: none */
	struct backup_file *files; /* [n] owned, as they came; the last one may grow */
	size_t n, n_max;
	bool named; /* it has its name */
};

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a snapshot");
}

static status damaged(const struct backup_receiving *receiving, const char *file, const char *how)
{
	return status_as(status_format(receiving->arena, STATUS_DATA_LOSS, "%s: %s", file, how),
			 REASON_DATA_CORRUPT);
}

status backup_receive_open(const char *path, struct arena *arena, struct backup_receiving **ret)
{
	SCOPED(backup_receiving) receiving = calloc(1, sizeof *receiving);

	if (!receiving)
		return no_memory();
	receiving->arena = arena;
	receiving->descriptor = -1;
	receiving->named = true;
	receiving->path = path;
	receiving->part = arena_printf(arena, "%s.part", path);
	if (!receiving->part)
		return no_memory();
	if (access(path, F_OK) == 0)
		return status_format(arena, STATUS_ALREADY_EXISTS, "%s is there already", path);
	TRY(directory_remove(receiving->part, arena));
	TRY(directory_make(receiving->part, arena));
	receiving->named = false;
	*ret = TAKE(receiving);
	return status_ok();
}

void backup_receive_close(struct backup_receiving *receiving)
{
	if (!receiving)
		return;
	if (receiving->descriptor >= 0)
		(void)file_close(receiving->descriptor);
	if (!receiving->named)
		(void)directory_remove(receiving->part, receiving->arena);
	free(receiving->files);
	free(receiving);
}

static status finish_file(struct backup_receiving *receiving)
{
	int descriptor = receiving->descriptor;
	const char *name;

	if (descriptor < 0)
		return status_ok();
	name = receiving->files[receiving->n - 1].name;
	receiving->descriptor = -1;
	if (file_sync(descriptor)) {
		status s = directory_failure(receiving->arena, "syncing", name);

		(void)file_close(descriptor);
		return s;
	}
	(void)file_close(descriptor);
	return status_ok();
}

/* It is put behind a directory's. */
static bool name_is_plain(const char *name)
{
	size_t size =
		strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.");

	return size > 0 && size <= BACKUP_FILE_NAME_MAX && name[size] == '\0' && name[0] != '.';
}

static status begin_file(struct backup_receiving *receiving, const char *name)
{
	const char *path;

	TRY(finish_file(receiving));
	if (!name_is_plain(name))
		return damaged(receiving, "a file", "it has a name that no file of a snapshot has");
	path = arena_printf(receiving->arena, "%s/%s", receiving->part, name);
	if (receiving->n == receiving->n_max) {
		size_t n_max = receiving->n_max ? 2 * receiving->n_max : 16;
		void *files = reallocarray(receiving->files, n_max, sizeof *receiving->files);

		if (!files)
			return no_memory();
		receiving->files = files;
		receiving->n_max = n_max;
	}
	if (!path)
		return no_memory();
	receiving->descriptor = file_open(path, O_WRONLY | O_CREAT | O_EXCL);
	if (receiving->descriptor < 0)
		return directory_failure(receiving->arena, "making", path);
	receiving->files[receiving->n] = (struct backup_file){0};
	memcpy(receiving->files[receiving->n++].name, name, strlen(name) + 1);
	return status_ok();
}

status backup_receive_piece(struct backup_receiving *receiving, const struct backup_piece *piece)
{
	struct backup_file *file;

	if (receiving->descriptor < 0 ||
	    strcmp(receiving->files[receiving->n - 1].name, piece->file) != 0)
		TRY(begin_file(receiving, piece->file));
	file = &receiving->files[receiving->n - 1];
	if (piece->offset != file->bytes)
		return damaged(receiving, piece->file, "its pieces do not follow each other");
	if (checksum_crc32c(0, piece->data) != piece->checksum)
		return damaged(receiving, piece->file, "a piece was damaged on its way");
	if (file_write(receiving->descriptor, piece->data.data, piece->data.size, file->bytes))
		return directory_failure(receiving->arena, "writing", piece->file);
	file->bytes += piece->data.size;
	file->checksum = checksum_crc32c(file->checksum, piece->data);
	return status_ok();
}

static const struct backup_file *find(const struct backup_receiving *receiving, const char *name)
{
	for (size_t i = 0; i < receiving->n; i++)
		if (strcmp(receiving->files[i].name, name) == 0)
			return &receiving->files[i];
	return NULL;
}

static status check_all(const struct backup_receiving *receiving, const struct backup *backup)
{
	for (size_t i = 0; i < backup->n_files; i++) {
		const struct backup_file *wanted = &backup->files[i];
		const struct backup_file *found = find(receiving, wanted->name);

		if (!found)
			return damaged(receiving, wanted->name, "it has not come");
		if (found->bytes != wanted->bytes || found->checksum != wanted->checksum)
			return damaged(receiving, wanted->name, "it is not as the manifest says");
	}
	if (receiving->n != backup->n_files + 1)
		return damaged(receiving, BACKUP_MANIFEST, "files came that it does not name");
	return status_ok();
}

status backup_receive_end(struct backup_receiving *receiving, struct backup *ret)
{
	struct arena *arena = receiving->arena;
	const char *parent = arena_printf(arena, "%s/..", receiving->path);
	struct backup backup;

	if (!parent)
		return no_memory();
	TRY(finish_file(receiving));
	TRY(backup_manifest_read(receiving->part, arena, &backup));
	TRY(check_all(receiving, &backup));
	TRY(directory_sync(receiving->part, arena));
	TRY(directory_rename(receiving->part, receiving->path, arena));
	receiving->named = true;
	*ret = backup;
	return directory_sync(parent, arena);
}
