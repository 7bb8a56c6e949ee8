/* faiss_file - a row is one pread, as of a .npy file, and one more where ids are mapped. */
#include "service/cli/faiss_file.h"

#include "kernels/base/bytes.h"
#include "service/cli/faiss_layout.h"
#include "service/cli/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct faiss_file {
	struct faiss_source source;
	struct faiss_layout layout;
	uint8_t *code; /* of one vector */
};

static status faiss_source_open(struct faiss_source *source)
{
	struct stat file;

	source->fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (source->fd < 0 || fstat(source->fd, &file) != 0)
		return status_format(source->arena, STATUS_UNAVAILABLE, "cannot open %s: %s",
				     source->path, strerror(errno));
	if (!S_ISREG(file.st_mode))
		return status_format(source->arena, STATUS_INVALID_ARGUMENT,
				     "%s is no regular file", source->path);
	source->size = (uint64_t)file.st_size;
	return status_ok();
}

status faiss_file_open(struct arena *arena, const char *path, struct faiss_file **ret)
{
	SCOPED(faiss_file) file = calloc(1, sizeof *file);

	if (!file)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a FAISS file");
	file->source = (struct faiss_source){.arena = arena, .path = path, .fd = -1};
	TRY(faiss_source_open(&file->source));
	TRY(faiss_layout_read(&file->source, &file->layout));
	file->code = malloc(file->layout.code_bytes);
	if (!file->code)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	*ret = TAKE(file);
	return status_ok();
}

void faiss_file_close(struct faiss_file *file)
{
	if (!file)
		return;
	if (file->source.fd >= 0)
		close(file->source.fd);
	faiss_layout_finish(&file->layout);
	free(file->code);
	free(file);
}

const struct faiss_shape *faiss_file_shape(const struct faiss_file *file)
{
	return &file->layout.shape;
}

const char *faiss_file_path(const struct faiss_file *file)
{
	return file->source.path;
}

static float load_bfloat(const uint8_t *p)
{
	uint32_t word = 0;
	float value;

	memcpy((uint8_t *)&word + 2, p, 2);
	memcpy(&value, &word, sizeof value);
	return value;
}

static float load_half(const uint8_t *p)
{
	uint16_t half;

	memcpy(&half, p, sizeof half);
	return half_to_float(half);
}

/* A code of 8 bits stands for the middle of its part of the range. */
static void decode(const struct faiss_layout *layout, const uint8_t *code, float *ret)
{
	size_t dim = layout->shape.dimension;

	switch (layout->code) {
	case FAISS_FLOAT:
		memcpy(ret, code, layout->code_bytes);
		break;
	case FAISS_8BIT:
	case FAISS_8BIT_UNIFORM:
		for (size_t i = 0; i < dim; i++)
			ret[i] = layout->lowest[i] +
				 ((float)code[i] + 0.5F) / 255.0F * layout->range[i];
		break;
	case FAISS_8BIT_DIRECT:
		for (size_t i = 0; i < dim; i++)
			ret[i] = code[i];
		break;
	case FAISS_FP16:
		for (size_t i = 0; i < dim; i++)
			ret[i] = load_half(code + 2 * i);
		break;
	case FAISS_BF16:
		for (size_t i = 0; i < dim; i++)
			ret[i] = load_bfloat(code + 2 * i);
		break;
	}
}

status faiss_file_read(struct faiss_file *file, uint64_t row, int64_t *ret_id, float *ret)
{
	const struct faiss_layout *layout = &file->layout;
	uint64_t at = layout->codes_at + row * layout->code_bytes;
	int64_t id = (int64_t)row;

	if (layout->entries) {
		at = layout->entries[row].at;
		id = layout->entries[row].id;
	}
	if (layout->ids_at)
		TRY(faiss_source_read(&file->source, layout->ids_at + (uint64_t)id * sizeof id, &id,
				      sizeof id));
	TRY(faiss_source_read(&file->source, at, file->code, layout->code_bytes));
	decode(layout, file->code, ret);
	*ret_id = id;
	return status_ok();
}
