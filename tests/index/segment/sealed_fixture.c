#include "tests/index/segment/sealed_fixture.h"

#include "kernels/base/error_info.h"
#include "kernels/float16.h"
#include "kernels/score.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* I - 2 v v' / v'v. */
static void draw_rotation(struct room *room, struct random *random)
{
	size_t dim = room->config.dim;
	double *v = calloc(dim, sizeof *v), square = 0;

	room->matrix = calloc(dim * dim, sizeof *room->matrix);
	cr_assert(v && room->matrix);
	for (size_t i = 0; i < dim; i++) {
		v[i] = (double)random_signed(random) + 1e-3;
		square += v[i] * v[i];
	}
	for (size_t i = 0; i < dim * dim; i++)
		room->matrix[i] =
			(float)((i / dim == i % dim) - 2 * v[i / dim] * v[i % dim] / square);
	free(v);
	cr_assert(!status_failed(
		codes8_rotation_init(&room->rotation, room->matrix, room->config.dim)));
	room->coding.rotation = &room->rotation;
}

void room_init(struct room *room, const struct sealed_made_of *what, uint64_t seed)
{
	struct random random = {seed};

	*room = (struct room){
		.config = {.name = "books",
			   .dim = what->dim,
			   .metric = what->metric,
			   .encoding = what->encoding},
		.n = what->n,
		.coding = {.head = what->head},
	};
	scratch_open(&room->scratch);
	arena_init(&room->arena, 1 << 20);
	for (size_t i = 0; i < sizeof room->incarnation; i++)
		room->incarnation[i] = (uint8_t)(7 * i + 1);
	room->vectors = calloc((size_t)what->n * what->dim, sizeof *room->vectors);
	cr_assert(room->vectors);
	for (uint32_t row = 0; row < what->n; row++) {
		float *vector = room->vectors + (size_t)row * what->dim;

		for (uint32_t i = 0; i < what->dim; i++)
			vector[i] = random_signed(&random);
		if (what->metric == METRIC_COSINE && !vector_normalise(vector, what->dim))
			vector[0] = 1;
		for (uint32_t i = 0; what->encoding == ENCODING_FLOAT16 && i < what->dim; i++)
			vector[i] = float16_widen(float16_narrow(vector[i]));
	}
	if (what->rotated)
		draw_rotation(room, &random);
}

void room_finish(struct room *room)
{
	scratch_close(&room->scratch);
	arena_finish(&room->arena);
	free(room->vectors);
	free(room->matrix);
}

struct sealed_file room_file(const struct room *room, uint64_t id)
{
	return (struct sealed_file){
		.directory = room->scratch.path,
		.config = &room->config,
		.incarnation = room->incarnation,
		.id = id,
	};
}

static uint64_t source_row(const void *context, uint32_t place)
{
	(void)context;
	return room_row(place);
}

/* Every other one by the scratch, as a segment of halves would. */
static const float *source_vector(const void *context, uint32_t place, float *scratch)
{
	const struct room *room = context;
	const float *vector = room_vector(room, place);

	if (place % 2)
		return vector;
	memcpy(scratch, vector, room->config.dim * sizeof *vector);
	return scratch;
}

struct sealed_source room_source(const struct room *room)
{
	return (struct sealed_source){room->n, source_row, source_vector, room};
}

void room_write(struct room *room, uint64_t id)
{
	struct sealed_file file = room_file(room, id);
	struct sealed_source source = room_source(room);
	status s = sealed_write(&file, &source, &room->coding, NULL, &room->arena);

	cr_assert(!status_failed(s), "%s", s.detail);
}

struct sealed *room_open(struct room *room, uint64_t id)
{
	struct sealed_file file = room_file(room, id);
	struct sealed *sealed = NULL;
	status s = sealed_open(&file, &room->arena, &sealed);

	cr_assert(!status_failed(s), "%s", s.detail);
	return sealed;
}

status room_opens(struct room *room, uint64_t id)
{
	struct sealed_file file = room_file(room, id);
	SCOPED(sealed) sealed = NULL;

	arena_reset(&room->arena);
	return sealed_open(&file, &room->arena, &sealed);
}

static int file_descriptor(struct room *room, uint64_t id)
{
	struct sealed_file file = room_file(room, id);
	int descriptor = open(sealed_path(&file, &room->arena), O_RDWR | O_CLOEXEC);

	cr_assert_geq(descriptor, 0);
	return descriptor;
}

void room_flip(struct room *room, uint64_t id, uint64_t offset)
{
	int descriptor = file_descriptor(room, id);
	uint8_t byte;

	cr_assert_eq(pread(descriptor, &byte, 1, (off_t)offset), 1);
	byte ^= (uint8_t)(1 << offset % 8);
	cr_assert_eq(pwrite(descriptor, &byte, 1, (off_t)offset), 1);
	close(descriptor);
}

uint64_t room_file_bytes(struct room *room, uint64_t id)
{
	int descriptor = file_descriptor(room, id);
	struct stat about;

	cr_assert_eq(fstat(descriptor, &about), 0);
	close(descriptor);
	return (uint64_t)about.st_size;
}

const char *loss_value(status s, const char *key)
{
	for (size_t i = 0; s.info && i < ERROR_PAIRS_MAX && s.info->metadata[i].key; i++) {
		if (strcmp(s.info->metadata[i].key, key) == 0)
			return s.info->metadata[i].value;
	}
	return "";
}

void loss_check(status s, const char *file, const char *block)
{
	cr_assert_eq(s.code, STATUS_DATA_LOSS, "%s", s.detail);
	cr_assert_eq(s.info->reason, REASON_DATA_CORRUPT);
	cr_assert_str_eq(loss_value(s, "collection"), "books");
	cr_assert_str_eq(loss_value(s, "file"), file);
	cr_assert_str_eq(loss_value(s, "block"), block, "%s", s.detail);
}
